"""Weights, masks and reductions: the only place."""

from typing import Any, Literal

from ._ops import Array, Ops

Reduction = Literal["sum_over_batch_size", "mean_with_sample_weight", "sum", "none"]

SYNONYMS: dict[Any, Reduction] = {"mean": "sum_over_batch_size", "auto": "sum_over_batch_size", None: "none"}
"""What Keras calls them too; "auto" is Keras 2's."""


def reduce(
    ops: Ops, values: Array, weight: Array | None, counted: Array | None, reduction: Reduction, normalizer: Any
) -> Array:
    """The per-sample values as one number, or weighted as they are under "none".

    Args:
        values: per-sample values, 0 where a sample is removed.
        weight: aligned with `values`, 0 where `counted` is False; None for 1 everywhere.
        counted: False where a mask or `ignore_class` removes a sample, or None. A weight of 0 removes the sample too,
            but "sum_over_batch_size" still counts it, as Keras does.
        normalizer: the divisor, in place of the reduction's own.

    Nothing left gives 0 with gradient 0.

    Raises:
        ValueError: a `normalizer` under "none", which divides by nothing, or one that is no single number.
    """
    if weight is not None:
        values = values * weight
    if reduction == "none":
        if normalizer is not None:
            raise ValueError("normalizer= needs a reduction to one number, but reduction='none' keeps all values")
        return values
    total = ops.sum(values, axis=None)
    return _divide(ops, total, divisor(ops, values, weight, counted, reduction, normalizer))


def divisor(
    ops: Ops, values: Array, weight: Array | None, counted: Array | None, reduction: Reduction, normalizer: Any
) -> Any:
    """What the sum of the weighted values is divided by: an int, or an array of no axes.

    Args:
        values: per-sample values, of which only shape and dtype matter.
    """
    if normalizer is not None:
        return _one_number(ops, normalizer, values)
    if reduction == "sum":
        return 1
    if reduction == "sum_over_batch_size" or weight is None:
        return _count(ops, values, counted)
    return ops.sum(ops.ones_like(values) * weight, axis=None)


def _one_number(ops: Ops, normalizer: Any, values: Array) -> Array:
    divisor = ops.cast(ops.convert(normalizer, like=values), values.dtype)
    if ops.shape(divisor) != ():
        raise ValueError(f"normalizer must be one number, got an array of shape {tuple(ops.shape(divisor))}")
    return divisor


def _count(ops: Ops, values: Array, counted: Array | None) -> Any:
    if counted is None:
        size = ops.size(values)
        return size if isinstance(size, int) else ops.cast(size, values.dtype)
    ones = ops.ones_like(values)
    return ops.sum(ops.where(counted, ones, 0.0), axis=None)


def _divide(ops: Ops, total: Array, divisor: Any) -> Array:
    if isinstance(divisor, int):
        return total / divisor if divisor else total
    empty = (divisor == 0) & (total == 0)
    return ops.where(empty, 0.0, total / ops.where(empty, 1.0, divisor))
