"""Class ids as one-hot rows."""

from typing import Any

from ._ops import Array, ops_for


def one_hot(y: Any, classes: int) -> Array:
    """Class ids as rows of 0 and 1, in the framework of `y`.

    Args:
        y: integer ids from 0 to classes - 1, of shape (N,) or (N, 1), or any shape.
        classes: the length of a row.

    Returns:
        float32 of shape (N, classes), or (*y.shape, classes).

    Raises:
        TypeError: ids that are no integers.
        ValueError: an id out of range.

    >>> losslab.one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    ops = ops_for(y)
    ids = ops.convert(y)
    if ops.kind(ids) == "f":
        raise TypeError(f"one_hot needs integer class ids, got {ids.dtype}: cast them to int")
    if len(ops.shape(ids)) > 1 and ops.shape(ids)[-1] == 1:
        ids = ops.squeeze(ids)
    seen = ops.look(ids)
    if seen is not None and seen.size and not 0 <= seen.min() <= seen.max() < classes:
        raise ValueError(f"one_hot: ids go from {seen.min()} to {seen.max()}, out of range for {classes} classes")
    return ops.one_hot(ops.ids(ids), classes, ops.float32)
