"""Regularizers: Keras' values, names and parameters. What they share with constraints is in test_weight_functions."""

import inspect

import jax
import keras
import numpy as np
import pytest

import losslab
from losslab import regularizers

RNG = np.random.default_rng(0)
WEIGHTS = [
    RNG.normal(size=(4, 3)),
    RNG.normal(size=(3, 4)),
    np.array([[1.0, 2.0], [-1.0, -2.0]]),  # opposite rows: the absolute value of the cosine counts
    np.array([[0.0, 0.0], [1.0, 1.0]]),
]
PARAMETERS = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.3, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
]
KERAS_NAMES = {
    "l1": ["L1"],
    "l2": ["L2"],
    "l1_l2": ["L1L2", "l1l2"],
    "orthogonal_regularizer": ["OrthogonalRegularizer", "orthogonal"],
}


@pytest.mark.parametrize("weights", WEIGHTS, ids=lambda x: str(x.tolist())[:12])
@pytest.mark.parametrize(("name", "parameters"), PARAMETERS)
def test_keras_values(name, parameters, weights):
    with jax.enable_x64(True):
        expected = np.asarray(getattr(keras.regularizers, name)(**parameters)(jax.numpy.asarray(weights)))
    actual = getattr(regularizers, name)(**parameters)(weights)
    assert actual == pytest.approx(float(expected), rel=1e-12, abs=1e-300)


def test_by_hand():
    assert regularizers.L1(0.5)([[1.0, -3.0]]) == 2.0
    assert regularizers.L2(0.5)([[1.0, -3.0]]) == 5.0
    assert regularizers.L1L2(0.5, 0.25)([[1.0, -3.0]]) == 4.5
    assert regularizers.OrthogonalRegularizer(2.0)([[1.0, 0.0], [0.0, 5.0]]) == 0.0
    assert regularizers.OrthogonalRegularizer(2.0)([[3.0, 4.0], [4.0, 3.0]]) == pytest.approx(2 * 24 / 25)


def test_the_gradient_of_l1_at_0_is_0(framework, dtype):
    if not framework.differentiates:
        pytest.skip(f"{framework.name} has no gradients")
    gradient = framework.gradient(regularizers.L1(0.5), framework.array(np.array([0.0, 2.0, -2.0], dtype)))
    assert gradient.tolist() == [0.0, 0.5, -0.5]


def test_a_rate_of_0_is_no_penalty_even_where_the_square_overflows():
    assert regularizers.L1L2(l1=0.0, l2=0.0)(np.array([1e30], "float32")) == 0.0


def test_rows_of_an_unknown_number():
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    regularizer = regularizers.OrthogonalRegularizer(0.3)
    traced = tf.function(regularizer, input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    x = RNG.normal(size=(4, 3)).astype("float32")
    assert float(traced(x)) == pytest.approx(float(regularizer(x)), rel=1e-6)


@pytest.mark.parametrize("rank", [1, 3])
def test_orthogonality_needs_a_matrix(rank):
    with pytest.raises(ValueError, match=r"shape \(2,.*rank 2"):
        regularizers.OrthogonalRegularizer()(np.ones((2,) * rank))


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_names(name):
    regularizer = regularizers.get(name)
    for alias in [*KERAS_NAMES[name], f"losslab>{type(regularizer).__name__}"]:
        assert regularizers.get(alias) == regularizer
    assert set(KERAS_NAMES[name]) <= set(regularizers.aliases_of(name))
    assert regularizers.names() == sorted(KERAS_NAMES)


def test_every_public_name_of_keras_exists_and_takes_the_same():
    for name, theirs in inspect.getmembers(keras.regularizers, inspect.isclass):
        ours = getattr(regularizers, name)
        if name == "Regularizer":
            continue
        taken, expected = (list(inspect.signature(cls).parameters.values()) for cls in (ours, theirs))
        assert [(each.name, each.default) for each in taken] == [(each.name, each.default) for each in expected]


def test_parameters_by_position_and_by_name():
    assert regularizers.l2(0.5) == regularizers.L2(l2=0.5) == regularizers.get("l2:l2=0.5")
    assert regularizers.l1_l2(0.1, 0.2) == regularizers.get("l1l2:l1=0.1:l2=0.2")
    assert regularizers.get(regularizers.L1) == regularizers.L1()
    assert regularizers.get(regularizers.L1L2) == regularizers.L1L2()
    assert regularizers.get("l1_l2:l1=0.1") == regularizers.L1L2(l1=0.1)
    assert regularizers.get(regularizers.serialize(regularizers.L1L2())) == regularizers.L1L2()
    assert regularizers.get(None) is None
    with pytest.raises(TypeError):
        regularizers.L1(0.1, 0.2)


@pytest.mark.parametrize("name", ["l1_l2", "l1l2", "L1L2", " l1_l2 "])
def test_the_bare_name_of_l1_l2_is_a_penalty(name):
    """0.01 each, as the docstring of keras.regularizers.L1L2 has it."""
    assert regularizers.get(name)([[2.0]]) == pytest.approx(0.01 * 2 + 0.01 * 4)


def test_typos():
    with pytest.raises(losslab.UnknownNameError, match=r"unknown regularizer 'l1_l3': did you mean 'l1_l2'"):
        regularizers.get("l1_l3")
    with pytest.raises(losslab.UnknownNameError, match="'orthogonal_regularizer'"):
        regularizers.get("ortogonal_regularizer")
    with pytest.raises(TypeError, match="did you mean 'factor'"):
        regularizers.get("orthogonal:facto=1")


def test_one_of_your_own(framework, dtype):
    @regularizers.register
    class Quartic(regularizers.Regularizer):
        factor: float = losslab.param(0.5, ge=0)

        def formula(self, ops, x):
            return self.factor * ops.sum(ops.square(ops.square(x)), axis=None)

    regularizer = regularizers.get("quartic:factor=2")
    assert regularizer == Quartic(2.0)
    assert regularizers.deserialize(regularizers.serialize(regularizer)) == regularizer
    assert framework.numpy(regularizer(framework.array(np.array([1.0, 2.0], dtype)))) == 34.0


def test_one_without_a_formula_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="define formula"):
        regularizers.Regularizer()([1.0])
