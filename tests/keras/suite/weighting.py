"""Weights, masks, reductions and labels, on models of one output: they arrive where losslab's promises hold."""

import keras
import numpy as np
import pytest

import losslab
import losslab.keras

from .models import FEATURES, ROWS, inputs, labels, model_for, sequence_model, sequences, weights

SPARSE = losslab.SparseCategoricalCrossentropy()
ONE_HOT = losslab.CategoricalCrossentropy()
CLASS_WEIGHT = {0: 0.5, 1: 2.0, 2: 0.0}  # and 1 for all others


def predicted(model, x):
    return model.predict(x, batch_size=ROWS, verbose=0)


@pytest.mark.parametrize("loss", [SPARSE, ONE_HOT], ids=lambda loss: loss.name)
@pytest.mark.parametrize("column", [False, True], ids=["(N,)", "(N, 1)"])
def test_class_weight(loss, column):
    """The loss of the first batch is known before the model changes."""
    y = labels(loss)
    ids = y if y.ndim == 1 else y.argmax(-1)
    if column and y.ndim > 1:
        pytest.skip("one-hot labels have all their columns")
    model = model_for(loss)
    expected = loss(y, predicted(model, inputs()), sample_weight=[CLASS_WEIGHT.get(i, 1.0) for i in ids])
    y = y[:, None] if column else y
    history = model.fit(inputs(), y, class_weight=CLASS_WEIGHT, batch_size=ROWS, epochs=1, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum_over_batch_size", "mean_with_sample_weight", "sum", "none", None])
def test_reductions(reduction):
    """The formula of each, written out."""
    y, p, w = labels(losslab.MeanSquaredError()), np.random.default_rng(5).normal(size=(ROWS, 5)), weights(ROWS)
    values = ((y - p) ** 2).mean(-1) * w
    divisor = {"sum": 1.0, "mean_with_sample_weight": w.sum()}.get(reduction, ROWS)
    expected = values if reduction in ("none", None) else values.sum() / divisor
    loss = losslab.keras.MeanSquaredError(reduction=reduction)
    actual = keras.ops.convert_to_numpy(loss(y, p.astype("float32"), sample_weight=w))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum"])
def test_a_model_is_evaluated_under_every_reduction(reduction):
    loss = losslab.Huber(delta=0.3, reduction=reduction)
    model, y = model_for(loss), labels(loss)
    expected = loss(y, predicted(model, inputs()), sample_weight=weights(ROWS))
    actual = model.evaluate(inputs(), y, sample_weight=weights(ROWS), batch_size=ROWS, verbose=0)
    assert actual == pytest.approx(expected, rel=1e-5)


MASKED = [(losslab.MeanAbsoluteError(), None), (losslab.BinaryCrossentropy(), "sigmoid"), (SPARSE, "softmax")]


@pytest.mark.parametrize(("loss", "activation"), MASKED, ids=str)
@pytest.mark.parametrize("weight", [None, (ROWS,), (ROWS, 4)], ids=str)
def test_a_mask_removes_padding(loss, activation, weight):
    """Also NaN in it, which a mask that is multiplied with the values would let through."""
    x, mask = sequences()
    y = loss.targets.draw(np.random.default_rng(4), (ROWS, 4, 3))
    if y.dtype.kind == "f":
        y[~mask] = np.nan
    model = sequence_model(activation, losslab.keras.wrap(loss))
    w = None if weight is None else weights(*weight)
    expected = loss(y, predicted(model, x), sample_weight=w, mask=mask)
    assert model.evaluate(x, y, sample_weight=w, batch_size=ROWS, verbose=0) == pytest.approx(expected, rel=1e-5)
    history = model.fit(x, y, sample_weight=w, batch_size=ROWS, epochs=2, verbose=0).history["loss"]
    assert history[0] == pytest.approx(expected, rel=1e-5)
    assert history[1] < history[0]


def test_the_mask_of_an_embedding():
    words = np.array([[3, 1, 2, 0], [4, 0, 0, 0]])
    model = keras.Sequential([keras.layers.Embedding(5, 4, mask_zero=True), keras.layers.Dense(1)])
    model.compile(loss=losslab.keras.MeanAbsoluteError())
    y = np.array([[0.0, 1.0, 2.0, 9.0], [1.0, 9.0, 9.0, 9.0]])
    p = model.predict(words, verbose=0)[..., 0]
    expected = abs(y - p)[words != 0].mean()
    assert model.evaluate(words, y, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("column", [False, True], ids=["(N,)", "(N, 1)"])
def test_class_ids_stay_integers_in_mixed_precision(policy, column):
    """bfloat16 has no odd number above 256, float16 none above 2048: a cast id is another class."""
    classes = 2200
    loss = losslab.SparseCategoricalCrossentropy(from_logits=True)
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(classes, kernel_initializer="random_normal", dtype=policy)
    model = keras.Sequential([keras.Input((FEATURES,)), dense])
    model.compile(optimizer="sgd", loss=losslab.keras.wrap(loss))
    ids = np.array([257, 1001, 2051, 2199])
    logits = keras.ops.convert_to_numpy(keras.ops.cast(model(inputs()), "float32")).astype("float64")
    expected = (np.log(np.exp(logits).sum(-1)) - logits[np.arange(ROWS), ids]).mean()
    y = ids[:, None] if column else ids
    history = model.fit(inputs(), y, batch_size=ROWS, epochs=1, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_a_weight_for_each_output():
    """A dict of losses, of weights and of loss_weights."""
    x = keras.Input((FEATURES,))
    heads = {"a": keras.layers.Dense(1, name="a")(x), "b": keras.layers.Dense(5, "softmax", name="b")(x)}
    model = keras.Model(x, heads)
    losses = {"a": losslab.keras.MeanSquaredError(), "b": losslab.keras.wrap(SPARSE)}
    model.compile(loss=losses, loss_weights={"a": 1.0, "b": 0.5})
    y = {"a": inputs()[:, 0], "b": labels(SPARSE)}
    w = {"a": weights(ROWS), "b": weights(ROWS)[::-1]}
    p = predicted(model, inputs())
    a, b = losslab.MeanSquaredError()(y["a"], p["a"], w["a"]), SPARSE(y["b"], p["b"], w["b"])
    result = model.evaluate(inputs(), y, sample_weight=w, batch_size=ROWS, return_dict=True, verbose=0)
    assert result["a_loss"] == pytest.approx(a, rel=1e-5)
    assert result["b_loss"] == pytest.approx(b, rel=1e-5)
    assert result["loss"] == pytest.approx(a + 0.5 * b, rel=1e-5)


def test_wrong_labels_are_refused_by_fit():
    model = model_for(losslab.MeanSquaredError())
    with pytest.raises(ValueError, match="class ids given to a loss on one-hot labels"):
        model.fit(inputs(), labels(SPARSE)[:, None], verbose=0)


PRECISION = {"float64": 1e-12, "float32": 1e-6, None: 1e-6}


@pytest.mark.parametrize("dtype", [None, "float16", "bfloat16", "mixed_float16", "float32", "float64"])
def test_dtype(dtype):
    if dtype == "float64" and keras.config.backend() == "jax":
        pytest.skip("JAX has no float64 unless it is asked for it")
    loss = losslab.keras.MeanSquaredError(dtype=dtype)
    value = loss([[0.0, 0.0]], np.array([[1.0, 2.001]], "float32"))
    assert keras.backend.standardize_dtype(value.dtype) == (dtype or "float32").removeprefix("mixed_")
    value = float(keras.ops.convert_to_numpy(keras.ops.cast(value, "float64" if dtype == "float64" else "float32")))
    assert value == pytest.approx((1 + np.float32(2.001).astype("float64") ** 2) / 2, rel=PRECISION.get(dtype, 1e-2))


def test_half_precision_is_that_of_the_result_only():
    """In float16 the prediction would be 1 and the loss 16."""
    loss = losslab.keras.BinaryCrossentropy(dtype="float16")
    value = loss(np.array([[0.0]], "float32"), np.array([[0.9999]], "float32"))
    assert float(keras.ops.convert_to_numpy(value)) == pytest.approx(-np.log(1e-4), rel=1e-3)


def test_double_precision_stays():
    if keras.config.backend() == "jax":
        pytest.skip("JAX has no float64 unless it is asked for it")
    value = losslab.keras.MeanSquaredError()(np.array([[0.0]]), np.array([[1.0 + 1e-12]]))
    assert float(keras.ops.convert_to_numpy(value)) > 1.0
