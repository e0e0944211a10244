"""A model of one's own: any of three kinds, found again by its path, tried before it is trained."""

import random
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from losslab import lab
from losslab.lab import plan, store
from losslab.lab.backend import use_keras
from losslab.lab.data import DataSpec, load
from losslab.lab.engines import choice
from losslab.lab.errors import LabError
from losslab.lab.models import own
from losslab.lab.network import Network
from losslab.lab.tasks import Output

FILE = Path(__file__).parent / "networks.py"
SETTINGS = {"subset": 200, "epochs": 2, "seeds": 2, "lr": "shared=0.01"}
TASK = {"name": "classes", "measure": None, "cost": None}
SPEC = DataSpec("digits", subset=300)


def path(name):
    return f"{FILE}:{name}"


def network(name):
    found, definition = own.named(path(name))
    return Network(found, (8, 8), Output((10,), "softmax"), definition)


def job(model, engine, loss="cce"):
    found, definition = own.named(path(model))
    chosen = plan.Protocol(found, engine, 3, 32, 1, 1, (0.01,), model_definition=definition)
    data = asdict(SPEC) | {"digest": load(SPEC).digest}
    return plan.jobs("final", [(plan.arms([loss])[0], 0.01)], [0], chosen, TASK, data)[0]


@pytest.fixture(scope="module")
def run():
    use_keras("jax")
    from losslab.lab.trainer import run_trial

    return run_trial


@pytest.mark.parametrize(
    ("model", "engine"),
    [
        ("dense", "scan"),
        ("with_state", "scan"),
        ("without_input", "scan"),
        ("convolution", "step"),
        ("pair", "scan"),
        ("trains_itself", "fit:jax"),
        ("ignores_the_loss", "fit:jax"),
        ("module", "torch"),
    ],
)
def test_the_fastest_engine_that_can_is_chosen(run, model, engine):
    if engine == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
    assert choice.choose("auto", network(model)) == engine


def test_what_no_gradient_moves_and_penalties_are_the_same_in_every_engine(run):
    scanned, *others = (run(job("with_state", engine)) for engine in ("scan", "step", "fit:jax"))
    assert scanned["history"]["val_loss"][-1] < scanned["history"]["val_loss"][0]
    for other in others:
        for key, values in scanned["history"].items():
            np.testing.assert_allclose(values, other["history"][key], rtol=1e-5, atol=1e-5, err_msg=key)
        for key in ("accuracy", "nll", "brier"):
            assert other["measures"][key] == pytest.approx(scanned["measures"][key], abs=1e-5)


@pytest.mark.parametrize(
    ("model", "engine"), [("with_dropout", "scan"), ("module", "torch"), ("trains_itself", "fit:jax")]
)
def test_weights_and_dropout_are_the_same_for_every_loss_and_the_scripts_own_numbers_too(run, model, engine):
    """kl_divergence equals categorical_crossentropy on one-hot labels, so pairing must give the same run."""
    if engine == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
    random.seed(7)
    np.random.seed(7)
    expected = random.Random(7).random(), np.random.RandomState(7).random_sample()
    one, other = (run(job(model, engine, loss)) for loss in ("cce", "kl_divergence"))
    np.testing.assert_allclose(one["history"]["loss"], other["history"]["loss"], rtol=1e-4)
    assert (random.random(), np.random.random_sample()) == expected


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("ends_in_softmax", "ends in a softmax"),
        ("ends_in_sigmoid", "ends in a sigmoid"),
        ("module_ends_in_log_softmax", "ends in a log-softmax"),
        ("module_ends_in_sigmoid", "ends in a sigmoid"),
        ("pair_ends_in_softmax", "ends in a softmax"),
        ("one_too_many", "gives outputs of shape (32, 11)"),
        ("raises", "RuntimeError: my own words\n"),
        ("on_numpy", "may run with --engine fit:torch"),
        ("cannot_be_applied", "cannot be applied to a batch of shape (32, 8, 8)"),
        ("no_model", "builds an object of type int"),
        ("ready", "ready is an object of type MyLoss"),
        ("desne", "did you mean dense"),
        ("dense:x", "no path to code"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path, model, said):
    if model.startswith("module"):
        pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(LabError) as refusal:
        lab.compare("digits", ["cce"], model=path(model), out=tmp_path / "run", **SETTINGS)
    assert said in str(refusal.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("model", "engine", "said"),
    [
        ("pair", "fit:jax", "it is a pair of JAX functions"),
        ("module", "scan", "it is a PyTorch module"),
        ("dense", "scann", "did you mean scan"),
    ],
)
def test_an_engine_that_cannot_train_it_is_refused(tmp_path, model, engine, said):
    pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(LabError, match=said):
        lab.compare("digits", ["cce"], model=path(model), engine=engine, out=tmp_path / "run", **SETTINGS)


def runs(folder):
    return len((folder / store.LOG).read_text().splitlines())


def test_an_edited_model_is_run_again_and_its_report_needs_no_file(tmp_path):
    file = tmp_path / "network.py"
    shutil.copy(FILE, file)
    folder = tmp_path / "run"

    def compare():
        return lab.compare("digits", ["cce"], model=f"{file}:dense", out=folder, **SETTINGS).summary.arms[0]

    first = compare().deciding.values
    assert compare().deciding.values == first
    assert runs(folder) == 2
    file.write_text(file.read_text().replace("Dense(16", "Dense(17"))
    assert compare().deciding.values != first
    assert runs(folder) == 4
    file.write_text(f"open({str(tmp_path / 'imported')!r}, 'w')")
    from losslab.lab import report

    assert "network.py:dense" in report.render(folder)[1].read_text()
    assert not (tmp_path / "imported").exists()


def test_a_model_that_is_edited_meanwhile_is_not_trained(run, tmp_path):
    begun = job("dense", "scan") | {"model_definition": "another"}
    with pytest.raises(LabError, match="was edited while the comparison ran"):
        run(begun)


def test_a_builder_from_python_is_found_again_or_refused(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(FILE.parent)
    import networks

    try:
        found = lab.compare("digits", ["cce"], model=networks.dense, out=tmp_path / "run", **SETTINGS)
        assert "networks:dense" in found.report().read_text()
    finally:
        del sys.modules["networks"]
    with pytest.raises(LabError, match="cannot be found again"):
        lab.compare("digits", model=lambda shape, outputs: None, out=tmp_path / "other", **SETTINGS)


def test_a_training_step_that_hides_its_outputs_is_told(run):
    with pytest.raises(LabError, match=r"updated its metrics 0 times in 6 steps"):
        run(job("hides_its_outputs", "fit:jax"))


def test_a_training_step_that_ignores_the_loss_is_told(run):
    with pytest.raises(LabError, match="never asked for the loss"):
        run(job("ignores_the_loss", "fit:jax"))


def test_processes_find_the_model_and_the_loss(run, tmp_path, monkeypatch):
    shutil.copy(FILE, tmp_path / "mine.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    losses = ["cce", "mine.py:MyLoss:gamma=3", "mine:ready"]
    found = lab.compare("digits", losses, model="mine.py:dense", executor="local:1", out="run", **SETTINGS)
    sys.modules.pop("mine")
    assert [arm.label for arm in found.summary.arms][1:] == ["my_loss:gamma=3", "MyLoss(gamma=1.5)"]
    assert [arm.counts["ok"] for arm in found.summary.arms] == [2, 2, 2]
