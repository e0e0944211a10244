"""The array vocabulary on jets: NumPy's, with derivatives; arrays without derivatives pass through."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._ops._base import Array, Axis
from .._ops._numpy import NumpyOps
from ._jets import Jet, aligned, logarithm, magnitude, value_of


def _smooth(
    function: Callable[[Array], Array], x: Any, derivatives: Callable[[Array, Array], tuple[Array, Array]]
) -> Array:
    """A function y of one number x from (x, y) -> its slope and its curvature."""
    y = function(value_of(x))
    return x.through(y, *derivatives(x.value, y)) if isinstance(x, Jet) else y


def _of_tanh(x: Array, y: Array) -> tuple[Array, Array]:
    slope = 1.0 - y * y
    return slope, -2.0 * y * slope


def _of_erf(x: Array, y: Array) -> tuple[Array, Array]:
    slope = 2.0 / math.sqrt(math.pi) * np.exp(-x * x)
    return slope, -2.0 * x * slope


def _of_lgamma(x: Array, y: Array) -> tuple[Array, Array]:
    from scipy.special import polygamma

    return polygamma(0, x).astype(x.dtype), polygamma(1, x).astype(x.dtype)


def _of_log_sigmoid(x: Array, y: Array) -> tuple[Array, Array]:
    slope = np.exp(y - x)  # sigmoid(-x), whose logarithm is that of sigmoid(x), less x
    return slope, -np.exp(y) * slope


class JetOps(NumpyOps):
    """Kinks as everywhere in the vocabulary, with second derivative 0. Where numbers tie for a maximum over an axis,
    each has the same share in its derivative."""

    name = "jets"

    def convert(self, x: Any, like: Array = None) -> Array:
        return x if isinstance(x, Jet) else super().convert(x, like)

    def cast(self, x: Array, dtype: Any) -> Array:
        if not isinstance(x, Jet) or np.dtype(dtype).kind != "f":
            return super().cast(value_of(x), dtype)
        return x.derived(x.value.astype(dtype), x.first.astype(dtype), x.second.astype(dtype))

    def ids(self, x: Array) -> Array:
        return super().ids(value_of(x))

    def look(self, x: Array) -> np.ndarray[Any, Any] | None:
        return super().look(value_of(x))

    def stop_gradient(self, x: Array) -> Array:
        return value_of(x)

    # Elementwise

    def abs(self, x: Array) -> Array:
        return magnitude(x) if isinstance(x, Jet) else super().abs(x)

    def sign(self, x: Array) -> Array:
        return super().sign(value_of(x))

    def log(self, x: Array) -> Array:
        return logarithm(x)

    def log1p(self, x: Array) -> Array:
        return logarithm(x, shift=1.0)

    def sqrt(self, x: Array) -> Array:
        value = super().sqrt(value_of(x))
        if not isinstance(x, Jet):
            return value
        first = 0.5 * x.first / value
        return x.derived(value, first, (0.5 * x.second - first**2) / value)

    def exp(self, x: Array) -> Array:
        return _smooth(super().exp, x, lambda x, y: (y, y))

    def expm1(self, x: Array) -> Array:
        return _smooth(super().expm1, x, lambda x, y: (np.exp(x),) * 2)

    def tanh(self, x: Array) -> Array:
        return _smooth(super().tanh, x, _of_tanh)

    def erf(self, x: Array) -> Array:
        return _smooth(super().erf, x, _of_erf)

    def lgamma(self, x: Array) -> Array:
        return _smooth(super().lgamma, x, _of_lgamma)

    def log_sigmoid(self, x: Array) -> Array:
        return _smooth(super().log_sigmoid, x, _of_log_sigmoid)

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        value = super().where(condition, value_of(x), value_of(y))
        if not isinstance(x, Jet) and not isinstance(y, Jet):
            return value
        condition, x, y = aligned(condition, x, y)
        first, second = (np.where(condition, a, b) for a, b in zip(_derivatives(x), _derivatives(y), strict=True))
        return (x if isinstance(x, Jet) else y).derived(value, first, second)

    def power(self, x: Array, exponent: float) -> Array:
        if not isinstance(x, Jet):
            return super().power(x, exponent)
        x = self.maximum(x, self.tiny(x))
        first = exponent * x.value ** (exponent - 1.0)
        # the curvature times first² as one square: each factor alone may be beyond the largest or smallest number
        bend = exponent * (exponent - 1.0)
        square = (x.value ** (0.5 * exponent - 1.0) * x.first) ** 2 if bend else 0.0
        return x.derived(x.value**exponent, first * x.first, first * x.second + bend * square)

    # Reductions

    def sum(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        value = super().sum(value_of(x), axis, keepdims)
        return _combined(x, value, 1.0, axis, keepdims) if isinstance(x, Jet) else value

    def mean(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        value = super().mean(value_of(x), axis, keepdims)
        if not isinstance(x, Jet):
            return value
        return _combined(x, value, np.size(value) / max(np.size(x.value), 1), axis, keepdims)

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        value = super().max(value_of(x), axis, keepdims)
        if not isinstance(x, Jet):
            return value
        largest = super().max(x.value, axis, keepdims=True)
        hits = (~(x.value < largest)).astype(x.dtype)
        return _combined(x, value, hits / hits.sum(axis=axis, keepdims=True), axis, keepdims)

    def logsumexp(self, x: Array) -> Array:
        value = super().logsumexp(value_of(x))
        if not isinstance(x, Jet):
            return value
        p = super().softmax(x.value)
        if x.diagonal:
            return x.of_row(value, p, p * (1.0 - p))
        first = np.sum(p * x.first, axis=-1)
        return x.derived(value, first, np.sum(p * (x.second + (x.first - first[..., None]) ** 2), axis=-1))

    def log_softmax(self, x: Array) -> Array:
        value = super().log_softmax(value_of(x))
        if not isinstance(x, Jet):
            return value
        result = x - self.expand_dims(self.logsumexp(x))
        return result.derived(value, result.first, result.second)

    def argmax(self, x: Array, axis: int = -1) -> Array:
        return super().argmax(value_of(x), axis)

    def cumsum(self, x: Array, axis: int = -1) -> Array:
        return _linear(super().cumsum, x, axis)

    # Shape and indexing

    def reshape(self, x: Array, shape: tuple[int, ...]) -> Array:
        if not isinstance(x, Jet):
            return super().reshape(x, shape)
        x, value = x.dense(), x.value.reshape(shape)
        first, second = (part.reshape(len(x.directions), *value.shape) for part in (x.first, x.second))
        return x.derived(value, first, second)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        return _linear(super().expand_dims, x, axis, more=1)

    def squeeze(self, x: Array, axis: int = -1) -> Array:
        return _linear(super().squeeze, x, axis)

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        return _linear(super().moveaxis, x, source, destination)

    def concatenate(self, arrays: list[Array], axis: int = -1) -> Array:
        value = super().concatenate([value_of(x) for x in arrays], axis)
        jet = next((x.dense() for x in arrays if isinstance(x, Jet)), None)
        if jet is None:
            return value
        dense = [x.dense() if isinstance(x, Jet) else jet.constant(x) for x in arrays]
        first, second = (
            super(JetOps, self).concatenate(parts, _from_end(axis, jet.ndim))
            for parts in ([x.first for x in dense], [x.second for x in dense])
        )
        return jet.derived(value, first, second)

    def sort(self, x: Array, axis: int = -1) -> Array:
        if not isinstance(x, Jet):
            return super().sort(x, axis)
        return _along(x, np.argsort(x.value, axis=axis, kind="stable"), axis)

    def gather(self, x: Array, ids: Array) -> Array:
        return _along(x, ids, -1) if isinstance(x, Jet) else super().gather(x, ids)

    def zeros_like(self, x: Array) -> Array:
        return super().zeros_like(value_of(x))

    def ones_like(self, x: Array) -> Array:
        return super().ones_like(value_of(x))


def _from_end(axis: int, rank: int) -> int:
    return axis if axis < 0 else axis - rank


def _linear(function: Callable[..., Array], x: Array, *axes: int, more: int = 0) -> Array:
    """A linear function that takes axes of an array with `more` axes than x."""
    if not isinstance(x, Jet):
        return function(x, *axes)
    own = [_from_end(axis, x.ndim + more) for axis in axes]
    return x.linear(lambda part: function(part, *own))


def _combined(x: Jet, value: Array, share: Array, axis: Axis, keepdims: bool) -> Jet:
    """A reduction over `axis` in whose derivative each element has a share."""
    given = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = tuple(_from_end(each, x.ndim) for each in given)
    if x.diagonal and axes == (-1,):
        row = x.of_row(value, share, 0.0)
        return Jet(value, row.first[..., None], row.second[..., None], x.directions) if keepdims else row
    x = x.dense()
    first, second = (np.sum(share * part, axis=axes, keepdims=keepdims) for part in (x.first, x.second))
    return x.derived(value, first, second)


def _along(x: Jet, ids: Array, axis: int) -> Jet:
    """The elements that `ids` names along an axis, the same in every direction."""
    axis = _from_end(axis, x.ndim)
    return x.linear(lambda part: np.take_along_axis(part, ids if part.ndim == ids.ndim else ids[None], axis=axis))


def _derivatives(x: Any) -> tuple[Array, Array]:
    return (x.first, x.second) if isinstance(x, Jet) else (0.0, 0.0)
