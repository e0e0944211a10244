"""Regularizers and constraints in layers: they train as Keras' own do, and come back from a file."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import losslab
import losslab.keras  # so that Keras knows the classes
from losslab import constraints, regularizers

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 3)).astype("float32"), RNG.normal(size=(8, 2)).astype("float32")

# Arguments of the first layer's, by names and parameters that Keras and losslab share
ARGUMENTS = {
    "l1": {"kernel_regularizer": ("L1", {"l1": 0.3})},
    "l2 on all": {
        "kernel_regularizer": ("L2", {"l2": 0.3}),
        "bias_regularizer": ("L2", {"l2": 0.1}),
        "activity_regularizer": ("L2", {"l2": 0.2}),
    },
    "l1_l2 and max_norm": {
        "kernel_regularizer": ("L1L2", {"l1": 0.001, "l2": 0.002}),
        "kernel_constraint": ("MaxNorm", {"max_value": 0.2, "axis": [0]}),
    },
    "orthogonal and unit_norm": {
        "kernel_regularizer": ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
        "kernel_constraint": ("UnitNorm", {"axis": 0}),
    },
    "non_neg and min_max_norm": {
        "kernel_constraint": ("NonNeg", {}),
        "bias_constraint": ("MinMaxNorm", {"min_value": 0.2, "max_value": 0.5, "rate": 0.7, "axis": 0}),
    },
}

LOAD = """
import json, pathlib, sys
import keras, numpy as np
import losslab.keras
folder = pathlib.Path(sys.argv[1])
x, y = (np.load(folder / "data.npz")[name] for name in "xy")
models = {path.stem: keras.saving.load_model(path) for path in folder.glob("*.keras")}
print(json.dumps({name: [m.layers[0].get_config(), m.evaluate(x, y, verbose=0)] for name, m in models.items()}))
"""


def made(arguments, theirs):
    """The arguments as objects, of Keras or of losslab."""
    modules = {
        "regularizer": keras.regularizers if theirs else regularizers,
        "constraint": keras.constraints if theirs else constraints,
    }
    return {
        argument: getattr(modules[argument.rpartition("_")[2]], name)(**parameters)
        for argument, (name, parameters) in arguments.items()
    }


def trained(arguments, theirs):
    """The model after three epochs, and its losses."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, **made(arguments, theirs)), keras.layers.Dense(2)]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    history = model.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0)
    return model, history.history["loss"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_training_is_that_of_keras(name):
    (ours, losses), (theirs, expected) = (trained(ARGUMENTS[name], theirs) for theirs in (False, True))
    assert losses == pytest.approx(expected, rel=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_constraint_holds_after_training():
    model, _ = trained(ARGUMENTS["l1_l2 and max_norm"], theirs=False)
    norms = np.linalg.norm(model.get_weights()[0], axis=0)
    assert norms.max() == pytest.approx(0.2, rel=1e-5)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Name -> (the model, the first layer's config and the loss of what a fresh process loads)."""
    folder = tmp_path_factory.mktemp("saved")
    models = {name: trained(arguments, theirs=False)[0] for name, arguments in ARGUMENTS.items()}
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    np.savez(folder / "data.npz", x=X, y=Y)
    done = subprocess.run([sys.executable, "-c", LOAD, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout.splitlines()[-1])
    return {name: (model, *there[name]) for name, model in models.items()}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_saved_model_comes_back_in_a_fresh_process(loaded, name):
    model, config, value = loaded[name]
    assert value == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)
    assert config == json.loads(json.dumps(model.layers[0].get_config()))
    for argument in ARGUMENTS[name]:
        assert config[argument]["registered_name"].startswith("losslab>")


@pytest.mark.parametrize(
    ("module", "base", "argument"),
    [
        (regularizers, regularizers.Regularizer, "kernel_regularizer"),
        (constraints, constraints.Constraint, "kernel_constraint"),
    ],
)
def test_one_of_ones_own_is_known_once_it_is_registered(module, base, argument):
    """A loss of the same name is another thing."""

    class Ones(base):
        def formula(self, ops, x):
            return ops.sum(x, axis=None)

    module.register(Ones)
    losslab.register(type("Ones", (losslab.MeanSquaredError,), {"__module__": __name__}))
    layer = keras.layers.Dense(2, **{argument: Ones()})
    saved = keras.saving.serialize_keras_object(layer)["config"][argument]
    assert type(keras.saving.deserialize_keras_object(saved)) is Ones


def test_a_copy_has_equal_functions():
    layer = keras.layers.Dense(4, **made(ARGUMENTS["l1_l2 and max_norm"], theirs=False))
    copy = keras.layers.Dense.from_config(layer.get_config())
    assert copy.kernel_regularizer == layer.kernel_regularizer == regularizers.L1L2(0.001, 0.002)
    assert copy.kernel_constraint == layer.kernel_constraint == constraints.MaxNorm(0.2, axis=[0])


def test_mixed_precision():
    regularizer = regularizers.L2(0.3)
    layer = keras.layers.Dense(4, kernel_regularizer=regularizer, activity_regularizer="l2", dtype="mixed_bfloat16")
    layer.activity_regularizer = regularizer
    layer(X)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    penalties = sorted(float(keras.ops.convert_to_numpy(loss)) for loss in layer.losses)
    assert len(penalties) == 2
    assert penalties == pytest.approx(sorted([0.3 * (kernel**2).sum(), 0.3 * ((X @ kernel) ** 2).sum() / 8]), rel=2e-2)
