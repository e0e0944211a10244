"""Over which axes of a mesh a value varies, as `jax.shard_map` keeps track of it (its check_vma)."""

from typing import Any

import jax

from .._ops import Array

Axes = frozenset[Any]


def axes_of(x: Array) -> Axes:
    """The axes that a value varies over; none where shard_map does not keep track."""
    kind = jax.typeof(x)
    axes: Axes = kind.vma if hasattr(kind, "vma") else kind.mat.varying  # its name before JAX 0.10
    return axes


def named(axis_name: Any) -> Axes:
    """One name of an axis, or a tuple of them."""
    return frozenset(axis_name if isinstance(axis_name, tuple) else (axis_name,))


def varied(x: Array, axes: Axes) -> Array:
    """The same value, one that varies over these axes: its gradient will be summed over those that are new to it."""
    missing = axes - axes_of(x)
    return jax.lax.pcast(x, tuple(missing), to="varying") if missing else x


def total_over(x: Array, axis_name: Any) -> Array:
    """The sum over the devices along an axis, or several."""
    return jax.lax.psum(x, axis_name)  # type: ignore[no-untyped-call]
