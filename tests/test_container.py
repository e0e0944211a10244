"""LossContainer: the losses of many outputs. Expected numbers are Keras' (CompileLoss) or worked out by hand."""

import dataclasses
import json
import pickle

import jax
import numpy as np
import pytest
from keras.src.trainers.compile_utils import CompileLoss

import losslab
import losslab.keras
from losslab.container import LossContainer
from losslab.testing import close

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
RNG = np.random.default_rng(0)
A, B = (RNG.normal(size=(4, 2)), RNG.normal(size=(4, 2))), (RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)))
WEIGHT = np.array([0.0, 1.0, 2.0, 0.5])
MASK = np.array([True, False, True, True])


def mse(pair, weight=1.0):
    """Keras' default: the sum over the samples, divided by their number."""
    true, pred = pair
    return float((((true - pred) ** 2).mean(-1) * weight).mean())


def mae(pair, weight=1.0):
    true, pred = pair
    return float((np.abs(true - pred).mean(-1) * weight).mean())


def squared(y_true, y_pred):
    return (y_true - y_pred) ** 2


def placed(framework, dtype, structure):
    """The structure with its NumPy arrays as those of the framework."""
    if isinstance(structure, dict):
        return {key: placed(framework, dtype, inner) for key, inner in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)(placed(framework, dtype, inner) for inner in structure)
    if not isinstance(structure, np.ndarray):
        return structure
    return framework.array(structure.astype(dtype) if structure.dtype.kind == "f" else structure)


DICT = ({"a": A[0], "b": B[0]}, {"a": A[1], "b": B[1]})
LIST = ([A[0], B[0]], [A[1], B[1]])
DEEP = ({"head": [A[0], {"x": B[0]}], "a": A[0]}, {"head": [A[1], {"x": B[1]}], "a": A[1]})

