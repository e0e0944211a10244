"""What labels and scores mean: yes or no, or one class of a row."""

import math
from typing import Any, NamedTuple

import numpy as np

from .._align import align
from .._ops import Array, Ops, ops_for
from ._kinds import refuse_ids
from ._weights import weights


class Pairs(NamedTuple):
    """Labels and predictions side by side, in one float dtype, each of shape (..., columns); a vector is one column.

    `weight` is 0 and the others are 0 where a sample is removed; `weight` is NaN where no honest answer exists.
    """

    ops: Ops
    y_true: Array
    y_pred: Array
    weight: Array


def pairs(y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, name: str, by_row: bool = False) -> Pairs:
    """Labels and predictions of one shape.

    Args:
        by_row: weights and masks belong to rows; else each may also have the shape of the predictions.

    Raises:
        TypeError: tensors of two frameworks, or no real numbers.
        ValueError: shapes that do not fit.
    """
    ops = ops_for(y_true, y_pred, sample_weight, mask)
    y_pred = ops.convert(y_pred)
    y_true = ops.convert(y_true, like=y_pred)
    refuse_ids(ops, y_true, y_pred, name)
    y_true, y_pred = align(ops, y_true, y_pred, False, -1, name)
    y_pred = ops.cast(y_pred, ops.float_dtype(y_pred))
    y_true = ops.cast(y_true, y_pred.dtype)
    if len(ops.shape(y_pred)) < 2:
        y_true, y_pred = ops.expand_dims(y_true), ops.expand_dims(y_pred)
    weight = weights(ops, y_pred[..., :1] if by_row else y_pred, sample_weight, mask, name)
    y_true = ops.where(weight != 0, y_true, 0.0)
    y_pred = ops.where(weight != 0, y_pred, 0.0)
    return Pairs(ops, y_true, y_pred, ops.where(unknown(ops, y_true, y_pred), float("nan"), weight))


def positive(ops: Ops, y_true: Array, name: str) -> Array:
    """True where the label says yes: 1 of 0 and 1, 1 of -1 and 1, a probability above one half.

    Raises:
        ValueError: labels beyond [-1, 1], where looking costs nothing; elsewhere they are `unknown`.
    """
    seen = ops.look(y_true)
    if seen is not None:
        wrong = seen[np.abs(seen) > 1]
        if wrong.size:
            raise ValueError(
                f"{name}: y_true holds {wrong.flat[0]:g}, but yes and no are 1 and 0, or 1 and -1: "
                f"class ids need predictions with one column per class"
            )
    return y_true > 0.5


def unknown(ops: Ops, y_true: Array, y_pred: Array) -> Array:
    """True where no honest answer exists: a NaN, or a label that is neither yes nor no."""
    return ops.isnan(y_true) | ops.isnan(y_pred) | (ops.abs(y_true) > 1.0)


def cut(threshold: float, from_logits: bool) -> float:
    """The score above which a prediction is a yes: the threshold, or its logit."""
    if not from_logits:
        return threshold
    if not 0.0 < threshold < 1.0:
        return math.copysign(math.inf, threshold - 0.5)
    return math.log(threshold / (1.0 - threshold))


def names_one_class(ops: Ops, rows: Array) -> Array:
    """True for label rows with one yes among noes (0 or -1), and for probabilities that sum to 1."""
    yes = ops.sum(ops.cast(rows > 0.0, rows.dtype))
    return (yes == 1.0) | ((ops.min(rows) >= 0.0) & (ops.abs(ops.sum(rows) - 1.0) < 1e-3))
