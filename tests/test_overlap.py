"""Losses on sets: what weights, masks and axes mean there."""

import numpy as np
import pytest

import losslab
from losslab.testing import Case, close

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
