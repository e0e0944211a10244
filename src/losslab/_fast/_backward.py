"""The gradient of what is on a tape."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._ops._numpy import NumpyOps
from ._rules import RULES
from ._tape import Taped, Values, value_of

_OPS = NumpyOps()


def backward(output: Taped, seed: Any, x: Taped) -> Values:
    """The derivative of Σ seed · output with respect to `x`."""
    cotangents: dict[int, Any] = {output.index: np.broadcast_to(seed, output.shape)}
    for node in _reached(output):
        if node.index not in cotangents or node is x:
            continue
        for arg, g in zip(node.args, _cotangents(cotangents.pop(node.index), node), strict=True):
            if isinstance(arg, Taped) and g is not None:
                g = _fitted(g, node.shape if node.op in RULES else arg.shape, arg.shape)
                cotangents[arg.index] = cotangents[arg.index] + g if arg.index in cotangents else g
    gradient: Values = np.broadcast_to(cotangents.get(x.index, 0.0), x.shape).astype(x.dtype)
    return gradient


def _reached(output: Taped) -> list[Taped]:
    """Everything that leads to the output, results before their arguments."""
    found, waiting = {output.index: output}, [output]
    while waiting:
        for arg in waiting.pop().args:
            if isinstance(arg, Taped) and arg.index not in found:
                found[arg.index] = arg
                waiting.append(arg)
    return [found[index] for index in sorted(found, reverse=True)]


def _cotangents(g: Any, node: Taped) -> tuple[Any, ...]:
    if node.op in RULES:
        return RULES[node.op](_OPS, g, node.value, *map(value_of, node.args))
    return _OVER_AXES[node.op](g, node)


def _fitted(g: Any, spread: tuple[int, ...], shape: tuple[int, ...]) -> Values:
    """A cotangent of shape `spread`, summed over the axes along which an argument of `shape` was repeated."""
    whole: Values = np.broadcast_to(g, spread)
    if whole.ndim > len(shape):
        whole = whole.sum(axis=tuple(range(whole.ndim - len(shape))))
    repeated = tuple(i for i, length in enumerate(shape) if length == 1 != whole.shape[i])
    return whole.sum(axis=repeated, keepdims=True) if repeated else whole


def _kept(g: Values, node: Taped) -> Values:
    """The cotangent of a reduction, its axes restored."""
    axis, shape = node.options["axis"], list(node.args[0].shape)
    for i in range(len(shape)) if axis is None else np.atleast_1d(axis):
        shape[i] = 1
    return np.reshape(g, shape)


def _of_mean(g: Values, node: Taped) -> tuple[Values]:
    x = node.args[0]
    return (np.broadcast_to(_kept(g, node), x.shape) * (node.value.size / max(x.value.size, 1)),)


def _of_max(g: Values, node: Taped) -> tuple[Values]:
    x = node.args[0].value
    hits = x == _kept(node.value, node)  # those that tie share it
    return (hits * (_kept(g, node) / hits.sum(axis=node.options["axis"], keepdims=True)),)


def _of_cumsum(g: Values, node: Taped) -> tuple[Values]:
    axis = node.options["axis"]
    return (np.flip(np.cumsum(np.flip(g, axis), axis), axis),)


def _of_concatenate(g: Values, node: Taped) -> tuple[Values, ...]:
    axis = node.options["axis"]
    ends = np.cumsum([value_of(part).shape[axis] for part in node.args])
    return tuple(np.split(g, ends[:-1], axis))


def _of_sort(g: Values, node: Taped) -> tuple[Values]:
    x, axis = node.args[0].value, node.options["axis"]
    result = np.zeros_like(x)
    np.put_along_axis(result, np.argsort(x, axis), g, axis)
    return (result,)


def _of_gather(g: Values, node: Taped) -> tuple[Values, None]:
    x, ids = node.args[0].value, value_of(node.args[1])
    rows = np.arange(ids.size) // ids.shape[-1]
    result = np.zeros(x.shape, x.dtype)
    np.add.at(result.reshape(-1, x.shape[-1]), (rows, ids.ravel()), g.ravel())  # an id may come twice
    return result, None


def _of_getitem(g: Values, node: Taped) -> tuple[Values, None]:
    result = np.zeros_like(node.args[0].value)
    np.add.at(result, node.args[1], g)
    return result, None


def _of_matmul(g: Values, node: Taped) -> tuple[Values, Values]:
    a, b = map(value_of, node.args)
    return g @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ g


_OVER_AXES: dict[str, Callable[[Any, Taped], tuple[Any, ...]]] = {
    "cast": lambda g, node: (g.astype(node.args[0].dtype), None),
    "sum": lambda g, node: (np.broadcast_to(_kept(g, node), node.args[0].shape),),
    "mean": _of_mean,
    "max": _of_max,
    "cumsum": _of_cumsum,
    "reshape": lambda g, node: (g.reshape(node.args[0].shape),),
    "expand_dims": lambda g, node: (g.reshape(node.args[0].shape),),
    "squeeze": lambda g, node: (g.reshape(node.args[0].shape),),
    "moveaxis": lambda g, node: (np.moveaxis(g, node.options["destination"], node.options["source"]),),
    "concatenate": _of_concatenate,
    "sort": _of_sort,
    "gather": _of_gather,
    "getitem": _of_getitem,
    "matmul": _of_matmul,
}
