"""Gradients on NumPy for every loss: the vocabulary on arrays that remember where they come from."""

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .._ops import Array, serve
from .._ops._base import Axis
from .._ops._numpy import NumpyOps
from ._operators import Operators

Values = np.ndarray[Any, Any]

_COUNTER = itertools.count()
_CONSTANT = frozenset(("lt", "le", "gt", "ge", "eq", "ne", "and_", "or_", "invert"))


class Taped(Operators):
    """A NumPy array, the operation that made it and that operation's arguments."""

    __slots__ = ("args", "index", "op", "options", "value")

    def __init__(self, value: Any, op: str = "input", args: tuple[Any, ...] = (), options: Any = None) -> None:
        self.value: Values = np.asarray(value)
        self.op, self.args, self.options = op, args, options or {}
        self.index = next(_COUNTER)  # arguments come before results

    def __bool__(self) -> bool:
        return bool(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def _apply(self, name: str, *args: Any) -> Any:
        if name == "abs":
            return TAPE.abs(*args)
        function = getattr(operator, name)
        return function(*map(value_of, args)) if name in _CONSTANT else TAPE.record(name, function, *args)

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def dtype(self) -> Any:
        return self.value.dtype


def value_of(x: Any) -> Any:
    return x.value if isinstance(x, Taped) else x


class TapeOps(NumpyOps):
    """NumPy's vocabulary; where an argument is on the tape, so is the result."""

    name = "tape"

    def record(self, op: str, function: Callable[..., Array], *args: Any, **options: Any) -> Array:
        result = function(*map(value_of, args), **options)
        return Taped(result, op, args, options) if any(isinstance(arg, Taped) for arg in args) else result

    # Not differentiated

    def convert(self, x: Any, like: Array = None) -> Array:
        return x if isinstance(x, Taped) else super().convert(x)

    def ids(self, x: Array) -> Array:
        return super().ids(value_of(x))

    def look(self, x: Array) -> Values | None:
        return super().look(value_of(x))

    def sign(self, x: Array) -> Array:
        return super().sign(value_of(x))

    def argmax(self, x: Array, axis: int = -1) -> Array:
        return super().argmax(value_of(x), axis)

    def stop_gradient(self, x: Array) -> Array:
        return value_of(x)

    def zeros_like(self, x: Array) -> Array:
        return super().zeros_like(value_of(x))

    def ones_like(self, x: Array) -> Array:
        return super().ones_like(value_of(x))

    # Elementwise

    def cast(self, x: Array, dtype: Any) -> Array:
        if np.dtype(dtype).kind != "f":
            return super().cast(value_of(x), dtype)
        return self.record("cast", super().cast, x, dtype)

    def abs(self, x: Array) -> Array:
        return self.record("abs", super().abs, x)

    def sqrt(self, x: Array) -> Array:
        return self.record("sqrt", super().sqrt, x)

    def exp(self, x: Array) -> Array:
        return self.record("exp", super().exp, x)

    def expm1(self, x: Array) -> Array:
        return self.record("expm1", super().expm1, x)

    def log(self, x: Array) -> Array:
        return self.record("log", super().log, x)

    def log1p(self, x: Array) -> Array:
        return self.record("log1p", super().log1p, x)

    def tanh(self, x: Array) -> Array:
        return self.record("tanh", super().tanh, x)

    def erf(self, x: Array) -> Array:
        return self.record("erf", super().erf, x)

    def lgamma(self, x: Array) -> Array:
        return self.record("lgamma", super().lgamma, x)

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        return self.record("where", super().where, condition, x, y)

    def sigmoid(self, x: Array) -> Array:
        return self.record("sigmoid", _PLAIN.sigmoid, x)

    def log_sigmoid(self, x: Array) -> Array:
        return self.record("log_sigmoid", _PLAIN.log_sigmoid, x)

    def log_softmax(self, x: Array) -> Array:
        below = x - self.max(value_of(x), keepdims=True)
        return below - self.log(self.sum(self.exp(below), keepdims=True))

    def logsumexp(self, x: Array) -> Array:
        largest = self.max(value_of(x), keepdims=True)
        return self.squeeze(largest + self.log(self.sum(self.exp(x - largest), keepdims=True)))

    # Over axes and in their shape

    def sum(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return self.record("sum", super().sum, x, axis=axis, keepdims=keepdims)

    def mean(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return self.record("mean", super().mean, x, axis=axis, keepdims=keepdims)

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        return self.record("max", super().max, x, axis=axis, keepdims=keepdims)

    def cumsum(self, x: Array, axis: int = -1) -> Array:
        return self.record("cumsum", super().cumsum, x, axis=axis)

    def reshape(self, x: Array, shape: tuple[int, ...]) -> Array:
        return self.record("reshape", np.reshape, x, shape=shape)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        return self.record("expand_dims", super().expand_dims, x, axis=axis)

    def squeeze(self, x: Array, axis: int = -1) -> Array:
        return self.record("squeeze", super().squeeze, x, axis=axis)

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        return self.record("moveaxis", super().moveaxis, x, source=source, destination=destination)

    def concatenate(self, arrays: list[Array], axis: int = -1) -> Array:
        return self.record("concatenate", lambda *parts, axis: np.concatenate(parts, axis), *arrays, axis=axis)

    def sort(self, x: Array, axis: int = -1) -> Array:
        return self.record("sort", super().sort, x, axis=axis)

    def gather(self, x: Array, ids: Array) -> Array:
        return self.record("gather", super().gather, x, ids)


TAPE = TapeOps()
_PLAIN = NumpyOps()

serve(Taped, TAPE)
