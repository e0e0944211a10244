"""Tokens: the arrays of a linear cross-entropy, their shapes in agreement, one token a row."""

from typing import Any, NamedTuple, cast

import numpy as np

from .._align import align_to_values
from .._ops import Array, Ops


class Tokens(NamedTuple):
    """N tokens with D features each, for V classes."""

    hidden: Array
    """(N, D)"""
    weight: Array
    """(V, D)"""
    bias: Array | None
    """(V,)"""
    labels: Array
    """(N,) class ids; -1 where one is out of range and only the device knows, anything where it is not used."""
    used: Array | None
    """(N,) False where a token is removed; None where none can be."""


class Batch(NamedTuple):
    """The tokens, and what the reduction needs: in the shape of the labels."""

    tokens: Tokens
    hidden: Array
    """(…, D) as it was given."""
    sample_weight: Array | None
    counted: Array | None
    """False where `ignore_class` removes a token; None where nothing can."""
    shape: tuple[int, ...]
    """Of the labels."""
    classes: int
    dtype: Any
    """Of the values."""
    coefficient: Array | None
    """(N,) the sample weight of each token."""


def batch_of(
    name: str,
    ops: Ops,
    hidden: Any,
    weight: Any,
    labels: Any,
    bias: Any,
    sample_weight: Any,
    ignore_class: int | None,
    classes: int | None = None,
) -> Batch:
    """The arguments as arrays of one framework, checked.

    Args:
        classes: V where `weight` and `bias` hold a part of the classes.

    Raises:
        TypeError: no real numbers.
        ValueError: shapes that do not fit, a class id out of range.
    """
    hidden, weight, labels, bias = _converted(ops, hidden, weight, labels, bias)
    labels = _checked(name, ops, hidden, weight, labels, bias, classes)
    classes = shape_of(ops, weight)[0] if classes is None else classes
    shape = shape_of(ops, labels)
    counted = None if ignore_class is None else labels != ignore_class
    sample_weight = aligned_weight(name, ops, sample_weight, counted, hidden, labels)
    used = counted if sample_weight is None else sample_weight != 0
    labels = labels if used is None else ops.where(used, labels, 0)
    labels = in_range(name, ops, labels, classes)
    width = shape_of(ops, hidden)[-1]
    used = None if used is None else ops.reshape(used, (-1,))
    tokens = Tokens(ops.reshape(hidden, (-1, width)), weight, bias, ops.reshape(labels, (-1,)), used)
    coefficient = None if sample_weight is None else ops.reshape(sample_weight, (-1,))
    return Batch(tokens, hidden, sample_weight, counted, shape, classes, ops.float_dtype(hidden), coefficient)


def shape_of(ops: Ops, x: Array) -> tuple[int, ...]:
    """The shape; no length is unknown, because TensorFlow, where one may be, has no driver here."""
    return cast(tuple[int, ...], tuple(ops.shape(x)))


def _converted(ops: Ops, hidden: Any, weight: Any, labels: Any, bias: Any) -> tuple[Array, Array, Array, Array | None]:
    hidden = ops.convert(hidden)
    if ops.kind(hidden) != "f":
        hidden = ops.cast(hidden, ops.float_dtype(hidden))
    weight, labels = ops.convert(weight, like=hidden), ops.convert(labels, like=hidden)
    return hidden, weight, labels, None if bias is None else ops.convert(bias, like=hidden)


def _checked(
    name: str, ops: Ops, hidden: Array, weight: Array, labels: Array, bias: Array | None, classes: int | None
) -> Array:
    """The labels, without a last axis of length 1 that the tokens lack; every shape fits."""
    tokens, matrix, ids = (shape_of(ops, x) for x in (hidden, weight, labels))
    if len(matrix) != 2 or not tokens or tokens[-1] != matrix[1] or not (classes or matrix[0]):
        fix = "give weight.T" if len(matrix) == 2 and tokens[-1:] == matrix[:1] else "weight is (classes, features)"
        raise ValueError(
            f"{name}: hidden has shape {tokens} and weight {matrix}, but hidden @ weight.T is taken: {fix}"
        )
    if bias is not None and shape_of(ops, bias) != matrix[:1]:
        raise ValueError(f"{name}: bias has shape {shape_of(ops, bias)}, but weight has {matrix[0]} classes")
    if ids == (*tokens[:-1], 1):
        return ops.squeeze(labels)
    if ids != tokens[:-1]:
        raise ValueError(
            f"{name}: labels have shape {ids} and hidden {tokens}: give one class id per token, {tokens[:-1]}"
        )
    return labels


def aligned_weight(
    name: str, ops: Ops, sample_weight: Any, counted: Array | None, hidden: Array, labels: Array
) -> Array | None:
    """The weights in the shape of the labels, 0 where a label is not counted: padding may hold NaN."""
    if sample_weight is None:
        return None
    dtype = ops.float_dtype(hidden)
    weight = ops.cast(ops.convert(sample_weight, like=hidden), dtype)
    weight = align_to_values(ops, weight, hidden, ops.shape(labels), "sample_weight", name)
    weight = weight + ops.cast(ops.zeros_like(labels), dtype)
    return weight if counted is None else ops.where(counted, weight, 0.0)


def in_range(name: str, ops: Ops, labels: Array, classes: int) -> Array:
    """Class ids; where looking would cost a synchronisation, -1 for those out of range."""
    ids = ops.ids(labels)
    seen = ops.look(labels)
    if seen is None:
        valid = (ids >= 0) & (ids < classes)
        if ops.kind(labels) == "f":
            valid = valid & (ops.cast(ids, labels.dtype) == labels)
        return ops.where(valid, ids, -1)
    wrong = seen[~((seen >= 0) & (seen < classes) & (seen == np.trunc(seen)))]
    if wrong.size:
        raise ValueError(
            f"{name}: class id {wrong.flat[0]} in labels is out of range for {classes} classes: ids are whole "
            f"numbers from 0 to {classes - 1}; ignore_class={int(wrong.flat[0])} would remove its tokens"
        )
    return ids
