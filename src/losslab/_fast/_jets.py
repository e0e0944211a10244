"""Jets: arrays that carry their first and second derivatives through the arithmetic of a formula."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ._operators import Operators

Array = Any
Function = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Jet(Operators):
    """An array with its first and second derivative in several directions.

    Direction j moves entry j of the last axis of the predictions, in every row at once: rows do not depend on each
    other, so the derivatives in direction j are column j of the gradient and of the Hessian's diagonal.

    Attributes:
        value: the array, of shape S.
        first, second: its derivatives, of shape (directions, *S); of shape S where `diagonal`.
        directions: which of the predictions' columns move.
        diagonal: element (…, j) depends on the prediction at (…, j) alone, so that of all directions only j moves it.
            What is computed element by element stays so, and costs as much as one direction.
    """

    value: Array
    first: Array
    second: Array
    directions: range
    diagonal: bool = False

    @classmethod
    def of_predictions(cls, y_pred: Array, directions: range) -> Self:
        """The predictions themselves, of shape (…, C)."""
        return cls(y_pred, np.ones_like(y_pred), np.zeros_like(y_pred), directions, diagonal=True)

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    def __bool__(self) -> bool:
        return bool(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def constant(self, x: Array) -> Self:
        """An array that no prediction moves."""
        return self.dense().derived(x, np.zeros_like(x), np.zeros_like(x))

    def derived(self, value: Array, first: Array, second: Array) -> Self:
        """A jet in the same directions, its derivatives spread over the shape of its value."""
        shape = np.shape(value) if self.diagonal else (len(self.directions), *np.shape(value))
        first, second = np.broadcast_to(first, shape), np.broadcast_to(second, shape)
        return type(self)(value, first, second, self.directions, self.diagonal)

    def through(self, value: Array, slope: Array, curvature: Array) -> Self:
        """f(self) for a function f of one number: its value, f' and f''."""
        return self.derived(value, slope * self.first, slope * self.second + curvature * self.first**2)

    def of_row(self, value: Array, slopes: Array, curvatures: Array) -> Self:
        """f(self) for a function f of the last axis of a diagonal jet: its value, ∂f/∂x and ∂²f/∂x² for each x."""
        moved = self.through(self.value, slopes, curvatures)
        chosen = slice(self.directions.start, self.directions.stop)
        first, second = (np.moveaxis(x[..., chosen], -1, 0) for x in (moved.first, moved.second))
        return type(self)(value, first, second, self.directions)

    def linear(self, function: Function) -> Self:
        """A linear function that names its axes from the end, so that it leaves the axis of directions alone."""
        x = self.dense()
        return type(self)(function(x.value), function(x.first), function(x.second), x.directions)

    def dense(self) -> Self:
        """The same with an axis of directions."""
        if not self.diagonal:
            return self
        columns = np.arange(self.shape[-1]) == np.array(self.directions)[:, None]
        moves = columns.reshape(len(columns), *[1] * (self.ndim - 1), -1)
        first, second = (np.where(moves, x, 0.0) for x in (self.first, self.second))
        return type(self)(self.value, first, second, self.directions)

    def ready(self, diagonal: bool, rank: int) -> Self:
        """The same, to be broadcast with arrays of so many axes."""
        if diagonal:
            return self
        x = self.dense()
        shape = (len(x.directions), *[1] * (rank - x.ndim), *x.shape)
        return type(self)(x.value, x.first.reshape(shape), x.second.reshape(shape), x.directions)

    def _apply(self, name: str, *args: Any) -> Any:
        rule = _RULES.get(name)
        return rule(*args) if rule else getattr(operator, name)(*map(value_of, args))


def value_of(x: Any) -> Any:
    return x.value if isinstance(x, Jet) else x


def aligned(*operands: Any) -> list[Any]:
    """Jets and plain arrays such that values and derivatives broadcast alike."""
    shape = np.broadcast_shapes(*(np.shape(value_of(x)) for x in operands))
    jets = [x for x in operands if isinstance(x, Jet)]
    diagonal = all(x.diagonal and x.shape[-1:] == shape[-1:] for x in jets)
    return [x.ready(diagonal, len(shape)) if isinstance(x, Jet) else x for x in operands]


