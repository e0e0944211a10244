"""What is saved comes back in a fresh process with equal values: models, losses, pickles, one's own loss."""

import json
import pathlib
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest

import losslab
import losslab.keras

from ...catalogue import LOSSES
from .models import ROWS, example, inputs, labels, model_for, weights

OWN = """
import losslab

@losslab.register
class Cauchy(losslab.ElementLoss):
    scale: float = losslab.param(1.0, gt=0)

    def formula(self, ops, y_true, y_pred):
        return ops.log1p(ops.square((y_pred - y_true) / self.scale))
"""

SAVED = [loss for loss in LOSSES if type(loss).__module__.startswith("losslab")]  # not those that tests define
SPARSE = losslab.SparseCategoricalCrossentropy(ignore_class=2)


def models(cauchy):
    """Name -> a compiled model and its labels."""
    losslab.keras.register_strings()
    huber = losslab.Huber(delta=0.3)
    return {
        "catalogue": (model_for(SPARSE, losslab.keras.wrap(SPARSE, dtype="float32")), labels(SPARSE)),
        "own": (model_for(cauchy), labels(cauchy)),
        "string": (model_for(losslab.LogCosh(), "losslab>logcosh"), labels(huber)),
        "core": (model_for(huber, huber), labels(huber)),
        "function": (model_for(huber, losslab.asymmetric_cost), labels(huber)),  # Keras has none of this name
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved")


@pytest.fixture(scope="module")
def loaded(folder):
    """(what this process computed, what a fresh process computes with everything that it loads), by name."""
    (folder / "own_loss.py").write_text(OWN)
    sys.path.insert(0, str(folder))
    from own_loss import Cauchy

    here = {}
    for name, (model, y) in models(Cauchy(scale=0.5)).items():
        model.save(folder / f"{name}.keras")
        np.savez(folder / f"{name}.npz", y=y, w=weights(ROWS))
        here[name] = model.evaluate(inputs(), y, sample_weight=weights(ROWS), batch_size=ROWS, verbose=0)
    here.update(save_losses(folder))
    script = pathlib.Path(__file__).with_name("load.py")
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
    sys.path.remove(str(folder))
    assert done.returncode == 0, done.stderr
    return here, json.loads((folder / "values.json").read_text())


def save_losses(folder):
    """Every loss in its config and in its pickle, with the values of the losslab loss that it wraps."""
    values, saved = {}, []
    for number, core in enumerate(SAVED):
        y, p = example(core)
        loss = losslab.keras.wrap(core)
        np.savez(folder / f"loss_{number}.npz", y=y, p=p)
        saved.append(keras.saving.serialize_keras_object(loss))
        (folder / f"loss_{number}.pickle").write_bytes(pickle.dumps(loss))
        values[f"loss_{number}"] = np.asarray(core(y, p), "float64").tolist()
        values[f"pickle_{number}"] = json.loads(json.dumps(loss.get_config()))
        values[f"equal_{number}"] = [True, False]
    (folder / "losses.json").write_text(json.dumps(saved))
    return values


@pytest.mark.parametrize("name", ["catalogue", "own", "string", "core", "function"])
def test_a_saved_model_comes_back(loaded, name):
    here, there = loaded
    assert there[name] == pytest.approx(here[name], rel=1e-6)


@pytest.mark.parametrize("name", losslab.names())
def test_a_function_is_not_taken_for_that_of_keras(name):
    function = getattr(losslab, name)
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(function)) is function


@pytest.mark.parametrize("number", range(len(SAVED)), ids=lambda number: repr(SAVED[number]))
def test_a_saved_loss_has_equal_values(loaded, number):
    here, there = loaded
    np.testing.assert_allclose(there[f"loss_{number}"], here[f"loss_{number}"], rtol=1e-5, atol=1e-7)
    assert there[f"pickle_{number}"] == here[f"pickle_{number}"]
    assert there[f"equal_{number}"] == here[f"equal_{number}"]


@pytest.mark.parametrize("core", LOSSES, ids=repr)
def test_config_keeps_everything(core):
    for dtype in (None, "float16", "float64"):
        loss = losslab.keras.wrap(core, dtype=dtype)
        config = json.loads(json.dumps(loss.get_config()))
        again = type(loss).from_config(config)
        assert again.core == core
        assert again == loss
        assert hash(again) == hash(loss)
        assert again.get_config() == loss.get_config()
        assert again.get_config()["dtype"] == dtype


def test_equal_losses_have_equal_parameters_and_dtypes():
    loss = losslab.keras.Huber(delta=2)
    assert loss == losslab.keras.wrap("huber:delta=2.0")
    others = Doubled(delta=2), losslab.keras.Huber(), losslab.keras.Huber(delta=2, dtype="float32"), losslab.Huber()
    assert all(loss != other for other in others)
    assert len({loss, losslab.keras.Huber(delta=2.0), *others}) == 5


def test_a_dtype_policy_is_kept_by_its_compute_dtype():
    loss = losslab.keras.Huber(dtype=keras.DTypePolicy("mixed_bfloat16"))
    assert type(loss).from_config(loss.get_config()).dtype == "bfloat16"


def test_a_subclass_of_ones_own_comes_out_of_a_pickle():
    again = pickle.loads(pickle.dumps(Doubled(delta=3.0)))
    assert type(again) is Doubled
    assert again.core.delta == 3.0


@keras.saving.register_keras_serializable("tests")
class Doubled(losslab.keras.Huber):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return 2 * super().__call__(y_true, y_pred, sample_weight)
