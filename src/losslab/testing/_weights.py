"""Properties of weights and masks: alignment, removal, nothing left."""

import numpy as np

from ._case import TOLERANCE, Case, close
from ._frameworks import Values


def weight_one_changes_nothing(case: Case) -> None:
    """A weight of 1 in every legal shape gives the unweighted value."""
    y, p = case.draw()
    shape = case.value_shape(p) if case.samples_are_independent else p.shape[:1]
    expected = case.value(y, p)
    for weight in (1.0, np.ones(shape[:1]), np.ones((shape[0], 1)), np.ones(shape)):
        value = case.value(y, p, sample_weight=weight)
        close(value, expected, TOLERANCE[case.dtype], f"{case}, weight of shape {np.shape(weight)}")


def weights_align_with_the_leading_axis(case: Case) -> None:
    """On values of shape (N, T) a weight (N,) belongs to the samples, also where N = T; other shapes are refused."""
    case.only(case.is_rowwise, "its values belong to no rows of a sequence")
    case.only(case.axis == -1, "its axis is not the last")
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
    rest = mean.reference.value(y[keep], p[keep])
    # a weight of 0 stays in the count where a sample has a value of its own
    counted = 3 / 4 if case.samples_are_independent else 1
    weighted = mean.value(broken_y, broken_p, sample_weight=keep.astype(float))
    close(weighted, rest * counted, TOLERANCE[case.dtype], f"{case}, weight 0")
    close(mean.value(broken_y, broken_p, mask=keep), rest, TOLERANCE[case.dtype], f"{case}, mask")
    for options in ({"sample_weight": keep.astype(float)}, {"mask": keep}):
        _no_gradient(mean, broken_y, broken_p, ~keep, options)


def ignored_class_leaves_no_trace(case: Case) -> None:
    """ignore_class removes its samples, whatever their predictions and wherever the id lies."""
    case.only("ignore_class" in case.loss.get_config(), "it ignores no class")
    case.only(case.loss.targets.name != "binary", "its labels belong to elements")
    y, p = case.draw()
    keep = np.array([True, False, True, True])
    for ignored in (-1, 255) if case.takes_ids else (1,):
        own = case.changed(ignore_class=ignored, reduction="mean")
        labels, broken = y.copy(), p.copy()
        if not case.takes_ids:
            labels = case.moved(np.broadcast_to(_one(case, 0), case.shape())).copy()
        labels[1] = ignored if case.takes_ids else case.moved(np.broadcast_to(_one(case, 1), case.shape()))[1]
        broken[1] = np.nan
        rest = own.reference.value(labels[keep], p[keep])
        close(own.value(labels, broken), rest, TOLERANCE[case.dtype], f"{own}")
        if own.samples_are_independent:
            assert not own.per_sample(labels, broken)[1].any(), f"{own}: an ignored sample has a value"
        _no_gradient(own, labels, broken, ~keep, {})


def ignored_labels_leave_their_row(case: Case) -> None:
    """An ignored binary label leaves the mean over its row; a row of nothing else leaves the count."""
    case.only("ignore_class" in case.loss.get_config(), "it ignores no class")
    case.only(case.loss.targets.name == "binary", "its labels belong to rows")
    case.only(case.axis == -1, "its axis is not the last")
    y, p = case.draw()
    own = case.changed(ignore_class=-1, reduction="mean")
    labels, broken = y.copy(), p.copy()
    labels[1], broken[1] = -1, np.nan
    labels[2, 1:], broken[2, 1:] = -1, np.nan
    values = [
        case.reference.per_sample(y[i : i + 1, :n], p[i : i + 1, :n])[0] for i, n in ((0, None), (2, 1), (3, None))
    ]
    close(own.value(labels, broken), np.array(np.mean(values)), TOLERANCE[case.dtype], f"{own}")
    close(own.per_sample(labels, broken)[[0, 2, 3]], np.array(values), TOLERANCE[case.dtype], f"{own}, per sample")
    _no_gradient(own, labels, broken, labels == -1, {})


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


def _one(case: Case, column: int) -> Values:
    row: Values = np.eye(case.columns)[column]
    return row


def _sequence(case: Case) -> tuple[Values, Values]:
    rng = np.random.default_rng(3)
    shape = (3, 3, case.columns)
    return case.rounded(case.usable(case.loss.targets.draw(rng, shape))), case.rounded(
        case.loss.outputs.draw(rng, shape)
    )


def _broken(case: Case, y: Values, p: Values, where: Values) -> tuple[Values, Values]:
    y, p = y.copy(), p.copy()
    y[where] = -7 if y.dtype.kind == "i" else np.nan
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
    ignored_labels_leave_their_row,
    nothing_left_is_zero,
)
