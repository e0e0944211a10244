"""Large losses of rows on a CPU, block by block, so that what the formula computes on its way stays in the cache.

For a value, XLA merges the formula with the sum over its values, which costs it the vector instructions. For value and
gradient it keeps every array that they share: for the focal loss of 2^24 logits those are 320 MiB. Within the gradient
of a model the formula stays whole: there XLA computes a slope on the way, where blocks would write and read it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._ops import Array
from .._ops._jax import JAX
from .._reduce import divisor, reduce
from ._jax_rows import ROWS
from .blocks import is_blockwise

_LARGE = 1 << 21  # elements from which blocks pay
_BLOCK = 1 << 18  # elements in a block, which XLA still spreads over the cores


class _Rows(NamedTuple):
    """The arrays of a call, as the formula sees them.

    Attributes:
        labelled: False where a label is ignored, or None.
        used: False where a sample is removed, or None.
        weight, counted: as `reduce` takes them.
        shape: of the values.
    """

    y_true: Array
    y_pred: Array
    labelled: Array | None
    used: Array | None
    weight: Array | None
    counted: Array | None
    shape: tuple[int, ...]


def pays(loss: Any, y_true: Array, y_pred: Array, *options: Any) -> bool:
    """Whether a reduced loss is worth blocks. On accelerators XLA's own way is the best."""
    large = isinstance(y_pred.size, int) and y_pred.size >= _LARGE
    if not large or loss.reduction == "none" or not is_blockwise(loss) or not loss._value_shape(y_pred.shape):
        return False
    return jax.default_backend() == "cpu" and jax.device_count() == 1


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def total(loss: Any, y_true: Array, y_pred: Array, weight: Any, mask: Any, normalizer: Any) -> Array:
    """The reduced loss."""
    rows = _rows(loss, y_true, y_pred, weight, mask)
    (values,) = _in_blocks(partial(_values, loss), rows, [_empty(rows)])
    return _reduced(loss, values, rows, normalizer)


@total.defjvp
def _total_and_tangent(loss: Any, arrays: Any, tangents: Any) -> Any:
    return jax.jvp(partial(_composed, loss), arrays, tangents)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def value_and_slope(
    loss: Any, y_true: Array, y_pred: Array, weight: Any, mask: Any, normalizer: Any
) -> tuple[Array, Array]:
    """The reduced loss and its gradient with respect to y_pred."""
    rows = _rows(loss, y_true, y_pred, weight, mask)
    scale = _scale(loss, rows, normalizer)
    values, slope = _in_blocks(
        partial(_values_and_slope, loss), rows, [_empty(rows), jnp.zeros_like(rows.y_pred)], scale
    )
    _, back = jax.vjp(lambda x: loss._inputs(JAX, y_true, x)[1], y_pred)
    return _reduced(loss, values, rows, normalizer), *back(slope)


@value_and_slope.defjvp
def _value_and_slope_and_tangents(loss: Any, arrays: Any, tangents: Any) -> Any:
    return jax.jvp(jax.value_and_grad(partial(_composed, loss), argnums=1), arrays, tangents)


def _composed(loss: Any, *arrays: Any) -> Array:
    value: Array = loss._composed(ROWS, *arrays, {})
    return value


def _rows(loss: Any, y_true: Array, y_pred: Array, weight: Any, mask: Any) -> _Rows:
    y_true, y_pred = loss._inputs(JAX, y_true, y_pred)
    shape = loss._value_shape(y_pred.shape)
    labelled = loss._labelled(JAX, y_true)
    counted = loss._counted(JAX, labelled, y_pred, mask, shape)
    weight, used = loss._weights(JAX, weight, counted, y_pred, shape)
    return _Rows(y_true, y_pred, labelled, used, weight, counted, shape)


def _empty(rows: _Rows) -> Array:
    return jnp.zeros_like(rows.y_pred, shape=rows.shape)


def _scale(loss: Any, rows: _Rows, normalizer: Any) -> Array:
    """What each value is multiplied with in the reduced loss."""
    by = divisor(JAX, _empty(rows), rows.weight, rows.counted, loss.reduction, normalizer)
    left = True if rows.used is None else rows.used.any()
    return (1.0 if rows.weight is None else rows.weight) / jnp.where(left, by, 1.0).astype(rows.y_pred.dtype)


def _reduced(loss: Any, values: Array, rows: _Rows, normalizer: Any) -> Array:
    return reduce(JAX, values, rows.weight, rows.counted, loss.reduction, normalizer)


def _in_blocks(
    part: Callable[..., tuple[Array, ...]], rows: _Rows, results: list[Array], *more: Array
) -> tuple[Array, ...]:
    """The results of `part` on blocks of rows, put together.

    Args:
        results: arrays to be filled.
        more: further arrays for `part`, that broadcast to the shape of the values.
    """
    axes = len(rows.shape)
    per_value = (x if x is None or x.ndim == 0 else jnp.broadcast_to(x, rows.shape) for x in (rows.used, *more))
    whole = [_merged(x, axes) for x in (rows.y_true, rows.y_pred, rows.labelled, *per_value)]
    count = len(whole[1])
    most = min(count, max(1, _BLOCK // whole[1][0].size))

    def block(start: Any, size: int, filled: list[Array]) -> list[Array]:
        cut = (x if x is None or x.ndim == 0 else jax.lax.dynamic_slice_in_dim(x, start, size) for x in whole)
        return [jax.lax.dynamic_update_slice_in_dim(x, y, start, 0) for x, y in zip(filled, part(*cut), strict=True)]

    filled = [_merged(x, axes) for x in results]
    filled = jax.lax.fori_loop(0, count // most, lambda i, filled: block(i * most, most, filled), filled)
    if count % most:
        filled = block(count - count % most, count % most, filled)
    return tuple(x.reshape(y.shape) for x, y in zip(filled, results, strict=True))


def _merged(x: Any, axes: int) -> Any:
    """The leading axes, which are those of the values, as one; a single number stays one."""
    return x if x is None or x.ndim == 0 else x.reshape(-1, *x.shape[axes:])


def _values(loss: Any, y_true: Array, y_pred: Array, labelled: Array | None, used: Array | None) -> tuple[Array]:
    """Per-sample values, 0 where one is removed."""
    values = loss._values(ROWS, y_true, y_pred, used, labelled)
    return (values if used is None else jnp.where(used, values, 0.0),)


def _values_and_slope(
    loss: Any, y_true: Array, y_pred: Array, labelled: Array | None, used: Array | None, scale: Array
) -> tuple[Array, ...]:
    """And the gradient of Σ scale · value."""
    (values,), back = jax.vjp(lambda x: _values(loss, y_true, x, labelled, used), y_pred)
    return values, *back((jnp.broadcast_to(scale, values.shape),))
