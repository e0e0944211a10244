"""Weights and masks of a metric: one array that counts each value, 0 where it is removed."""

from typing import Any

from .._align import align_to_values
from .._ops import Array, Ops


def weights(ops: Ops, values: Array, sample_weight: Any, mask: Any, name: str) -> Array:
    """How much each of `values` counts, in their dtype and shape.

    Args:
        values: floats; only their shape, dtype and device matter.
        sample_weight, mask: a scalar, (N,), (N, 1) or the shape of `values`; None for 1 everywhere.

    Raises:
        ValueError: any other shape.
    """
    shape = ops.shape(values)
    weight = ops.ones_like(values)
    if sample_weight is not None:
        given = ops.cast(ops.convert(sample_weight, like=values), values.dtype)
        weight = weight * align_to_values(ops, given, values, shape, "sample_weight", name)
    if mask is not None:
        given = ops.convert(mask, like=values)
        kept = align_to_values(ops, given if ops.kind(given) == "b" else given != 0, values, shape, "mask", name)
        weight = ops.where(kept, weight, 0.0)  # a select: padding may hold a weight of NaN
    return weight


def ratio(ops: Ops, part: Array, whole: Array, empty: float) -> Array:
    """part / whole, and `empty` where `whole` is 0."""
    nothing = whole == 0
    return ops.where(nothing, empty, part / ops.where(nothing, 1.0, whole))
