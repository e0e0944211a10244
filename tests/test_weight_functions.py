"""Properties of every regularizer and constraint, on every framework and in every dtype."""

import dataclasses
import json
import pickle

import numpy as np
import pytest

from losslab import constraints, regularizers
from losslab.testing import close

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}

REGULARIZERS = [
    regularizers.L1(),
    regularizers.L1(0.3),
    regularizers.L2(),
    regularizers.L2(0.3),
    regularizers.L1L2(),
    regularizers.L1L2(l1=0.2, l2=0.3),
    regularizers.OrthogonalRegularizer(),
    regularizers.OrthogonalRegularizer(factor=0.5, mode="columns"),
]
CONSTRAINTS = [
    constraints.MaxNorm(),
    constraints.MaxNorm(0.5, axis=1),
    constraints.MaxNorm(0.5, axis=(0, 1)),
    constraints.NonNeg(),
    constraints.UnitNorm(),
    constraints.UnitNorm(axis=-1),
    constraints.MinMaxNorm(),
    constraints.MinMaxNorm(min_value=0.5, max_value=1.5, rate=0.3, axis=1),
]

# Values where a formula may have no slope, or overflow
EDGES = [
    np.zeros((3, 2)),
    np.array([[0.0, 0.0], [1.0, -1.0], [0.0, 0.0]]),
    np.array([[1.0, 2.0], [-1.0, -2.0], [1.0, 2.0]]),
    np.full((3, 2), 1e-30),
    np.full((3, 2), -1e15),
    np.array([[1.0, -3.0]]),
    np.array([[1.0], [-3.0]]),
]


@pytest.fixture(params=REGULARIZERS + CONSTRAINTS, ids=repr)
def function(request):
    return request.param


def weights(dtype, shape=(4, 3)):
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def scalar(function):
    """A regularizer itself; of a constraint the sum of absolute values."""
    return function if isinstance(function, regularizers.Regularizer) else lambda x: regularizers.L1(1.0)(function(x))


def slope(function, x, step=1e-6):
    """The central difference on NumPy in float64."""
    result = np.empty_like(x)
    for index in np.ndindex(x.shape):
        change = np.zeros_like(x)
        change[index] = step
        result[index] = (function(x + change) - function(x - change)) / (2 * step)
    return result


def only_with_gradients(framework):
    if not framework.differentiates:
        pytest.skip(f"{framework.name} has no gradients")


def test_frameworks_agree(function, framework, dtype):
    x = weights(dtype)
    before = x.copy()
    result = function(framework.array(x))
    assert framework.dtype(result) == dtype
    close(framework.numpy(result), function(x.astype("float64")), TOLERANCE[dtype], repr(function))
    assert np.array_equal(x, before)


def test_half_precision_is_computed_in_float32(function, framework):
    for half in framework.half:
        x = framework.cast(framework.array(weights("float32")), half)
        result, expected = function(x), function(framework.cast(x, "float32"))
        if isinstance(function, constraints.Constraint):
            expected = framework.cast(expected, half)  # weights stay what they are
        assert framework.dtype(result) == framework.dtype(expected)
        assert np.array_equal(
            framework.numpy(framework.cast(result, "float32")), framework.numpy(framework.cast(expected, "float32"))
        )


def test_the_gradient_is_the_slope(function, framework, dtype):
    only_with_gradients(framework)
    x = weights(dtype)
    gradient = framework.gradient(scalar(function), framework.array(x))
    expected = slope(scalar(function), x.astype("float64"))
    assert np.abs(gradient - expected).max() < max(1e-8, 2 * TOLERANCE[dtype]) * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("edge", EDGES, ids=[f"edge{number}" for number in range(len(EDGES))])
def test_values_and_gradients_are_finite(function, framework, dtype, edge):
    x = framework.array(edge.astype(dtype))
    assert np.isfinite(framework.numpy(function(x))).all()
    if framework.differentiates:
        assert np.isfinite(framework.gradient(scalar(function), x)).all()


# As with losses, other parameters than the default ones are compiled in one dtype
COMPILED = [(each, "float32") for each in REGULARIZERS + CONSTRAINTS]
COMPILED += [(each, "float64") for each, _ in COMPILED if each == type(each)()]


@pytest.mark.parametrize(("function", "dtype"), COMPILED, ids=repr)
@pytest.mark.parametrize("framework", ["torch", "jax", "tensorflow"], indirect=True)
def test_compiled_is_eager(function, framework, dtype):
    x = framework.array(weights(dtype))
    compiled = framework.compiled(function)
    close(framework.numpy(compiled(x)), framework.numpy(function(x)), TOLERANCE[dtype], repr(function))
    gradient = framework.gradient(scalar(compiled if isinstance(function, regularizers.Regularizer) else function), x)
    close(gradient, framework.gradient(scalar(function), x), TOLERANCE[dtype], repr(function))


def test_mapped_is_one_by_one(function, framework, dtype):
    mapped = framework.mapped(function)
    if mapped is None:
        pytest.skip(f"{framework.name} has no vmap")
    x = weights(dtype, (2, 4, 3))
    expected = np.stack([function(each) for each in x])
    close(framework.numpy(mapped(framework.array(x))), expected, TOLERANCE[dtype], repr(function))


def test_it_is_an_immutable_value(function):
    cls, registry = type(function), regularizers if isinstance(function, regularizers.Regularizer) else constraints
    copies = [
        cls.from_config(json.loads(json.dumps(function.get_config()))),
        registry.deserialize(json.loads(json.dumps(registry.serialize(function)))),
        pickle.loads(pickle.dumps(function)),
        eval(repr(function), {cls.__name__: cls}),
    ]
    for copy in copies:
        assert copy == function
        assert hash(copy) == hash(function)
        assert np.array_equal(copy(weights("float64")), function(weights("float64")))
    with pytest.raises(dataclasses.FrozenInstanceError):
        function.factor = 2.0


def test_parameters_are_checked(function):
    for field in dataclasses.fields(function):
        for wrong in (object(), float("nan"), -1.5, "nonsense"):
            with pytest.raises((TypeError, ValueError), match=field.name):
                type(function)(**{field.name: wrong})


def test_it_says_where_it_comes_from(function):
    assert type(function).source


def test_no_numbers_are_refused(function):
    with pytest.raises(TypeError):
        function(np.array(["a"]))
    with pytest.raises(TypeError):
        function(object())
