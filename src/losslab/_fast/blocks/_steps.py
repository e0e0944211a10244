"""The steps of a program on NumPy: each writes into the array `out`."""

from collections.abc import Callable
from typing import Any

import numpy as np

Values = np.ndarray[Any, Any]


def steps(axis: int) -> dict[str, Callable[..., Any]]:
    """Operation -> function of the arguments and `out`; rows lie along `axis` of a block."""
    return {**_ELEMENTWISE, **{name: _along(function, axis) for name, function in _OVER_ROWS.items()}}


def _along(function: Callable[..., None], axis: int) -> Callable[..., None]:
    return lambda *args, out: function(*args, out, axis)


def _bits(condition: Values, out: Values) -> None:
    """All bits set where the condition holds."""
    np.negative(condition.view(np.int8), out=out)


def _select(bits: Values, x: Any, y: Any, out: Values) -> None:
    """x where all bits are set, y where none is."""
    chosen = out.view(bits.dtype)
    is_0 = isinstance(y, float) and y == 0.0
    x, y = (_as_bits(each, out.dtype, bits.dtype) for each in (x, y))
    if is_0:
        np.bitwise_and(x, bits, out=chosen)
        return
    np.bitwise_xor(x, y, out=chosen)
    np.bitwise_and(chosen, bits, out=chosen)
    np.bitwise_xor(chosen, y, out=chosen)


def _as_bits(x: Any, dtype: Any, bits: Any) -> Any:
    return x.view(bits) if isinstance(x, np.ndarray) else dtype.type(x).view(bits)


def _cast(x: Values, dtype: str, out: Values) -> None:
    np.copyto(out, x)


def _copy(x: Any, out: Values) -> None:
    np.copyto(out, x)


def _erf(x: Values, out: Values) -> None:
    from scipy.special import erf

    erf(x, out)


def _lookup(x: Values, ids: Values, out: Values) -> None:
    np.take(x, ids, out=out)


def _sum(x: Values, out: Values, axis: int) -> None:
    np.sum(x, axis=axis, keepdims=True, out=out)


def _max(x: Values, out: Values, axis: int) -> None:
    np.max(x, axis=axis, keepdims=True, out=out)


def _at(ids: Values, axis: int) -> tuple[Values, Values]:
    """The places in a block that hold, of each row, what its id names."""
    ids = ids.ravel()
    rows = np.arange(ids.size)
    return (ids, rows) if axis == 0 else (rows, ids)


def _take(x: Values, ids: Values, out: Values, axis: int) -> None:
    out.reshape(-1)[:] = x[_at(ids, axis)]


def _scatter(x: Any, ids: Values, out: Values, axis: int) -> None:
    out.fill(0)
    out[_at(ids, axis)] = np.ravel(x)


def _scatter_add(dense: Values, x: Any, ids: Values, out: Values, axis: int) -> None:
    if dense is not out:
        np.copyto(out, dense)
    out[_at(ids, axis)] += np.ravel(x)


_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "neg": np.negative,
    "pow": np.power,
    "abs": np.absolute,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and_": np.logical_and,
    "or_": np.logical_or,
    "invert": np.logical_not,
    "erf": _erf,
    "bits": _bits,
    "select": _select,
    "lookup": _lookup,
    "cast": _cast,
    "copy": _copy,
}
_OVER_ROWS: dict[str, Callable[..., None]] = {
    "sum": _sum,
    "max": _max,
    "take": _take,
    "scatter": _scatter,
    "scatter_add": _scatter_add,
}
