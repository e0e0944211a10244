"""Objective: a loss plus penalties, over every kind of tree. Expected numbers are Keras' or worked out by hand."""

import collections
import dataclasses
import json
import pickle

import jax
import keras
import numpy as np
import pytest

import losslab
from losslab.container import LossContainer
from losslab.objective import Objective
from losslab.regularizers import L1, L2
from losslab.testing import close

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
RNG = np.random.default_rng(0)
Y_TRUE, Y_PRED = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 2))
MSE = float(((Y_TRUE - Y_PRED) ** 2).mean())
KERNEL, BIAS, ACTIVITY = RNG.normal(size=(3, 2)), RNG.normal(size=2), RNG.normal(size=(4, 5))

Layer = collections.namedtuple("Layer", "kernel bias")


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Node:
    kernel: object
    bias: object


# Kinds of tree, each with the arrays that (kernel, bias) become: their paths are dense/kernel and dense/bias
TREES = {
    "nested dict": lambda kernel, bias: {"dense": {"kernel": kernel, "bias": bias}},
    "flat dict": lambda kernel, bias: {"dense.kernel": kernel, "dense/bias": bias},
    "namedtuple": lambda kernel, bias: {"dense": Layer(kernel, bias), "unused": None},
    "pytree of JAX": lambda kernel, bias: {"dense": Node(kernel, bias)},
}


@pytest.fixture(params=TREES)
def params(request, framework, dtype):
    return TREES[request.param](framework.array(KERNEL.astype(dtype)), framework.array(BIAS.astype(dtype)))


@pytest.mark.parametrize(
    ("penalties", "parts"),
    [
        ({}, {}),
        ({"dense/kernel": L2(0.5)}, {"dense/kernel": 0.5 * (KERNEL**2).sum()}),
        ({"dense.bias": "l1:l1=0.3"}, {"dense/bias": 0.3 * np.abs(BIAS).sum()}),
        (
            {"*": L1(0.1), "*/kernel": L2(0.5)},
            {
                "dense/kernel": 0.1 * np.abs(KERNEL).sum() + 0.5 * (KERNEL**2).sum(),
                "dense/bias": 0.1 * np.abs(BIAS).sum(),
            },
        ),
        ({"d*e/k*l": lambda w: (w * w)[0, 0]}, {"dense/kernel": KERNEL[0, 0] ** 2}),
    ],
    ids=["none", "exact", "dotted", "two meet", "a function"],
)
def test_total_and_parts(penalties, parts, params, framework, dtype):
    objective = Objective("mse", penalties)
    y_true, y_pred = (framework.array(y.astype(dtype)) for y in (Y_TRUE, Y_PRED))
    value, given = objective.with_parts(y_true, y_pred, params)
    expected = {"loss": MSE, **parts}
    assert set(given) == set(expected)
    for name in expected:
        close(framework.numpy(given[name]), np.float64(expected[name]), TOLERANCE[dtype], name)
    close(framework.numpy(value), np.float64(sum(expected.values())), TOLERANCE[dtype], "the total")
    assert framework.dtype(value) == dtype
    assert framework.numpy(objective(y_true, y_pred, params)) == framework.numpy(value)


def test_weights_and_masks_reach_the_loss():
    weight, mask = np.array([1.0, 2.0, 0.0, 1.0]), np.array([True, True, True, False])
    container = LossContainer({"a": "mse", "b": "mae"}, {"b": 0.5})
    data = [{"a": y, "b": y} for y in (Y_TRUE, Y_PRED)]
    objective = Objective(container, {"w": L1(1.0)})
    value, parts = objective.with_parts(*data, {"w": np.array([-2.0])}, sample_weight=weight, mask=mask)
    assert parts["loss"] == container(*data, sample_weight=weight, mask=mask) != container(*data)
    assert value == parts["loss"] + 2.0


def test_compiled_gradient(framework, dtype):
    """Of the penalty: 2 l2 w."""
    if not framework.differentiates:
        pytest.skip(f"{framework.name} has no gradients")
    objective = Objective("mse", {"*/kernel": L2(0.5)}, L1(0.1))
    y_true, y_pred, bias, h = (framework.array(x.astype(dtype)) for x in (Y_TRUE, Y_PRED, BIAS, ACTIVITY))

    def value(kernel):
        return objective(y_true, y_pred, {"dense": {"kernel": kernel, "bias": bias}}, activities=h)

    gradient = framework.gradient(framework.compiled(value), framework.array(KERNEL.astype(dtype)))
    close(gradient, KERNEL.astype(dtype).astype("float64"), TOLERANCE[dtype], "gradient")


