"""The machinery around a formula: what the properties of every loss cannot say, and the messages of bad input."""

import copy

import numpy as np
import pytest

import losslab

ROWS = np.full((4, 3), 1 / 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: losslab.mean_squared_error(np.zeros((128, 1), int), np.zeros((128, 10))),
            ValueError,
            "y_true has shape (128, 1) and y_pred (128, 10): class ids given to a loss on one-hot labels: "
            "use sparse_categorical_crossentropy, or losslab.one_hot(y_true, 10)",
        ),
        (
            lambda: losslab.sparse_categorical_crossentropy(np.eye(3)[[0, 1, 2, 0]], ROWS),
            ValueError,
            "one-hot labels given to a loss on class ids",
        ),
        (
            lambda: losslab.sparse_categorical_crossentropy([0, 1, 5, 2], ROWS),
            ValueError,
            "class id 5 in y_true is out of range for 3 classes",
        ),
        (lambda: losslab.sparse_categorical_crossentropy([0.0, 1, 2, 2], ROWS), TypeError, "must be integers"),
        (lambda: losslab.kl_divergence(np.zeros((4, 3)), np.zeros((3, 3))), ValueError, "(4, 3) and y_pred (3, 3)"),
        (
            lambda: losslab.Huber()(ROWS, ROWS, sample_weight=[1, 2, 3]),
            ValueError,
            "sample_weight has shape (3,) but the per-sample values have shape (4,): give a scalar, (4,), (4, 1)",
        ),
        (lambda: losslab.Huber()(ROWS, ROWS, mask=[True]), ValueError, "mask has shape (1,)"),
        (
            lambda: losslab.Huber(reduction="none")(ROWS, ROWS, normalizer=3),
            ValueError,
            "normalizer= needs a reduction",
        ),
        (lambda: losslab.Huber(reduction="avg"), ValueError, "must be one of 'sum_over_batch_size'"),
        (lambda: losslab.Huber(delta="2"), ValueError, "delta must be a number > 0, got '2'"),
        (lambda: losslab.Huber(delta=[2.0]), TypeError, "delta must be a number > 0, got [2.0]"),
        (lambda: losslab.BinaryCrossentropy(from_logits=1), TypeError, "from_logits must be True or False, got 1"),
        (lambda: losslab.BinaryCrossentropy(label_smoothing=2), ValueError, "a number >= 0 and <= 1, got 2"),
        (lambda: losslab.CategoricalFocalCrossentropy(alpha=[1, -1]), ValueError, "a list of numbers >= 0"),
        (
            lambda: losslab.categorical_focal_crossentropy(ROWS, ROWS, alpha=[1.0, 2.0]),
            ValueError,
            "alpha has 2 weights, but y_pred has 3 classes",
        ),
        (lambda: losslab.CosineSimilarity(axis=2)(ROWS, ROWS), ValueError, "axis 2 is out of range"),
        (
            lambda: losslab.huber(ROWS, ROWS, detla=1.0),
            TypeError,
            "huber() has no parameter 'detla': did you mean 'delta'",
        ),
        (lambda: losslab.huber(ROWS, ROWS, reduction="sum"), TypeError, "use the class: Huber("),
        (lambda: losslab.huber(["a"], [1.0]), TypeError, "holds no real numbers"),
        (lambda: losslab.one_hot([0, 3], 3), ValueError, "ids go from 0 to 3, out of range for 3 classes"),
        (lambda: losslab.one_hot([0.5], 3), TypeError, "one_hot needs integer class ids"),
    ],
)
def test_bad_input_is_explained_in_one_line(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weight_zero_stays_in_the_count_and_a_mask_does_not():
    """Keras' numbers: 3.0 / 2 with the weight, 3.0 / 1 with the mask."""
    y, p = np.zeros((2, 1)), np.array([[3.0], [5.0]])
    mae = losslab.MeanAbsoluteError()
    assert mae(y, p, sample_weight=[1, 0]) == 1.5
    assert mae(y, p, mask=[True, False]) == 3.0
    assert losslab.MeanAbsoluteError(reduction="mean_with_sample_weight")(y, p, sample_weight=[1, 0]) == 3.0


def test_normalizer_makes_accumulation_exact():
    """Two micro-batches of unequal size over the whole batch's size sum to the whole batch's mean."""
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, 10, 3))
    loss = losslab.MeanSquaredError()
    parts = loss(y[:7], p[:7], normalizer=10) + loss(y[7:], p[7:], normalizer=10)
    np.testing.assert_allclose(parts, loss(y, p), rtol=1e-14)


