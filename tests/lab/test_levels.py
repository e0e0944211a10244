"""Several levels of noise or imbalance: what is done to the data, and what is said of it."""

import json

import numpy as np
import pytest

from losslab import lab
from losslab.cli import run
from losslab.lab.data import DataSpec, load
from losslab.lab.errors import LabError
from losslab.lab.split import disturbed, imbalanced, split, training_examples
from losslab.lab.streams import stream

SETTINGS = {"subset": 200, "epochs": 2, "seeds": 2, "lr": "shared=0.01"}


@pytest.mark.parametrize(("ratio", "wanted"), [(1, [100, 100, 100]), (4, [100, 50, 25]), (1e6, [100, 1, 1])])
def test_how_many_of_each_class_remain(ratio, wanted):
    ids = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], 100))
    kept = imbalanced(ids, 3, ratio, stream(0, "imbalance"))
    assert np.bincount(ids[kept]).tolist() == wanted
    assert (np.diff(kept) > 0).all()


@pytest.mark.parametrize("ratio", [1, 3, 50])
def test_as_many_examples_to_train_on_as_are_promised(ratio):
    digits = load(DataSpec("digits", subset=300))
    for seed in range(5):
        parts = disturbed(split(digits, seed), 10, 0.0, ratio, seed)
        assert training_examples(digits, ratio) <= len(parts.train.y) <= training_examples(digits, ratio) + 20
        assert len(parts.test.y) == len(digits.y_test)


def test_levels_of_noise(tmp_path):
    found = lab.compare_levels("noise", (0, 0.5), "digits", ["cce", "kl_divergence"], out=tmp_path, **SETTINGS)
    assert list(found.comparisons) == [0, 0.5]
    assert found.table().level.tolist() == [0, 0, 0.5, 0.5]
    clean, noisy = (each.summary.arms[0].deciding.mean for each in found.comparisons.values())
    assert clean > noisy
    assert found.table()["mean"].tolist() == [clean, clean, noisy, noisy]
    page = found.report().read_text()
    assert 'href="noise-0.5/report.html"' in page
    assert "the same accuracy on every one of 2 seeds" in page
    assert (tmp_path / "plots" / "levels.csv").read_text().startswith("loss,level,mean,low,high,verdict,runs\n")
    assert found.verdict().count("practically equal") == 2
    assert found.plot().figure.axes
    alone = lab.compare("digits", ["cce"], noise=0.5, out=tmp_path / "alone", **SETTINGS)
    assert alone.summary.arms[0].deciding.mean == noisy


def test_from_the_command_line_and_again(tmp_path, capsys):
    arguments = ["compare", "--subset", "200", "--epochs", "1", "--seeds", "2", "--lr", "shared=0.01"]
    assert run([*arguments, "--losses", "cce,mse", "--imbalance", "1,5", "--out", str(tmp_path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed["imbalance"]) == ["1.0", "5.0"]
    page = (tmp_path / "report.html").read_bytes()
    assert run(["report", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert (out.count("is the baseline"), out.splitlines()[-1]) == (2, str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").read_bytes() == page


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--noise", "0,x", "bad value '0,x' for --noise"),
        ("--noise", "0,0", "each once"),
        ("--noise", "0,1", "noise is 1"),
        ("--imbalance", "0.5", "imbalance is 0.5"),
        ("--imbalance", "inf", "imbalance is inf"),
    ],
)
def test_levels_that_are_none(refused, tmp_path, option, value, said):
    code, err = refused("compare", "--subset", "200", "--epochs", "1", option, value, "--out", tmp_path / "run")
    assert (code, said in err) == (2, True), err


def test_both_at_several_levels_are_refused(refused):
    assert "a curve is over one of them" in refused("compare", "--noise", "0,0.1", "--imbalance", "1,2")[1]


def test_what_has_no_classes_has_no_noise(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(LabError, match="the task 'regression'"):
        lab.compare((rng.normal(size=(60, 2)), rng.normal(size=60)), noise=0.1, out=tmp_path)
    with pytest.raises(LabError, match="unknown kind of level 'nois'"):
        lab.compare_levels("nois", (0, 1))
    with pytest.raises(LabError, match="noise is named twice"):
        lab.compare_levels("noise", (0, 0.1), noise=0.1)
