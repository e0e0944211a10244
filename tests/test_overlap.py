"""Losses on sets: what weights, masks and axes mean there."""

import numpy as np
import pytest

import losslab
from losslab._ops import ops_for
from losslab.testing import Case, close
from losslab.testing._case import total

RNG = np.random.default_rng(0)
Y = (RNG.random((3, 4, 5)) > 0.5).astype(float)
P = RNG.random((3, 4, 5)).round(3)
KEEP = RNG.random((3, 4, 5)) > 0.3
LOSSES = [losslab.Dice(), losslab.Tversky(alpha=0.3, beta=0.7), losslab.Dice(smooth=1.0)]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_masked_element_is_no_member(loss, framework, dtype):
    """A mask of elements gives the loss of the others, whatever stands behind it, and no gradient there."""
    case = Case(loss, framework, dtype)
    y, p = np.where(KEEP, Y, np.nan), np.where(KEEP, case.rounded(P), np.nan)
    expected = case.reference.value(Y[KEEP], case.rounded(P)[KEEP])
    padded = {"mask": KEEP, "sample_weight": np.where(KEEP, 1.0, np.nan)}
    for options in ({"mask": KEEP}, {"sample_weight": KEEP.astype(float)}, padded):
        close(case.value(y, p, **options), expected, 1e-6 if dtype == "float32" else 1e-12, f"{case}, {options}")
    if framework.differentiates:
        gradient = case.gradient(y, p, mask=KEEP)
        assert np.isfinite(gradient).all()
        assert not gradient[~KEEP].any()


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_an_element_of_weight_two_counts_as_two(loss):
    weight = RNG.integers(0, 4, Y.shape)
    repeated = [np.repeat(x.ravel(), weight.ravel()) for x in (Y, P)]
    assert loss(Y, P, sample_weight=weight) == pytest.approx(float(loss(*repeated)), rel=1e-12)


@pytest.mark.parametrize("cls", [losslab.Dice, losslab.Tversky])
def test_a_set_of_each_sample_has_a_weight(cls):
    """With the batch outside the set, (N,) belongs to the sets and (N, H) to the rows of elements inside."""
    values = cls(axis=(1, 2), reduction="none")(Y, P)
    assert values == pytest.approx([float(cls()(y, p)) for y, p in zip(Y, P, strict=True)], rel=1e-12)
    one = cls(axis=(1, 2))
    assert one(Y, P, sample_weight=[1, 0, 2]) == pytest.approx((values[0] + 2 * values[2]) / 3, rel=1e-12)
    assert one(Y, P, mask=[True, False, True]) == pytest.approx((values[0] + values[2]) / 2, rel=1e-12)
    rows = np.array([[1, 0, 1, 1]] * 3)
    inside = cls(axis=(1, 2))(Y[:, rows[0] > 0], P[:, rows[0] > 0])
    assert one(Y, P, sample_weight=rows) == pytest.approx(float(inside), rel=1e-12)


def test_a_set_with_nothing_left_is_not_counted():
    mask = np.ones(Y.shape, bool)
    mask[1] = False
    values = losslab.Dice(axis=(1, 2), reduction="none")(Y, P)
    assert losslab.Dice(axis=(1, 2))(Y, P, mask=mask) == pytest.approx((values[0] + values[2]) / 2, rel=1e-12)


def test_known_values():
    """Hand calculations: |A ∩ B| = 1, |A| = 2, |B| = 3."""
    y, p = [[1.0, 1.0, 0.0, 0.0, 0.0]], [[1.0, 0.0, 1.0, 1.0, 0.0]]
    assert losslab.dice(y, p) == pytest.approx(1 - 2 / 5)
    assert losslab.tversky(y, p) == pytest.approx(1 - 2 / 5)
    assert losslab.tversky(y, p, alpha=1.0, beta=1.0) == pytest.approx(1 - 1 / 4)  # Jaccard
    assert losslab.tversky(y, p, alpha=0.3, beta=0.0) == pytest.approx(1 - 1 / (1 + 0.3 * 2))
    assert losslab.dice([[0.0]], [[0.0]]) == 1
    assert losslab.dice([[0.0]], [[0.0]], smooth=1.0) == pytest.approx(0, abs=1e-6)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"dice: axis \(1, 3\) is out of range for y_pred with 3 axes"):
        losslab.dice(Y, P, axis=(1, 3))
    with pytest.raises(ValueError, match=r"sample_weight has shape \(2,\)"):
        losslab.Dice()(Y, P, sample_weight=[1.0, 2.0])

    class Wrong(losslab.SetLoss):
        def formula(self, ops, y_true, y_pred, total):
            return y_pred

    with pytest.raises(ValueError, match=r"Wrong.formula returned shape \(3, 4, 5\), but \(\) is one value per set"):
        Wrong()(Y, P)
    with pytest.raises(NotImplementedError, match="define formula"):
        losslab.SetLoss()(Y, P)


# Many classes from class ids

