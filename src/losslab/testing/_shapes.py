"""Properties of shapes and labels: alignment, refusal, class ids."""

import numpy as np

from .._formula_loss import ElementLoss
from ._case import TOLERANCE, Case, close
from ._frameworks import Values


def one_dimension_counts_elements(case: Case) -> None:
    """On (N,) the function form of an element loss is the mean, the class has N samples; (N, 1) gives the same."""
    case.only(isinstance(case.loss, ElementLoss), "its values belong to rows")
    case.only(case.axis == -1, "its axis is not the last")
    y, p = (x[:, 0] for x in case.draw())
    values = case.reference.per_sample(y[:, None], p[:, None])
    tolerance = TOLERANCE[case.dtype]
    close(case.per_sample(y, p), values.mean(), tolerance, f"{case}, function on (N,)")
    none = case.changed(reduction="none")
    for given in ((y, p), (y[:, None], p), (y, p[:, None]), (y[:, None], p[:, None])):
        shapes = f"{given[0].shape} and {given[1].shape}"
        close(none.value(*given), values, tolerance, f"{case}, {shapes}")
    mean = case.changed(reduction="mean")
    weight = np.array([1.0, 0.0, 3.0, 1.0])
    close(mean.value(y, p, sample_weight=weight), (values * weight).mean(), tolerance, f"{case}, weights on (N,)")


def broadcasting_is_refused(case: Case) -> None:
    """Every pair of shapes that would broadcast is refused, in a message that names both."""
    y, p = case.draw()
    pairs = [(y[:1], p), (y, p[:1]), (y[:-1], p)]
    if y.shape == p.shape and case.rank == 2:
        pairs += [(y[:, :1], p), (y[:, 0], p), (y[0], p), (y[:, 0], p[:, 0][None])]
    for labels, predictions in pairs:
        _refused(case, labels, predictions)


def one_hot_mistakes_are_named(case: Case) -> None:
    """Class ids for a loss on rows, and rows for a loss on ids, are refused with the fix."""
    case.only(case.rank == 2, "its predictions are not (N, C)")
    _, p = case.draw()
    ids = np.arange(len(p)) % case.columns
    if case.takes_ids:
        message = _refused(case, np.eye(case.columns)[ids], p)
        assert "argmax" in message, f"{case}: the message names no fix: {message}"
        return
    for labels in (ids, ids[:, None]):
        message = _refused(case, labels, p)
        assert f"one_hot(y_true, {case.columns})" in message, f"{case}: the message names no fix: {message}"


def class_ids_stay_integers(case: Case) -> None:
    """Ids of every type and of shape (N,) or (N, 1) give one value; a fraction is no id."""
    case.only(case.takes_ids, "its labels are no class ids")
    y, p = case.draw()
    expected = case.value(y, p)
    for dtype in ("int8", "uint8", "int32", "int64", "float64"):
        for labels in (y.astype(dtype), y.astype(dtype)[..., None], np.expand_dims(y.astype(dtype), case.axis)):
            close(case.value(labels, p), expected, TOLERANCE[case.dtype], f"{case}, {dtype} ids {labels.shape}")


def class_ids_are_in_range(case: Case) -> None:
    """An id out of range is an error in eager code, and NaN for its sample alone when compiled."""
    case.only(case.loss.targets.name == "class_id", "its labels are no class ids")
    y, p = case.draw()
    values = case.per_sample(y, p)
    for wrong in (-1, p.shape[case.axis], 0.5):
        labels = y.astype(np.result_type(type(wrong)))
        labels.reshape(-1)[0] = wrong
        message = _refused(case, labels, p)
        assert str(wrong) in message, f"{case}: the message does not name the id {wrong}: {message}"
        if not case.framework.differentiates:
            continue
        compiled = case.framework.compiled(case.loss.per_sample)
        traced = case.framework.numpy(compiled(*case.arrays(labels, p))).reshape(-1)
        assert np.isnan(traced[0]), f"{case}: id {wrong} compiled gave {traced[0]}"
        close(traced[1:], values.reshape(-1)[1:], TOLERANCE[case.dtype], f"{case}, beside a wrong id")


def _refused(case: Case, labels: Values, predictions: Values) -> str:
    try:
        value = case.value(labels, predictions)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{case}: y_true {labels.shape} with y_pred {predictions.shape} gave {value}")


PROPERTIES = (
    one_dimension_counts_elements,
    broadcasting_is_refused,
    one_hot_mistakes_are_named,
    class_ids_stay_integers,
    class_ids_are_in_range,
)
