"""Properties of weights and masks: alignment, removal, nothing left."""

import numpy as np

from ._case import TOLERANCE, Case, close
from ._frameworks import Values


def weight_one_changes_nothing(case: Case) -> None:
    """A weight of 1 in every legal shape gives the unweighted value."""
    y, p = case.draw()
    shape = case.per_sample(y, p).shape
    expected = case.value(y, p)
    for weight in (1.0, np.ones(shape[:1]), np.ones((shape[0], 1)), np.ones(shape)):
        value = case.value(y, p, sample_weight=weight)
        close(value, expected, TOLERANCE[case.dtype], f"{case}, weight of shape {np.shape(weight)}")


def weights_align_with_the_leading_axis(case: Case) -> None:
    """On values of shape (N, T) a weight (N,) belongs to the samples, also where N = T; other shapes are refused."""
    case.only(case.loss.axis == -1, "its axis is not the last")
    y, p = _sequence(case)
    case = case.changed(reduction="mean")
    values = case.reference.per_sample(y, p)
    weight = case.rounded(np.array([1.0, 2.0, 0.5]))
    expected = (values * weight[:, None]).mean()
    for given in (weight, weight[:, None], np.repeat(weight[:, None], 3, axis=1)):
        value = case.value(y, p, sample_weight=given)
        close(value, expected, TOLERANCE[case.dtype], f"{case}, weight of shape {given.shape}")
    for shape in ((1, 3), (2,), (9,), (3, 3, 2)):
        _refused(case, y, p, np.ones(shape))


def removed_samples_leave_no_trace(case: Case) -> None:
    """Weight 0 and mask=False: the value of the other samples, gradient 0, also where label and prediction are NaN."""
    y, p = case.draw()
    keep = np.array([True, False, True, True])
    broken_y, broken_p = _broken(case, y, p, ~keep)
    mean = case.changed(reduction="mean")
    rest = case.reference.per_sample(y, p)[keep]
    weighted = mean.value(broken_y, broken_p, sample_weight=keep.astype(float))
    close(weighted, rest.sum() / (rest.size / 3 * 4), TOLERANCE[case.dtype], f"{case}, weight 0")
    masked = mean.value(broken_y, broken_p, mask=keep)
    close(masked, rest.mean(), TOLERANCE[case.dtype], f"{case}, mask")
    for options in ({"sample_weight": keep.astype(float)}, {"mask": keep}):
        _no_gradient(mean, broken_y, broken_p, ~keep, options)


def ignored_class_leaves_no_trace(case: Case) -> None:
    """ignore_class removes its samples, whatever their predictions and wherever the id lies."""
    case.only(case.takes_ids and "ignore_class" in case.loss.get_config(), "it ignores no class")
    y, p = case.draw()
    for ignored in (-1, 255):
        own = case.changed(ignore_class=ignored, reduction="mean")
        labels, broken = y.copy(), p.copy()
        labels[1], broken[1] = ignored, np.nan
        keep = np.array([True, False, True, True])
        rest = case.reference.per_sample(y, p)[keep]
        close(own.value(labels, broken), rest.mean(), TOLERANCE[case.dtype], f"{own}")
        assert not own.per_sample(labels, broken)[1].any(), f"{own}: an ignored sample has a value"
        _no_gradient(own, labels, broken, ~keep, {})


def nothing_left_is_zero(case: Case) -> None:
    """All samples removed, or none given: 0, with gradient 0."""
    y, p = case.draw()
    none = np.zeros(len(p))
    for reduction in ("mean", "mean_with_sample_weight", "sum"):
        own = case.changed(reduction=reduction)
        for options in ({"sample_weight": none}, {"mask": none > 0}):
            value = own.value(y, p, **options)
            assert value == 0, f"{own}: {options} gave {value}"
            if own.framework.differentiates:
                assert not own.gradient(y, p, **options).any(), f"{own}: {options} has a gradient"
        assert own.value(y[:0], p[:0]) == 0, f"{own}: an empty batch gave {own.value(y[:0], p[:0])}"


def _sequence(case: Case) -> tuple[Values, Values]:
    rng = np.random.default_rng(3)
    shape = (3, 3, case.columns)
    return case.rounded(case.loss.targets.draw(rng, shape)), case.rounded(case.loss.outputs.draw(rng, shape))


def _broken(case: Case, y: Values, p: Values, where: Values) -> tuple[Values, Values]:
    y, p = y.copy(), p.copy()
    y[where] = -7 if case.takes_ids else np.nan
    p[where] = np.nan
    return y, p


def _no_gradient(case: Case, y: Values, p: Values, removed: Values, options: dict[str, Values]) -> None:
    if not case.framework.differentiates:
        return
    gradient = case.gradient(y, p, **options)
    assert np.isfinite(gradient).all(), f"{case}: removed NaN samples reach the gradient: {gradient}"
    assert not gradient[removed].any(), f"{case}: a removed sample has gradient {gradient[removed]}"


def _refused(case: Case, y: Values, p: Values, weight: Values) -> None:
    try:
        case.value(y, p, sample_weight=weight)
    except ValueError as error:
        message = str(error)
    else:
        raise AssertionError(f"{case}: a weight of shape {weight.shape} for values of shape (3, 3) was accepted")
    assert str(weight.shape) in message, f"{case}: the message lacks the shape {weight.shape}: {message}"


PROPERTIES = (
    weight_one_changes_nothing,
    weights_align_with_the_leading_axis,
    removed_samples_leave_no_trace,
    ignored_class_leaves_no_trace,
    nothing_left_is_zero,
)