def _add(a: Any, b: Any) -> Jet:
    a, b = aligned(a, b)
    value = value_of(a) + value_of(b)
    if isinstance(a, Jet) and isinstance(b, Jet):
        return a.derived(value, a.first + b.first, a.second + b.second)
    jet = a if isinstance(a, Jet) else b
    return jet.derived(value, jet.first, jet.second)


def _negative(x: Jet) -> Jet:
    return x.derived(-x.value, -x.first, -x.second)


def _subtract(a: Any, b: Any) -> Jet:
    if isinstance(b, Jet):
        return _add(a, _negative(b))
    a, b = aligned(a, b)
    return a.derived(a.value - b, a.first, a.second)  # type: ignore[no-any-return]


def _product(times: Callable[[Any, Any], Any], a: Any, b: Any) -> Jet:
    """The rule of products, for every operation that is linear in both arguments."""
    value = times(value_of(a), value_of(b))
    if not isinstance(b, Jet):
        return a.derived(value, times(a.first, b), times(a.second, b))  # type: ignore[no-any-return]
    if not isinstance(a, Jet):
        return b.derived(value, times(a, b.first), times(a, b.second))
    first = times(a.first, b.value) + times(a.value, b.first)
    second = times(a.second, b.value) + 2.0 * times(a.first, b.first) + times(a.value, b.second)
    return a.derived(value, first, second)


def _multiply(a: Any, b: Any) -> Jet:
    return _product(operator.mul, *aligned(a, b))


def _matmul(a: Any, b: Any) -> Jet:
    ranks = np.ndim(value_of(a)), np.ndim(value_of(b))
    if ranks[1] == 1:
        return _multiply(a, b).linear(lambda x: np.sum(x, axis=-1))
    if ranks[0] == 1:
        return _multiply(a[:, None], b).linear(lambda x: np.sum(x, axis=-2))
    return _product(operator.matmul, *(x.ready(False, max(ranks)) if isinstance(x, Jet) else x for x in (a, b)))


def _divide(a: Any, b: Any) -> Jet:
    a, b = aligned(a, b)
    quotient = value_of(a) / value_of(b)
    if not isinstance(b, Jet):
        return a.derived(quotient, a.first / b, a.second / b)  # type: ignore[no-any-return]
    # b q = a, differentiated twice: no power of b, which may be small
    first, second = (a.first, a.second) if isinstance(a, Jet) else (0.0, 0.0)
    first = (first - quotient * b.first) / b.value
    second = (second - 2.0 * first * b.first - quotient * b.second) / b.value
    return b.derived(quotient, first, second)


def _power(a: Any, b: Any) -> Jet:
    value = value_of(a) ** value_of(b)
    if isinstance(b, Jet):
        return (b * logarithm(a)).through(value, value, value)  # type: ignore[no-any-return]
    a, b = aligned(a, b)
    slope = _scaled(b, lambda: a.value ** (b - 1))
    curvature = _scaled(b * (b - 1), lambda: a.value ** (b - 2))
    return a.through(value, slope, curvature)  # type: ignore[no-any-return]


def _scaled(factor: Any, number: Callable[[], Array]) -> Array:
    """Their product; 0 for the factor 0, also where the number would be infinite, as x⁻¹ in the curvature of x."""
    return 0.0 if np.ndim(factor) == 0 and factor == 0 else factor * number()


def magnitude(x: Jet) -> Jet:
    return x.through(np.abs(x.value), np.sign(x.value), 0.0)


def logarithm(x: Any, shift: float = 0.0) -> Any:
    """log(shift + x), without the square of its argument, which may vanish."""
    function = np.log1p if shift else np.log
    if not isinstance(x, Jet):
        return function(x)
    first = x.first / (shift + x.value)
    return x.derived(function(x.value), first, x.second / (shift + x.value) - first**2)


def _item(x: Jet, index: Any) -> Jet:
    x = x.dense()
    each = (slice(None), *(index if isinstance(index, tuple) else (index,)))
    return Jet(x.value[index], x.first[each], x.second[each], x.directions)


_RULES: dict[str, Callable[..., Any]] = {
    "add": _add,
    "sub": _subtract,
    "mul": _multiply,
    "truediv": _divide,
    "pow": _power,
    "matmul": _matmul,
    "neg": _negative,
    "abs": magnitude,
    "getitem": _item,
}
"""Operators with derivatives; the others compare."""