# Activations


def keras_activity(regularizer, activity):
    layer = keras.layers.Activation("linear", activity_regularizer=regularizer)
    layer(activity.astype("float32"))
    return float(layer.losses[0])


def test_activity_is_keras(framework, dtype):
    expected = keras_activity(keras.regularizers.L2(0.3), ACTIVITY)
    y_true, y_pred, h = (framework.array(x.astype(dtype)) for x in (Y_TRUE, Y_PRED, ACTIVITY))
    _, parts = Objective("mse", activity=L2(0.3)).with_parts(y_true, y_pred, activities=h)
    assert float(framework.numpy(parts["activity"])) == pytest.approx(expected, rel=1e-6)
    value, parts = Objective("mse", activity={"hidden/*": "l2:l2=0.3"}).with_parts(
        y_true, y_pred, activities={"hidden": [h, h], "other": h}
    )
    assert set(parts) == {"loss", "activity/hidden/0", "activity/hidden/1"}
    assert float(framework.numpy(value)) == pytest.approx(MSE + 2 * expected, rel=1e-6)


def test_activity_of_a_batch_of_unknown_size():
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    objective = Objective("mse", activity=L2(0.3))
    spec = tf.TensorSpec((None, 5), tf.float32)
    traced = tf.function(lambda h: objective(h, h, activities=h), input_signature=[spec])
    assert float(traced(ACTIVITY.astype("float32"))) == pytest.approx(0.3 * (ACTIVITY**2).sum() / 4, rel=1e-6)


def test_activities_in_a_list_of_numbers():
    assert Objective("mse", activity=L2(0.5))([[1.0], [1.0]], [[1.0], [1.0]], activities=[[2.0], [4.0]]) == 5.0


def test_activity_of_an_empty_batch():
    objective = Objective("mse", activity=L2(0.3))
    assert objective(np.ones((0, 1)), np.ones((0, 1)), activities=np.ones((0, 5))) == 0.0


# Models


def test_a_torch_module():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    module = torch.nn.Sequential(collections.OrderedDict(dense=torch.nn.Linear(3, 2), out=torch.nn.Linear(2, 2)))
    objective = Objective("mse", {"dense/weight": L2(0.5), "*.bias": L1(0.1)})
    x, y = torch.ones(4, 3), torch.ones(4, 2)
    value, parts = objective.with_parts(y, module(x), module)
    assert set(parts) == {"loss", "dense/weight", "dense/bias", "out/bias"}
    assert parts["dense/weight"].item() == pytest.approx(0.5 * (module.dense.weight**2).sum().item(), rel=1e-6)
    value.backward()
    assert module.dense.weight.grad is not None
    torch.compiler.reset()
    compiled = torch.compile(lambda: objective(y, module(x), module), fullgraph=True, backend="aot_eager")
    assert compiled().item() == pytest.approx(value.item(), rel=1e-6)


def test_a_keras_model_gives_keras_own_loss():
    first = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.5), name="dense")
    last = keras.layers.Dense(2, bias_regularizer=keras.regularizers.L1(0.1), name="out")
    model = keras.Sequential([first, last])
    model.build((None, 3))
    model.compile(loss="mse")
    last.bias.assign(BIAS)
    x = RNG.normal(size=(4, 3)).astype("float32")
    y_true, y_pred = Y_TRUE.astype("float32"), model.predict(x, verbose=0)
    objective = Objective("mse", {"dense/kernel": L2(0.5), "out/bias": "l1:l1=0.1"})
    assert float(objective(y_true, y_pred, model)) == pytest.approx(model.evaluate(x, y_true, verbose=0), rel=1e-6)
    by_path = {variable.path: variable.value for variable in model.trainable_variables}
    objective = Objective("mse", {"*/dense/kernel": L2(0.5), "*/bias": "l1:l1=0.1"})
    assert float(objective(y_true, y_pred, by_path)) == pytest.approx(model.evaluate(x, y_true, verbose=0), rel=1e-6)


def test_two_models_in_one_tree():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tree = {"generator": torch.nn.Linear(2, 2), "critics": [torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)]}
    _, parts = Objective("mse", {"critics/*/weight": "l2", "generator.bias": "l2"}).with_parts(
        torch.ones(1, 1), torch.ones(1, 1), tree
    )
    assert set(parts) == {"loss", "critics/0/weight", "critics/1/weight", "generator/bias"}


