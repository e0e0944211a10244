"""The engines give the same numbers, and a run depends on its seed and on nothing else."""

from dataclasses import asdict

import numpy as np
import pytest

import losslab
from losslab.lab import plan
from losslab.lab.backend import use_keras
from losslab.lab.data import DataSpec, load
from losslab.lab.errors import Exit, LabError
from losslab.lab.executors.serial import Serial

SPEC = DataSpec("digits", subset=300)


def job(name, seed=0, rate=0.01, **protocol):
    chosen = plan.Protocol(
        **{"model": "mlp", "engine": "scan", "epochs": 3, "batch": 32, "seeds": 1} | protocol, **FIXED
    )
    return plan.jobs("final", [(plan.arms([name])[0], rate)], [seed], chosen, TASK, of(SPEC))[0]


def of(spec):
    return asdict(spec) | {"digest": load(spec).digest}


TASK = {"name": "classes", "measure": None, "cost": None}
FIXED = {"tuning_seeds": 1, "rates": (0.01,)}


@pytest.fixture(scope="module")
def run():
    use_keras("jax")
    from losslab.lab.trainer import run_trial

    return run_trial


@pytest.mark.parametrize("name", ["cce", "sparse_categorical_crossentropy", "mse", "bce", "hinge"])
def test_scan_and_step_agree(run, name):
    scanned, stepped = (run(job(name, engine=engine)) for engine in ("scan", "step"))
    for key, values in scanned["history"].items():
        np.testing.assert_allclose(values, stepped["history"][key], rtol=1e-5, atol=1e-5, err_msg=key)
    assert scanned["measures"] == pytest.approx(stepped["measures"], abs=1e-3)


def test_a_run_is_repeatable_whatever_ran_before(run):
    first = run(job("cce"))
    run(job("mse", seed=5, rate=0.1))
    again = run(job("cce"))
    assert (first["history"], first["measures"]) == (again["history"], again["measures"])
    assert run(job("cce", seed=1))["history"] != first["history"]


def test_ids_and_one_hot_labels_give_the_same_run(run):
    """sparse_categorical_crossentropy is categorical_crossentropy on other labels."""
    one_hot, ids = run(job("cce")), run(job("sparse_categorical_crossentropy"))
    np.testing.assert_allclose(one_hot["history"]["loss"], ids["history"]["loss"], rtol=1e-5)


def test_curves_are_what_they_are_called(run):
    result = run(job("cce", epochs=20))
    history = result["history"]
    assert {len(values) for values in history.values()} == {20}
    assert history["loss"][-1] < history["loss"][0]
    assert history["score"][-1] > 0.95
    assert result["status"] == "ok"
    assert result["measures"]["accuracy"] > 0.8


@pytest.mark.parametrize("name", ["cce", "mse", "bce", "hinge"])
def test_a_run_that_runs_away_has_diverged_and_measures_no_test_accuracy(run, name):
    result = run(job(name, rate=1e6))
    assert result["status"] == "diverged"
    assert "measures" not in result


def test_a_loss_of_nan_ends_the_run(run):
    @losslab.register
    class NotANumber(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return (y_pred - y_true) * float("nan")

    result = run(job("not_a_number", epochs=5))
    assert result["status"] == "diverged"
    assert result["history"]["loss"] == [None]


def test_a_failure_is_told_in_the_losss_own_words(run, capsys):
    """JAX ends a traceback that it shortens with a sentence about itself."""
    import jax

    from losslab.lab.progress import Lines

    def trial(job, on_epoch):
        @jax.jit
        def formula(x):
            raise ValueError(f"no luck with shape {x.shape}\nand more")

        return formula(np.zeros(3))

    lines = Lines()
    [(job_of_it, result)] = Serial().run(trial, [job("cce")], lines)
    lines.finished(job_of_it, result)
    assert capsys.readouterr().err.endswith("failed: ValueError: no luck with shape (3,)\n")


def test_the_cnn_learns_and_its_dropout_is_the_same_for_every_loss(run, tmp_path):
    """kl_divergence equals categorical_crossentropy on one-hot labels, so pairing must give the same run."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = (rng.uniform(0, 80, (120, 28, 28)) + 150 * y[:, None, None] * (np.arange(28) < 14)).astype(np.uint8)
    np.savez(tmp_path / "halves.npz", x=x, y=y)
    change = {"data": of(DataSpec(str(tmp_path / "halves.npz")))}
    jobs = [job(name, rate=1e-3, model="cnn", engine="step") | change for name in ("cce", "kl_divergence")]
    one, other = (run(each) for each in jobs)
    np.testing.assert_allclose(one["history"]["loss"], other["history"]["loss"], rtol=1e-4, atol=1e-6)
    assert one["history"]["loss"][-1] < one["history"]["loss"][0]


def test_evaluation_is_without_dropout_and_covers_all_rows(run, monkeypatch):
    import keras

    from losslab.lab.engines import ENGINES
    from losslab.lab.models import keras as models
    from losslab.lab.network import Network
    from losslab.lab.tasks import Output

    layers = [keras.layers.Input((6,)), keras.layers.Dropout(0.9), keras.layers.Dense(2)]
    model, rng = keras.Sequential(layers), np.random.default_rng(0)
    x, y = rng.normal(size=(2500, 6)).astype("float32"), rng.normal(size=(2500, 2)).astype("float32")
    monkeypatch.setattr(models, "build", lambda network: model)
    program = ENGINES["scan"](Network("mlp", (6,), Output((2,), "linear")), "adam", losslab.get("mse"))
    state = program.initial(0, 0.1)
    outputs, expected = program.outputs(state, x), x @ np.asarray(state.weights[0])
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    assert program.loss(outputs, y) == pytest.approx(np.mean((expected - y) ** 2), rel=1e-5)


def test_halving_max_pool_is_max_pooling(run):
    import keras

    from losslab.lab.models.builtin import HalvingMaxPool

    x = np.random.default_rng(0).normal(size=(2, 13, 6, 3)).astype("float32")
    np.testing.assert_array_equal(HalvingMaxPool()(x), keras.layers.MaxPooling2D(2)(x))


def test_another_backend_is_an_environment_error(monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(LabError, match="tensorflow") as refusal:
        use_keras("jax")
    assert refusal.value.exit_code == Exit.ENVIRONMENT
