"""The machinery around a formula: what the properties of every loss cannot say, and the messages of bad input."""

import copy
from typing import Optional

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
        (lambda: losslab.sparse_categorical_crossentropy([0.0, 1, 1.9, 2], ROWS), ValueError, "class id 1.9 in y_true"),
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
        (lambda: losslab.Huber()(ROWS, ROWS, normalizer=[1, 2]), ValueError, "normalizer must be one number"),
        (lambda: losslab.Huber()(ROWS, ROWS, np.ones((4, 1, 1))), ValueError, "sample_weight has shape (4, 1, 1)"),
        (lambda: losslab.CosineSimilarity()(1.0, 1.0), ValueError, "its last axis must hold something"),
        (lambda: losslab.Huber()(ROWS[:, :0], ROWS[:, :0]), ValueError, "y_pred has shape (4, 0)"),
        (lambda: losslab.CategoricalFocalCrossentropy(alpha=[]), TypeError, "alpha must be a number >= 0 or a list"),
        (lambda: losslab.huber(ROWS, ROWS, delta=True), TypeError, "delta must be a number > 0, got True"),
        (lambda: losslab.huber(ROWS, ROWS, delta={}), TypeError, "delta must be a number > 0, got {}"),
        (lambda: losslab.Huber()(np.ma.array([1.0], mask=[True]), [1.0]), TypeError, "would lose its mask"),
        (
            lambda: losslab.categorical_crossentropy(np.array([0.0, 2.0, 1.0, 1.0]), ROWS),
            ValueError,
            "class ids given to a loss on one-hot labels",
        ),
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
        repr(losslab.Huber(delta=2, reduction=None, name="mine")) == "Huber(name='mine', reduction='none', delta=2.0)"
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


@pytest.mark.parametrize(
    ("spec", "labels", "predictions"),
    [
        ((None, 3), (1, 3), (4, 3)),
        ((None, None), (4, 1), (4, 3)),
        ((None, None), (4, 3), (4, 1)),
    ],
)
def test_unknown_lengths_do_not_broadcast(spec, labels, predictions):
    """What cannot be seen while tracing is checked when it runs."""
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    traced = tf.function(losslab.MeanSquaredError(), input_signature=[tf.TensorSpec(spec)] * 2)
    assert traced(tf.ones(predictions), tf.zeros(predictions)) == 1.0
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="mean_squared_error: the shapes of y_true and y_pred differ"
    ):
        traced(tf.ones(labels), tf.zeros(predictions))


def test_weights_of_an_unknown_length_do_not_broadcast():
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    spec = [tf.TensorSpec((None, 3)), tf.TensorSpec((None, 3)), tf.TensorSpec((None,))]
    traced = tf.function(lambda y, p, w: losslab.MeanSquaredError()(y, p, w), input_signature=spec)
    assert traced(tf.ones((4, 3)), tf.zeros((4, 3)), tf.ones(4)) == 1.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="sample_weight and the per-sample values differ"):
        traced(tf.ones((4, 3)), tf.zeros((4, 3)), tf.ones(1))


def test_ids_out_of_an_unknown_range_are_nan():
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    loss = losslab.SparseCategoricalCrossentropy(reduction="none")
    traced = tf.function(loss, input_signature=[tf.TensorSpec((None, 1), tf.int32), tf.TensorSpec((None, None))])
    assert np.isnan(traced(tf.constant([[7], [0]]), tf.fill((2, 3), 1 / 3)).numpy()).tolist() == [True, False]


def test_a_large_id_does_not_wrap_in_32_bits():
    jnp = pytest.importorskip("jax.numpy", reason="jax is not installed")
    with pytest.raises((TypeError, ValueError), match="class id"):
        losslab.sparse_categorical_crossentropy(np.array([2**32 + 1]), jnp.zeros((1, 3)))


def test_a_symbolic_batch_exports():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    export = pytest.importorskip("jax.export", reason="this jax has no export")
    batch = export.symbolic_shape("batch, 3")
    spec = jax.ShapeDtypeStruct(batch, "float32")
    exported = export.export(jax.jit(losslab.MeanSquaredError()))(spec, spec)
    assert float(exported.call(jax.numpy.ones((7, 3)), jax.numpy.zeros((7, 3)))) == 1.0


def test_padding_may_hold_anything(framework):
    """A masked sample's weight is as unknown as its label."""
    y, p, w = (framework.array(np.array(x)) for x in ([1.0, np.nan], [0.0, np.nan], [1.0, np.nan]))
    mask = framework.array(np.array([True, False]))
    assert framework.numpy(losslab.MeanSquaredError()(y, p, w, mask)) == 1.0


def test_the_weight_has_a_gradient(framework):
    """d(Σ w v / n) / dw = v / n; that of a weight of 0, which removes its sample, is 0."""
    if not framework.differentiates:
        pytest.skip(f"{framework.name} has no gradients")
    y, p, w = (framework.array(np.array(x)) for x in ([0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [1.0, 0.5, 0.0]))
    slope = framework.gradient(lambda w: losslab.MeanSquaredError()(y, p, w), w)
    np.testing.assert_allclose(slope, [1 / 3, 4 / 3, 0.0])


@pytest.mark.parametrize("size", [9e37, 3e38])
def test_cosine_of_huge_vectors(size, framework):
    """(1, 2) against (1, 1): 3 / sqrt(10), at any length; float32 ends at 3.4e38."""
    p = framework.array(np.array([[size, size]], "float32"))
    y = [[1.0, 2.0]]
    np.testing.assert_allclose(framework.numpy(losslab.cosine_similarity(y, p)), [-3 / np.sqrt(10)], rtol=1e-6)
    if framework.differentiates:
        assert np.isfinite(framework.gradient(lambda p: losslab.CosineSimilarity()(y, p), p)).all()


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(4.0)[::-1],
        np.arange(4.0).astype(">f8"),
        np.arange(4, dtype=np.longdouble),
        np.arange(8.0)[::2],
        range(4),
        np.asfortranarray(np.arange(4.0)),
    ],
    ids=["reversed", "big-endian", "long double", "strided", "range", "fortran"],
)
def test_numpy_memory_of_every_kind_joins(labels, framework):
    p = framework.array(np.zeros(4))
    expected = np.square(np.array(labels, "float64")).mean()
    assert framework.numpy(losslab.MeanSquaredError()(labels, p)) == expected


def test_torch_computes_in_float32_at_least():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16)
    try:
        value = losslab.MeanSquaredError()(torch.zeros(1), torch.tensor([300]))
    finally:
        torch.set_default_dtype(before)
    assert value.dtype == torch.float32
    assert value == 90000.0


def test_annotations_may_be_written_in_every_way():
    class Flexible(losslab.ElementLoss):
        scale: Optional[float] = losslab.param(None, gt=0)  # noqa: UP045
        ends: tuple[float, float] = losslab.param((0.0, 1.0))

    assert Flexible(scale=2).scale == 2.0
    assert Flexible(ends=[1, 2]).ends == (1.0, 2.0)
    with pytest.raises(TypeError, match="ends must be"):
        Flexible(ends=[1, 2, 3])


def test_a_parameter_that_changes_at_every_step_is_not_kept():
    for step in range(1, 600):
        assert losslab.huber([0.0], [1e9], delta=step) == pytest.approx(step * 1e9, rel=1e-6)


def test_bfloat16_numpy_arrays_are_numbers():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    value = losslab.MeanSquaredError()(np.zeros(2), np.ones(2, ml_dtypes.bfloat16))
    assert value == 1.0
    assert value.dtype == np.float32