IDS = RNG.integers(0, 4, (3, 2, 5))
LOGITS = RNG.normal(size=(3, 4, 2, 5)).round(3)
SPARSE = [
    losslab.SparseCategoricalDice(from_logits=True, axis=1),
    losslab.SparseCategoricalDice(from_logits=True, axis=1, smooth=1.0, class_weight={0: 0.0, 2: 3.0}),
    losslab.SparseCategoricalDice(from_logits=True, axis=1, per_image=True),
]


def one_hot_dice(loss, ids, logits, weight=None):
    """The mean over the classes of the Dice loss of their one-hot masks, from the losses that this one replaces."""
    ops = ops_for(logits)
    p = ops.softmax(ops.moveaxis(logits, 1, -1))
    axes = tuple(range(1 if loss.per_image else 0, len(ids.shape)))
    dice = losslab.Dice(axis=axes, smooth=loss.smooth, reduction="none")
    rows = np.eye(4)[ids]
    weight = None if weight is None else np.broadcast_to(weight[..., None], rows.shape)
    numbers = loss.class_weight.for_classes(4) if loss.class_weight else (1.0,) * 4
    return ops.mean(dice(rows, p, sample_weight=weight) * ops.constant(numbers, like=p))


@pytest.mark.parametrize("loss", SPARSE, ids=repr)
def test_many_classes_are_the_mean_of_their_masks(loss, framework, dtype):
    """Value and gradient, with and without weights of pixels."""
    case = Case(loss.replace(reduction="none"), framework, dtype)
    logits = case.rounded(LOGITS)
    for weight in (None, case.rounded(RNG.integers(0, 3, IDS.shape) / 2)):
        options = {} if weight is None else {"sample_weight": weight}
        tolerance = {"float32": 1e-6, "float64": 1e-12}[dtype]
        close(case.value(IDS, logits, **options), one_hot_dice(loss, IDS, logits, weight), tolerance, f"{case}")
        if framework.differentiates:
            (x,) = case.arrays(logits)
            expected = framework.gradient(lambda x, w=weight: total(one_hot_dice(loss, IDS, x, w)), x)
            close(case.gradient(IDS, logits, **options), expected, 2 * tolerance, f"{case}, gradient")


@pytest.mark.parametrize("loss", SPARSE, ids=repr)
def test_a_removed_pixel_is_in_no_sum(loss, framework, dtype):
    """A mask, a weight of 0 and an ignored id: what stands there may be NaN, and has no gradient."""
    case = Case(loss, framework, dtype)
    keep = IDS != 3  # every image keeps some
    kept_logits = case.rounded(LOGITS)
    broken = np.where(keep[:, None], kept_logits, np.nan)
    weight = np.where(keep, 1.0, 0.0)
    rows = np.moveaxis(kept_logits, 1, -1)
    images = zip(IDS, rows, keep, strict=True) if loss.per_image else [(IDS, rows, keep)]
    alone = loss.replace(axis=-1, per_image=False)
    expected = np.mean([alone(ids[k], row[k]) for ids, row, k in images])
    ignoring = case.changed(ignore_class=3)
    for own, options in ((case, {"mask": keep}), (case, {"sample_weight": weight}), (ignoring, {})):
        close(own.value(IDS, broken, **options), expected, {"float32": 1e-6, "float64": 1e-12}[dtype], f"{own}")
        if framework.differentiates:
            gradient = own.gradient(IDS, broken, **options)
            assert np.isfinite(gradient).all()
            assert not np.moveaxis(gradient, 1, -1)[~keep].any()


def test_masks_weights_and_ignored_ids_remove_together():
    """A pixel counts where all three keep it, also where the mask belongs to images and the ids to pixels."""
    mask, weight = RNG.random(IDS.shape) > 0.3, (RNG.random(IDS.shape) > 0.3).astype(float)
    keep = mask & (weight > 0) & (IDS != 3)
    rows = np.moveaxis(LOGITS, 1, -1)
    loss = losslab.SparseCategoricalDice(from_logits=True, ignore_class=3)
    expected = float(loss(IDS[keep], rows[keep]))
    assert loss(IDS, rows, sample_weight=weight, mask=mask) == pytest.approx(expected, rel=1e-12)
    images = loss.replace(per_image=True)
    values = images.per_sample(IDS, rows)
    assert images(IDS, rows, mask=[True, False, True]) == pytest.approx(np.mean(values[[0, 2]]), rel=1e-12)
    assert images(IDS, rows, mask=mask) == pytest.approx(
        np.mean([float(loss(IDS[i][mask[i]], rows[i][mask[i]])) for i in range(3)]), rel=1e-12
    )


def test_a_pixel_of_weight_two_counts_as_two():
    weight = RNG.integers(0, 4, IDS.shape)
    rows = np.moveaxis(LOGITS, 1, -1)
    repeated = np.repeat(IDS.ravel(), weight.ravel()), np.repeat(rows.reshape(-1, 4), weight.ravel(), axis=0)
    loss = losslab.SparseCategoricalDice(from_logits=True)
    assert loss(IDS, rows, sample_weight=weight) == pytest.approx(float(loss(*repeated)), rel=1e-12)