# Arguments of the container -> labels and predictions, further arguments, the total, the parts
CASES = {
    "one output": (("mse",), A, {}, mse(A), {"mean_squared_error": mse(A)}),
    "one output by a function": ((squared,), A, {}, mse(A), {"squared": mse(A)}),
    "one output, weighed": (("mse", 3), A, {}, 3 * mse(A), {"mean_squared_error": mse(A)}),
    "several losses on one output": (
        (["mse", losslab.MeanAbsoluteError()], [1, 0.5]),
        A,
        {},
        mse(A) + 0.5 * mae(A),
        {"mean_squared_error": mse(A), "mean_absolute_error": mae(A)},
    ),
    "the same loss twice": (
        (["mse", "mse"],),
        A,
        {},
        2 * mse(A),
        {"mean_squared_error": mse(A), "mean_squared_error_2": mse(A)},
    ),
    "one loss for a dict": (("mse",), DICT, {}, mse(A) + mse(B), {"a": mse(A), "b": mse(B)}),
    "one loss for a list": (("mse", [1, 2]), LIST, {}, mse(A) + 2 * mse(B), {"0": mse(A), "1": mse(B)}),
    "one loss, weights by name": (("mse", {"b": 2}), DICT, {}, mse(A) + 2 * mse(B), {"a": mse(A), "b": mse(B)}),
    "a dict": (({"b": "mae", "a": "mse"},), DICT, {}, mse(A) + mae(B), {"a": mse(A), "b": mae(B)}),
    "a list": ((["mse", "mae"], (0.5, 3)), LIST, {}, 0.5 * mse(A) + 3 * mae(B), {"0": mse(A), "1": mae(B)}),
    "a tuple of outputs": ((["mse", "mae"],), tuple(map(tuple, LIST)), {}, mse(A) + mae(B), {"0": mse(A), "1": mae(B)}),
    "several losses on one of two outputs": (
        ({"a": ["mse", "mae"], "b": "mae"}, {"a": [1, 2], "b": 3}),
        DICT,
        {},
        mse(A) + 2 * mae(A) + 3 * mae(B),
        {"a/mean_squared_error": mse(A), "a/mean_absolute_error": mae(A), "b": mae(B)},
    ),
    "deep": (
        ({"head": ["mse", {"x": ["mae", "mse"]}], "a": "mae"}, {"head": [1, 2]}),
        DEEP,
        {},
        mse(A) + 2 * mae(B) + 2 * mse(B) + mae(A),
        {"head/0": mse(A), "head/1/x/mean_absolute_error": mae(B), "head/1/x/mean_squared_error": mse(B), "a": mae(A)},
    ),
    "one loss for a branch": (
        ({"head": "mse", "a": None},),
        DEEP,
        {},
        mse(A) + mse(B),
        {"head/0": mse(A), "head/1/x": mse(B)},
    ),
    "None in a list": ((["mse", None],), ([A[0], None], LIST[1]), {}, mse(A), {"0": mse(A)}),
    "None in a dict": (({"a": "mse", "b": None},), ({"a": A[0]}, DICT[1]), {}, mse(A), {"a": mse(A)}),
    "a weight of 0": (("mse", {"a": 0}), DICT, {}, mse(B), {"a": mse(A), "b": mse(B)}),
    "sample weights for all": (
        ({"a": "mse", "b": "mae"},),
        DICT,
        {"sample_weight": WEIGHT},
        mse(A, WEIGHT) + mae(B, WEIGHT),
        {"a": mse(A, WEIGHT), "b": mae(B, WEIGHT)},
    ),
    "sample weights for one": (
        ({"a": "mse", "b": squared}, {"b": 0.5}),
        DICT,
        {"sample_weight": {"b": WEIGHT}},
        mse(A) + 0.5 * mse(B, WEIGHT),
        {"a": mse(A), "b": mse(B, WEIGHT)},
    ),
    "sample weights in a list": (
        ("mse",),
        LIST,
        {"sample_weight": [None, WEIGHT]},
        mse(A) + mse(B, WEIGHT),
        {"0": mse(A), "1": mse(B, WEIGHT)},
    ),
    "a mask for one, weights for all": (
        ("mse",),
        DICT,
        {"sample_weight": WEIGHT, "mask": {"a": MASK}},
        mse((A[0][MASK], A[1][MASK]), WEIGHT[MASK]) + mse(B, WEIGHT),
        {"a": mse((A[0][MASK], A[1][MASK]), WEIGHT[MASK]), "b": mse(B, WEIGHT)},
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_total_and_parts(case, framework, dtype):
    arguments, data, options, expected, parts = case
    container = LossContainer(*arguments)
    y_true, y_pred, options = (placed(framework, dtype, each) for each in (*data, options))
    value, given = container.with_parts(y_true, y_pred, **options)
    assert framework.dtype(value) == dtype
    close(framework.numpy(value), np.float64(expected), TOLERANCE[dtype], repr(container))
    assert list(given) == list(parts)
    for name in parts:
        close(framework.numpy(given[name]), np.float64(parts[name]), TOLERANCE[dtype], name)
    assert framework.numpy(container(y_true, y_pred, **options)) == framework.numpy(value)


# What is compiled is the structure, whatever it holds: one dtype
@pytest.mark.parametrize("dtype", ["float32"])
@pytest.mark.parametrize("framework", ["torch", "jax", "tensorflow"], indirect=True)
def test_compiled_is_eager(case, framework, dtype):
    arguments, data, options, expected, parts = case
    y_true, y_pred, options = (placed(framework, dtype, each) for each in (*data, options))
    compiled = framework.compiled(LossContainer(*arguments).with_parts)
    value, given = compiled(y_true, y_pred, **options)
    close(framework.numpy(value), np.float64(expected), TOLERANCE[dtype], "compiled")
    assert {name: float(framework.numpy(each)) for name, each in given.items()} == pytest.approx(parts, rel=1e-5)


def test_gradients(framework, dtype):
    """Of the weighted sum: 0.5 * 2 (p - t) / size for each."""
    if not framework.differentiates:
        pytest.skip(f"{framework.name} has no gradients")
    y_true, y_pred = (placed(framework, dtype, each) for each in DICT)
    container = LossContainer("mse", {"a": 0.5, "b": 0})
    gradient = framework.gradient(lambda x: container(y_true, {**y_pred, "a": x}), y_pred["a"])
    close(gradient, (A[1] - A[0]).astype(dtype) / A[0].size, 4 * TOLERANCE[dtype], "gradient")


def test_a_weight_of_0_removes_a_loss_that_is_nan():
    assert LossContainer(["mse", "mae"], [1, 0])([[1.0], [2.0]], np.array([[1.0], [3.0]])) == 0.5
    value, parts = LossContainer("mse", [1, 0]).with_parts([[[1.0]], A[0]], [np.array([[3.0]]), A[1] * np.nan])
    assert value == 4.0
    assert np.isnan(parts["1"])


def test_outputs_of_two_widths(framework):
    wide = placed(framework, "float64", A[1])
    narrow = placed(framework, "float32", B[1])
    value = LossContainer("mse")([A[0], B[0]], [wide, narrow])
    assert framework.dtype(value) == "float64"


@pytest.mark.parametrize(
    ("name", "loss", "weights"),
    [
        ("one output", "mse", None),
        ("one loss for a list", ["mse", "mse"], [1.0, 2.0]),  # with one loss Keras takes no weights
        ("a dict", {"a": "mse", "b": "mae"}, None),
        ("a list", ["mse", "mae"], [0.5, 3.0]),
        ("several losses on one of two outputs", {"a": ["mse", "mae"], "b": "mae"}, {"a": [1.0, 2.0], "b": 3.0}),
        ("None in a dict", {"a": "mse"}, None),
        ("sample weights for all", {"a": "mse", "b": "mae"}, None),
    ],
)
def test_keras_gives_the_same_total(name, loss, weights):
    arguments, data, options, _, _ = CASES[name]
    with jax.enable_x64(True):
        arrays = jax.tree.map(jax.numpy.asarray, [*data, options.get("sample_weight")])
        expected = CompileLoss(loss, weights)(*arrays)
        assert float(LossContainer(*arguments)(*arrays)) == pytest.approx(float(expected), rel=1e-6)


# What is refused


@pytest.mark.parametrize(
    ("arguments", "data", "message"),
    [
        ((["mse", "mae"],), DICT, r"loss is a list, but the outputs are a dict \('a', 'b'\).*give loss as a dict"),
        (({"a": "mse"},), LIST, r"loss is a dict, but the outputs are a list of 2.*give loss as a list"),
        (({"a": "mse"},), DICT, r"no loss for 'b': give one, or None"),
        (({"a": "mse", "bb": "mae"},), DICT, r"loss names 'bb', which is no output: did you mean 'b'"),
        ((["mse"],), LIST, r"loss has 1 entries, but 2 are needed; several losses on one output"),
        ((["mse", "mae", "mse"],), LIST, r"loss has 3 entries, but 2 are needed"),
        (({"a": "mse", "b": "mse"},), A, r"a dict of losses \('a', 'b'\), but the output is one array"),
        (("mse", {"c": 2}), DICT, r"loss_weights names 'c', which is no output"),
        (("mse", [1, 2]), DICT, r"loss_weights is a list, but the outputs are a dict"),
        (("mse", [1, 2]), A, r"several loss_weights for one loss"),
        ((["mse", "mae"], [1]), LIST, r"loss_weights has 1 entries, but 2 are needed"),
        (("mse",), (A[0], DICT[1]), r"y_true is one array, but the outputs are 'a', 'b'"),
        (("mse",), (DICT[0], A[1]), r"y_true has 'a', 'b' inside, but the output is one array"),
        (("mse",), ({"a": A[0]}, DICT[1]), r"output 'b': no label in y_true: give one, or the loss None"),
        (("mse",), ({**DICT[0], "c": A[0]}, DICT[1]), r"y_true names 'c', which is no output"),
        (("mse",), (LIST[0], DICT[1]), r"y_true is a list, but the outputs are a dict"),
        (("mse",), ([A[0]], LIST[1]), r"y_true has 1 entries, but 2 are needed"),
        ((None,), A, r"nothing to train"),
        (("mse", 0), A, r"nothing to train"),
        (({"head": ["mse", {"y": "mse"}], "a": None},), DEEP, r"output 'head/1': loss names 'y'"),
        (({"a": losslab.MeanSquaredError(reduction="none"), "b": "mse"},), DICT, r"output 'a'.*shape \(4,\)"),
        (
            (["mse", "scce"],),
            ([[1.0, 2.0], [0, 1]], [[1.0, 3.0], [[0.2, 0.8], [0.3, 0.7]]]),
            r"y_pred is a list of 2 lists for 2 losses, which is one output or 2: give np.asarray\(y_pred\)",
        ),
        (
            ({"a": ["mse", "mae"]},),
            ({"a": [[1.0], [2.0]]}, {"a": ([1.0], [3.0])}),
            r"output 'a': y_pred is a list of 2",
        ),
    ],
)
def test_refused(arguments, data, message):
    with pytest.raises(ValueError, match=message):
        LossContainer(*arguments)(*data)


@pytest.mark.parametrize("weight", ["1", float("nan"), True, np.ones(2)])
def test_weights_are_numbers(weight):
    with pytest.raises(TypeError, match="finite number"):
        LossContainer("mse", weight)


def test_an_unknown_name_names_the_output():
    container = LossContainer({"a": "mse", "b": {"c": "meen_squared_error"}})
    data = {"a": A[0], "b": {"c": B[0]}}
    with pytest.raises(losslab.UnknownLossError, match=r"output 'b/c': unknown loss.*'mean_squared_error'") as caught:
        container(data, data)
    assert "mean_squared_error" in caught.value.suggestions


def test_what_a_loss_refuses_names_the_output():
    with pytest.raises(ValueError, match="y_true has shape") as caught:
        LossContainer("mse")({"a": A[0], "b": B[0]}, {"a": A[1], "b": A[1]})
    assert caught.value.__notes__ == ["in the loss of the output 'b'"]


def test_what_a_loss_refuses_about_the_only_output_names_none():
    with pytest.raises(ValueError, match="y_true has shape") as caught:
        LossContainer("mse")(A[0], B[1])
    assert not getattr(caught.value, "__notes__", [])


def test_lists_of_numbers_that_are_one_output():
    assert LossContainer(["mse", "mae"])([1.0, 2.0], [1.0, 4.0]) == 2.0 + 1.0
    assert LossContainer(["mse", "mae"])([[1.0], [2.0], [3.0]], [[1.0], [2.0], [6.0]]) == 3.0 + 1.0


def test_a_function_of_the_catalogue_is_its_loss():
    assert LossContainer(losslab.huber).loss == losslab.Huber()
    assert LossContainer({"a": losslab.ctc}).loss["a"] == losslab.CTC()
    ids = np.array([0, 1, 0, 1])
    assert LossContainer(losslab.circle)(ids, A[0]) == LossContainer("circle")(ids, A[0])


def test_a_loss_of_losslab_keras_is_unwrapped():
    huber = losslab.keras.Huber(delta=2.0)
    assert LossContainer({"a": huber, "b": ["mse", huber]}) == LossContainer(
        {"a": "huber:delta=2", "b": ["mse", "huber:delta=2"]}
    )


def test_a_loss_of_yours_that_holds_another_is_not():
    class Doubled(losslab.Loss):
        def __init__(self, core):
            self.core = core

        def call(self, y_true, y_pred):
            return 2 * self.core.per_sample(y_true, y_pred)

    class Tripled:
        core = losslab.MeanSquaredError()

        def __call__(self, y_true, y_pred):
            return 3 * self.core.per_sample(y_true, y_pred)

    assert LossContainer(Doubled(losslab.MeanSquaredError()))(*A) == pytest.approx(2 * mse(A))
    assert LossContainer(Tripled())(*A) == pytest.approx(3 * mse(A))


def test_a_name_registered_later_is_found():
    container = LossContainer({"a": "registered_later"})
    losslab.register(squared, name="registered_later")
    assert container({"a": A[0]}, {"a": A[1]}) == pytest.approx(mse(A))


def test_bad_parameters_are_refused_at_once():
    with pytest.raises(ValueError, match="delta must be a number > 0"):
        LossContainer({"a": "huber:delta=-1"})


# The object


@pytest.mark.parametrize(
    "name", [name for name in CASES if "function" not in name and name != "sample weights for one"]
)
def test_it_is_an_immutable_value(name):
    arguments, data, options, expected, _ = CASES[name]
    container = LossContainer(*arguments)
    copies = [
        LossContainer.from_config(json.loads(json.dumps(container.get_config()))),
        pickle.loads(pickle.dumps(container)),
        eval(repr(container), {**vars(losslab), "LossContainer": LossContainer}),
        LossContainer(*arguments),
    ]
    for copy in copies:
        assert copy == container
        assert hash(copy) == hash(container)
        assert copy(*data, **options) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(dataclasses.FrozenInstanceError):
        container.loss = "mse"


def test_the_structure_is_its_own():
    given = {"a": "mse", "b": "mse"}
    container = LossContainer(given)
    given["a"] = "mae"
    assert container.loss["a"] == losslab.MeanSquaredError()


CHANGES = {
    "item": lambda held: held.__setitem__("a", "mae"),
    "del": lambda held: held.__delitem__("a"),
    "|=": lambda held: held.__ior__({"a": "mae"}),
    "update": lambda held: held.update(a="mae"),
    "setdefault": lambda held: held.setdefault("c", "mae"),
    "pop": lambda held: held.pop("a"),
    "popitem": lambda held: held.popitem(),
    "clear": lambda held: held.clear(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_its_dicts_are_immutable_too(change):
    container = LossContainer({"a": "mse", "b": {"a": "mae"}}, {"a": 2})
    same = LossContainer({"a": "mse", "b": {"a": "mae"}}, {"a": 2})
    for held in (container.loss, container.loss["b"], container.loss_weights):
        with pytest.raises(TypeError, match="belongs to an immutable object"):
            CHANGES[change](held)
    assert container == same


def test_its_config_is_plain():
    config = LossContainer({"a": ["mse"]}, {"a": 2}).get_config()
    config["loss"]["a"][0]["config"]["reduction"] = "sum"
    config["loss_weights"]["a"] = 3
    assert LossContainer.from_config(config) == LossContainer({"a": ["mse:reduction=sum"]}, {"a": 3})


def test_an_unregistered_function_has_no_config():
    with pytest.raises(ValueError, match="squared is not registered"):
        LossContainer({"a": squared}).get_config()


def test_a_registered_function_has_one():
    losslab.register(squared)
    container = LossContainer({"a": [squared, None], "b": "not_there_yet"})
    assert LossContainer.from_config(json.loads(json.dumps(container.get_config()))) == container


def test_a_list_of_numbers_is_an_array():
    assert LossContainer("mse")([[1.0], [2.0]], [[1.0], [4.0]], sample_weight=[1.0, 0.5]) == 1.0
