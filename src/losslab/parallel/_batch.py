"""The arguments of a cross-entropy of logits that are a shard of the classes."""

from typing import Any

from .._linear._tokens import Batch, Tokens, aligned_weight, in_range, shape_of
from .._ops import Array, Ops


def batch_of_logits(
    name: str, ops: Ops, labels: Any, logits: Array, sample_weight: Any, ignore_class: int | None, classes: int
) -> Batch:
    """The batch in which the logits of this rank's classes stand in the place of hidden states.

    Raises:
        TypeError: no real numbers.
        ValueError: shapes that do not fit, a class id out of range.
    """
    labels = _ids(name, ops, ops.convert(labels, like=logits), logits)
    shape = shape_of(ops, labels)
    counted = None if ignore_class is None else labels != ignore_class
    weight = aligned_weight(name, ops, sample_weight, counted, logits, labels)
    used = counted if weight is None else weight != 0
    labels = in_range(name, ops, labels if used is None else ops.where(used, labels, 0), classes)
    rows, width = ops.size(labels), ops.length(logits)
    used, coefficient = (None if x is None else ops.reshape(x, (rows,)) for x in (used, weight))
    tokens = Tokens(ops.reshape(logits, (rows, width)), None, None, ops.reshape(labels, (rows,)), used)
    return Batch(tokens, logits, weight, counted, shape, classes, ops.float_dtype(logits), coefficient)


def _ids(name: str, ops: Ops, labels: Array, logits: Array) -> Array:
    """The labels without a last axis of length 1 that the rows of logits lack."""
    rows, ids = tuple(ops.shape(logits)[:-1]), tuple(ops.shape(labels))
    if not ops.shape(logits):
        raise ValueError(f"{name}: y_pred is a scalar, but its last axis must be the classes that this rank holds")
    if ids == (*rows, 1):
        return ops.squeeze(labels)
    if ids != rows:
        raise ValueError(
            f"{name}: y_true has shape {ids} and y_pred {tuple(ops.shape(logits))}: give one class id per row of "
            f"logits, {rows}, the same on every rank"
        )
    return labels