def test_images_have_weights_of_their_own():
    loss = losslab.SparseCategoricalDice(from_logits=True, axis=1, per_image=True)
    values = loss.per_sample(IDS, LOGITS)
    whole = losslab.SparseCategoricalDice(from_logits=True, axis=0)
    assert values == pytest.approx([float(whole(*each)) for each in zip(IDS, LOGITS, strict=True)], rel=1e-12)
    assert loss(IDS, LOGITS, sample_weight=[1, 0, 2]) == pytest.approx((values[0] + 2 * values[2]) / 3, rel=1e-12)
    assert loss(IDS, LOGITS, mask=[True, False, True]) == pytest.approx((values[0] + values[2]) / 2, rel=1e-12)
    ignoring = loss.replace(ignore_class=3)
    ids = np.where(np.arange(3).reshape(3, 1, 1) == 1, 3, np.minimum(IDS, 2))  # an image of nothing else is not counted
    assert ignoring(ids, LOGITS) == pytest.approx(np.mean(ignoring.per_sample(ids, LOGITS)[[0, 2]]), rel=1e-12)


def test_a_class_without_pixels_costs_one_and_is_left_alone():
    """Half of each class's sums is shared: by hand, 1 - 2 (1/2) / (1 + 1/2) for the first, 1 for the others."""
    p = np.array([[0.5, 0.25, 0.25]])
    loss = losslab.SparseCategoricalDice()
    assert loss([0], p) == pytest.approx((1 - 1 / 1.5 + 1 + 1) / 3, abs=1e-7)
    smooth = losslab.SparseCategoricalDice(smooth=1.0)
    assert smooth([0], p) == pytest.approx((1 - 2 / 2.5 + 2 * (1 - 1 / 1.25)) / 3, abs=1e-7)
    case = Case(loss, losslab.testing.FRAMEWORKS["torch"], "float64")
    pytest.importorskip("torch", reason="torch is not installed")
    assert case.gradient(np.array([0]), p)[0, 1:].tolist() == [0, 0]
    assert (case.changed(smooth=1.0).gradient(np.array([0]), p)[0, 1:] > 0).all()


def test_three_sums_for_each_class_are_enough():
    """What a driver may rely on: of the pixels the loss knows Σ p_y and how many there are by label, and Σ p."""
    loss = losslab.SparseCategoricalDice(smooth=0.5, class_weight=[1.0, 2.0, 0.5, 1.0])
    ids, p = IDS.ravel(), RNG.dirichlet(np.ones(4), IDS.size)
    shared = np.bincount(ids, p[np.arange(ids.size), ids], minlength=4)
    value = loss.of_sums(ops_for(p), shared, np.bincount(ids, minlength=4), p.sum(axis=0))
    assert value == pytest.approx(float(loss(ids, p)), rel=1e-12)


def test_sizes_unknown_to_tensorflow():
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    for axis, loss in ((1, SPARSE[0]), (1, SPARSE[2]), (-1, losslab.SparseCategoricalDice(from_logits=True))):
        rows = np.moveaxis(LOGITS, 1, axis)
        spec = [tf.TensorSpec((None,) * 3, tf.int64), tf.TensorSpec((None,) * 4, tf.float64)]
        traced = tf.function(loss, input_signature=spec)
        assert float(traced(tf.constant(IDS), tf.constant(rows))) == pytest.approx(float(loss(IDS, rows)), rel=1e-12)
        assert float(traced(tf.constant(IDS[:0]), tf.constant(rows[:0]))) == 0


def test_what_does_not_fit_many_classes_is_said():
    loss = losslab.SparseCategoricalDice(from_logits=True, axis=1)
    with pytest.raises(ValueError, match="class id 4 in y_true is out of range for 4 classes"):
        loss(np.where(IDS == 0, 4, IDS), LOGITS)
    with pytest.raises(ValueError, match=r"y_true has shape \(3, 2, 4\) and y_pred \(3, 4, 2, 5\)"):
        loss(IDS[..., :4], LOGITS)
    with pytest.raises(ValueError, match=r"sample_weight has shape \(2,\)"):
        loss(IDS, LOGITS, sample_weight=[1.0, 2.0])
    with pytest.raises(ValueError, match="class_weight has 3 weights, but y_pred has 4 classes"):
        loss.replace(class_weight=[1.0, 2.0, 3.0])(IDS, LOGITS)
    with pytest.raises(ValueError, match=r"y_pred must be \(N, …, C\), pixels for each image, got an array of 2 axes"):
        losslab.SparseCategoricalDice(per_image=True)([0, 1], np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"y_pred must be \(N, …, C\), got an array of 1 axes"):
        losslab.SparseCategoricalDice()(0, np.zeros(3))