# What is refused


TREE = {"dense": {"kernel": KERNEL, "bias": BIAS}}


@pytest.mark.parametrize(
    ("penalties", "tree", "message"),
    [
        ({"dense/kernal": "l2"}, TREE, r"nothing has the path 'dense/kernal': the nearest are 'dense/kernel'"),
        ({"*/weight": "l2"}, TREE, r"'\*/weight'.*'dense/"),
        ({"dense": "l2"}, TREE, "'dense'"),
        ({"kernel": "l2"}, TREE, "'kernel'"),  # a path is that of the whole tree
        ({"d*n": "l2"}, TREE, r"'d\*n'"),
        ({"dense/kernel": "l2"}, None, r"penalties on 'dense/kernel' but no params to look at"),
        ({"dense/kernel": "l2"}, {}, "no params to look at"),
        ({"a/b": "l2"}, {"a/b": BIAS, "a.b": BIAS}, "two parameters have the path 'a/b'"),
    ],
)
def test_refused(penalties, tree, message):
    with pytest.raises(ValueError, match=message):
        Objective("mse", penalties)(Y_TRUE, Y_PRED, tree)


def test_what_is_no_tree():
    with pytest.raises(TypeError, match="Objective is no tree of arrays: give a dict"):
        Objective("mse", {"dense/kernel": "l2"})(Y_TRUE, Y_PRED, Objective("mse"))


def test_activities_that_are_not_given():
    with pytest.raises(ValueError, match="no activities to look at: give activities="):
        Objective("mse", activity=L2())(Y_TRUE, Y_PRED)


def test_unknown_names_are_refused_at_once():
    with pytest.raises(losslab.UnknownNameError, match="unknown regularizer 'l22': did you mean 'l2'"):
        Objective("mse", {"dense/kernel": "l22"})


@pytest.mark.parametrize(
    ("penalties", "activity", "message"),
    [
        ("l2", None, r"path -> regularizer is needed, got 'l2': say where, such as \{'\*kernel': 'l2'\}"),
        (L2(0.5), None, r"got L2\(l2=0.5\): say where"),
        ({"k": None}, None, "None for the path 'k' is no regularizer: leave the path out"),
        (None, {"h": None}, "None for the path 'h' is no regularizer"),
        ({0: "l2"}, None, "a path is a text such as 'dense/kernel', got 0"),
    ],
)
def test_penalties_are_a_dict_of_paths(penalties, activity, message):
    with pytest.raises(TypeError, match=message):
        Objective("mse", penalties, activity)


def test_l1_l2_by_name_adds_something():
    assert Objective("mse", {"kernel": "l1_l2"})([[1.0]], [[1.0]], {"kernel": np.array([2.0])}) == pytest.approx(0.06)


# The object


def test_its_dicts_are_immutable_too():
    objective = Objective({"a": "mse"}, {"*/kernel": "l2"}, L1(0.5))
    for held in (objective.penalties, objective.activity, objective.loss.loss):
        with pytest.raises(TypeError, match="belongs to an immutable object"):
            held["a"] = "l1"


def test_another_one_with_one_thing_changed():
    objective = Objective({"a": "mse"}, {"*/kernel": "l2"})
    changed = objective.replace(activity="l1")
    assert changed == Objective({"a": "mse"}, {"*/kernel": "l2"}, "l1")


def test_it_is_an_immutable_value():
    objective = Objective({"a": "mse", "b": "huber:delta=2"}, {"*/kernel": "l2"}, {"h": L1(0.5)})
    names = {**vars(losslab), "LossContainer": LossContainer, "Objective": Objective, "L1": L1, "L2": L2}
    copies = [
        Objective.from_config(json.loads(json.dumps(objective.get_config()))),
        pickle.loads(pickle.dumps(objective)),
        eval(repr(objective), names),
    ]
    for copy in copies:
        assert copy == objective
        assert hash(copy) == hash(objective)
    assert objective != Objective({"a": "mse", "b": "huber:delta=2"}, {"*/kernel": "l1"}, {"h": L1(0.5)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective.loss = "mse"


def test_a_function_has_no_config():
    with pytest.raises(TypeError, match="get_config"):
        Objective("mse", {"w": abs}).get_config()