def test_class_ids_and_one_hot_labels_give_one_number():
    rng = np.random.default_rng(0)
    z, ids = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    for logits in (True, False):
        p = z if logits else np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
        sparse = losslab.sparse_categorical_crossentropy(ids[:, None], p, from_logits=logits)
        assert np.array_equal(sparse, losslab.categorical_crossentropy(np.eye(4)[ids], p, from_logits=logits))


def test_kl_divergence_is_the_crossentropy_on_one_hot_labels():
    rng = np.random.default_rng(0)
    y = np.eye(4)[[0, 3, 2]]
    p = rng.dirichlet(np.ones(4), 3)
    p /= p.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(losslab.kl_divergence(y, p), losslab.categorical_crossentropy(y, p), rtol=1e-15)


def test_focal_without_focus_is_the_crossentropy():
    rng = np.random.default_rng(0)
    y, z = np.eye(4)[[0, 3, 2]], rng.normal(size=(3, 4)) * 10
    focal = losslab.categorical_focal_crossentropy(y, z, gamma=0, alpha=1, from_logits=True)
    np.testing.assert_allclose(focal, losslab.categorical_crossentropy(y, z, from_logits=True), rtol=1e-14)
    focal = losslab.binary_focal_crossentropy(y, z, gamma=0, from_logits=True)
    np.testing.assert_allclose(focal, losslab.binary_crossentropy(y, z, from_logits=True), rtol=1e-14)


@pytest.mark.parametrize(("y", "z"), [(1.0, 40.0), (0.0, -40.0)])
def test_focal_keeps_its_digits_on_easy_examples(y, z):
    """(1 - p)^0.5 · -log p at p = 1 - exp(-40) is exp(-60); 1 - sigmoid(40) in float64 is 0."""
    value = losslab.binary_focal_crossentropy([[y]], [[z]], gamma=0.5, from_logits=True)
    np.testing.assert_allclose(value, np.exp(-60.0), rtol=1e-12)


def test_objects_are_values():
    loss = losslab.Huber(delta=2)
    assert loss == losslab.Huber(delta=np.float32(2.0)) != losslab.Huber()
    assert copy.deepcopy(loss) == loss
    assert {loss, losslab.Huber(delta=2.0)} == {loss}
    assert repr(losslab.Huber()) == "Huber()"
    assert (
        repr(losslab.Huber(delta=2, reduction=None, name="mine")) == "Huber(reduction='none', name='mine', delta=2.0)"
    )
    assert losslab.Huber(reduction="mean") == losslab.Huber()
    focal = losslab.CategoricalFocalCrossentropy(alpha=np.array([1, 2]))
    assert focal.alpha == (1.0, 2.0)


def test_a_scalar_has_a_loss():
    assert losslab.MeanSquaredError()(1.0, 3.0) == 4.0
    assert losslab.mean_squared_error(1.0, 3.0) == 4.0


def test_a_loss_of_ones_own_says_what_is_wrong_with_it():
    class Scalar(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return ops.mean(ops.abs(y_pred - y_true))

    class Forgotten(losslab.RowLoss):
        pass

    with pytest.raises(
        ValueError, match=r"Scalar.formula returned shape \(4,\), but \(4, 3\) is one value per element"
    ):
        Scalar()(ROWS, ROWS)
    with pytest.raises(NotImplementedError, match="Forgotten declares no formula"):
        Forgotten()(ROWS, ROWS)


def test_an_unknown_batch_size_is_no_obstacle():
    """What Keras gives a loss while it builds: TensorFlow's placeholders with a batch dimension of None."""
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    loss = losslab.SparseCategoricalCrossentropy(ignore_class=1)
    spec = [tf.TensorSpec((None, 1), tf.int32), tf.TensorSpec((None, 3)), tf.TensorSpec((None,))]
    traced = tf.function(lambda y, p, w: loss(y, p, sample_weight=w), input_signature=spec)
    y, w = np.array([[0], [1], [2], [2]], "int32"), np.array([1, 1, 0.5, 2], "float32")
    np.testing.assert_allclose(traced(y, ROWS.astype("float32"), w), loss(y, ROWS, sample_weight=w), rtol=1e-6)


def test_bfloat16_numpy_arrays_are_numbers():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    value = losslab.MeanSquaredError()(np.zeros(2), np.ones(2, ml_dtypes.bfloat16))
    assert value == 1.0
    assert value.dtype == np.float32
