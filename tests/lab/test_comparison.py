"""The comparison from Python."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import losslab
from losslab import lab
from losslab.lab import plan
from losslab.lab.comparison import folder_for
from losslab.lab.errors import LabError
from losslab.lab.store import Store


def test_compare_from_python(tmp_path, capfd):
    @losslab.register
    class FourthPower(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return (y_pred - y_true) ** 4

    found = lab.compare(
        "digits",
        [FourthPower(), losslab.Huber(delta=0.5)],
        subset=200,
        epochs=2,
        seeds=2,
        lr="shared=0.01",
        out=tmp_path,
    )
    assert [arm.label for arm in found.summary.arms] == ["fourth_power", "Huber(delta=0.5)"]
    assert len(found.verdict().splitlines()) == 2
    assert found.exit_code == 0
    assert found.report().exists()
    assert capfd.readouterr() == ("", "")
    table, other = found.table(), found.summary.arms[1].figures["brier"]
    assert list(table.index) == ["fourth_power", "Huber(delta=0.5)"]
    assert table.brier_difference.iloc[1] == other.contrast.mean
    assert table.brier["Huber(delta=0.5)"] == other.mean
    assert found.plot("reliability").axes
    with pytest.raises(KeyError):
        found.plot("nothing")


SETTINGS = {"epochs": 2, "seeds": 2, "lr": "shared=0.01"}


def test_arrays_are_compared_like_the_same_file(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.choice(["cat", "dog"], 120)
    x = rng.normal(size=(120, 5)) + (y == "cat")[:, None]
    np.savez(tmp_path / "same.npz", x=x, y=y)
    arrays = lab.compare((x, y), ["cce", "mse"], out=tmp_path / "arrays", **SETTINGS)
    file = lab.compare(str(tmp_path / "same.npz"), ["cce", "mse"], out=tmp_path / "file", **SETTINGS)
    assert [arm.figures for arm in arrays.summary.arms] == [arm.figures for arm in file.summary.arms]
    runs = (tmp_path / "arrays" / "runs.jsonl").read_bytes()
    lab.compare((x, y), ["cce", "mse"], out=tmp_path / "arrays", **SETTINGS)
    assert (tmp_path / "arrays" / "runs.jsonl").read_bytes() == runs


def test_a_refused_process_leaves_the_arrays_of_another_alone(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
    with Store(tmp_path):
        for shift in (0, 1):
            with pytest.raises(LabError, match="is in use"):
                lab.compare((x + shift, y), ["cce", "mse"], out=tmp_path, **SETTINGS)
    kept = [np.load(path)["x"] for path in tmp_path.glob("data-*.npz")]
    assert sorted(each[0, 0] for each in kept) == [x[0, 0], x[0, 0] + 1]


def test_test_examples_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 4)), rng.integers(0, 2, 100)
    found = lab.compare(((x, y), (x[:30], y[:30])), ["cce", "mse"], out=tmp_path, **SETTINGS)
    assert "30 test examples" in found.report().read_text()


@pytest.mark.parametrize("data", [(1,), (), (np.zeros((3, 2)), np.zeros(3), np.zeros(3)), None])
def test_what_is_no_data_set_is_an_error(tmp_path, data):
    with pytest.raises(LabError, match="no data set"):
        lab.compare(data, out=tmp_path, **SETTINGS)


ONES = np.ones((60, 2))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (([[1, 2], [3]], [0, 1]), "x is no array"),
        ((ONES, pd.Series(["cat", 1] * 30)), "int, str"),
        ((pd.DataFrame({"a": ["red", "blue"] * 30, "b": 1}), ONES[:, 0]), "x is no array"),
        ((pd.DataFrame({"a": ["red", "blue"] * 30}), ONES[:, 0]), "type <U4"),
        ((ONES, pd.Series(["cat"] * 60)), "every label in"),
    ],
)
def test_what_is_no_array_is_an_error(tmp_path, data, said):
    with pytest.raises(LabError, match=said):
        lab.compare(data, out=tmp_path, **SETTINGS)


@pytest.mark.parametrize("count", [2.5, "3", np.float64(3)])
def test_a_count_that_is_no_whole_number_is_refused(tmp_path, count):
    with pytest.raises(LabError, match="whole number"):
        lab.compare("digits", out=tmp_path, **(SETTINGS | {"seeds": count}))


def test_a_path_one_loss_and_a_series_of_texts(tmp_path):
    y = pd.Series(["cat", "dog"] * 60)
    x = np.random.default_rng(0).normal(size=(120, 5)) + (y == "cat").to_numpy()[:, None]
    np.savez(tmp_path / "same.npz", x=x, y=y.to_numpy(str))
    file = lab.compare(tmp_path / "same.npz", "mse", out=tmp_path / "file", **SETTINGS)
    arrays = lab.compare((x, y), "mse", out=tmp_path / "arrays", **SETTINGS)
    assert [arm.figures for arm in arrays.summary.arms] == [arm.figures for arm in file.summary.arms]
    assert len(file.summary.arms) == 1
    assert folder_for(tmp_path / "same.npz") == Path("losslab-runs/same")


def test_noise_is_alike_for_every_loss_and_in_the_report(tmp_path):
    found = lab.compare("digits", ["cce", "kl_divergence"], subset=200, noise=0.4, out=tmp_path, **SETTINGS)
    assert "40% of the training and validation labels" in found.report().read_text()
    contrast = found.summary.arms[1].deciding.contrast
    assert (contrast.mean, contrast.low, contrast.high) == (0, 0, 0)
    clean = lab.compare("digits", ["cce"], subset=200, out=tmp_path, **SETTINGS)
    assert clean.summary.arms[0].deciding.values != found.summary.arms[0].deciding.values


@pytest.mark.parametrize("noise", [-0.1, 1.0, float("nan")])
def test_a_share_of_noise_that_is_none_is_refused(tmp_path, noise):
    with pytest.raises(LabError, match="noise is"):
        lab.compare("digits", noise=noise, out=tmp_path)


def test_quick_is_stamped_and_cut_down(tmp_path):
    found = lab.compare("digits", ["cce"], subset=200, quick=True, out=tmp_path)
    assert found.summary.arms[0].counts["planned"] == 3
    assert "Indicative only" in found.report().read_text()


def test_adding_a_loss_changes_nobody_elses_run(tmp_path):
    settings = {"subset": 200, "epochs": 2, "seeds": 2, "lr": "shared=0.01"}
    two = lab.compare("digits", ["cce", "mse"], out=tmp_path / "two", **settings).summary.arms
    three = lab.compare("digits", ["hinge", "cce", "mse"], out=tmp_path / "three", **settings).summary.arms
    assert [arm.deciding.values for arm in two] == [arm.deciding.values for arm in three[1:]]


def test_the_same_loss_twice_differs_by_nothing_at_all(tmp_path):
    @losslab.register
    class Twin(losslab.CategoricalCrossentropy):
        """The same formula under another name, which is another arm."""

    found = lab.compare("digits", ["cce", "twin"], subset=400, epochs=10, seeds=3, lr="shared=0.01", out=tmp_path)
    for key, figure in found.summary.arms[1].figures.items():
        assert (figure.contrast.mean, figure.contrast.low, figure.contrast.high) == (0, 0, 0), key


def test_what_the_package_offers():
    assert [getattr(lab, name).__name__ for name in lab.__all__] == lab.__all__
    with pytest.raises(AttributeError):
        _ = lab.nothing


def test_plain_gradient_descent_is_another_comparison(tmp_path):
    adam, sgd = (
        lab.compare("digits", ["cce"], subset=200, optimizer=name, out=tmp_path, **SETTINGS) for name in ("adam", "sgd")
    )
    assert adam.summary.arms[0].deciding.values != sgd.summary.arms[0].deciding.values
    assert "stochastic gradient descent" in sgd.report().read_text()
    with pytest.raises(LabError, match="unknown optimizer 'rmsprop'"):
        lab.compare("digits", optimizer="rmsprop", out=tmp_path)


def test_gradient_descent_tries_larger_rates():
    assert plan.protocol("cnn", "step", optimizer="sgd").rates == (0.03, 0.1, 0.3)
