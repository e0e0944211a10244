"""What all frameworks share: the names of the vocabulary, and the operations that are built from others.

Kinks have one convention everywhere: where two arguments of `maximum` or `minimum` tie, the gradient goes to the second
one, so a bound that is just met has gradient zero. The frameworks' own functions give 0, 1/2 or 1 there.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

Array = Any
"""An array of the framework at hand; the frameworks share no type."""

Axis = int | tuple[int, ...] | None


class Ops:
    """The vocabulary that formulas are written in. `axis` is the last axis unless another is named."""

    name: ClassVar[str]
    float32: ClassVar[Any]

    # Conversion and inspection

    def convert(self, x: Any, like: Array = None) -> Array:
        """`x` as an array of this framework, moved to the device of `like` where one is given; its dtype unchanged.

        Raises:
            TypeError: text, objects or complex numbers.
        """
        raise NotImplementedError

    def constant(self, numbers: tuple[float, ...], like: Array) -> Array:
        """A vector of numbers in the dtype and on the device of `like`."""
        raise NotImplementedError

    def ids(self, x: Array) -> Array:
        """Numbers as the framework's index dtype, their fractions cut off."""
        raise NotImplementedError

    def cast(self, x: Array, dtype: Any) -> Array:
        raise NotImplementedError

    def float_dtype(self, x: Array) -> Any:
        """The dtype to compute in: float64 stays, half precision becomes float32, anything else the default float."""
        raise NotImplementedError

    def kind(self, x: Array) -> str:
        """NumPy's letter for the kind of dtype: "f" float, "i" signed, "u" unsigned, "b" bool, else something else."""
        raise NotImplementedError

    def shape(self, x: Array) -> tuple[int | None, ...]:
        """The shape; None for a dimension that is unknown while tracing."""
        return tuple(x.shape)

    def size(self, x: Array) -> Any:
        """The number of elements: an int, or a tensor where it is unknown while tracing."""
        total = 1
        for length in x.shape:
            total = total * length
        return total

    def length(self, x: Array) -> Any:
        """The length of the last axis: an int, or a tensor where it is unknown while tracing."""
        return x.shape[-1]

    def agreed(self, x: Array, y: Array, axes: int, message: str) -> Array:
        """`x`; where its first `axes` lengths are unknown while tracing, they must turn out to be those of `y`."""
        return x

    def look(self, x: Array) -> np.ndarray[Any, Any] | None:
        """The values as a NumPy array where looking costs no synchronisation, else None (tracing, an accelerator)."""
        raise NotImplementedError

    def _values_of(self, loss: Any, y_true: Array, y_pred: Array) -> Array:
        """The values of a loss that is a formula on rows."""
        values: Array = loss.formula(self, y_true, y_pred)
        return values

    def tiny(self, x: Array) -> float:
        """The smallest normal positive number of the dtype of `x`."""
        raise NotImplementedError

    def stop_gradient(self, x: Array) -> Array:
        raise NotImplementedError

    # Elementwise

    def abs(self, x: Array) -> Array:
        raise NotImplementedError

    def sign(self, x: Array) -> Array:
        raise NotImplementedError

    def square(self, x: Array) -> Array:
        return x * x

    def sqrt(self, x: Array) -> Array:
        raise NotImplementedError

    def exp(self, x: Array) -> Array:
        raise NotImplementedError

    def expm1(self, x: Array) -> Array:
        raise NotImplementedError

    def log(self, x: Array) -> Array:
        raise NotImplementedError

    def log1p(self, x: Array) -> Array:
        raise NotImplementedError

    def tanh(self, x: Array) -> Array:
        raise NotImplementedError

    def erf(self, x: Array) -> Array:
        raise NotImplementedError

    def lgamma(self, x: Array) -> Array:
        raise NotImplementedError

    def isnan(self, x: Array) -> Array:
        return x != x

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        raise NotImplementedError

    def power(self, x: Array, exponent: float) -> Array:
        """`x ** exponent` for `x >= 0`, with a finite gradient at 0 for every exponent >= 0.

        Below the smallest normal number the base counts as that number: (1 - p)^0.5 at p = 1 would otherwise have
        gradient 0 * inf = NaN.
        """
        return self.maximum(x, self.tiny(x)) ** exponent

    def maximum(self, x: Array, y: Any) -> Array:
        return self.where((x <= y) | (y != y), y, x)

    def minimum(self, x: Array, y: Any) -> Array:
        return self.where((x >= y) | (y != y), y, x)

    def clip(self, x: Array, low: float, high: float) -> Array:
        return self.minimum(self.maximum(x, low), high)

    def clip_through(self, x: Array, low: float, high: float = float("inf")) -> Array:
        """Clip the value but not the gradient: outside the bounds it is that of the formula at the bound.

        Written as `bound + (x - x)` with the gradient stopped in all but one x: exact at any magnitude, where
        `x + (bound - x)` would round. NaN stays NaN.
        """
        fixed = self.stop_gradient(x)
        return self.clip(fixed, low, high) + (x - fixed)

    # Stable compositions

    def sigmoid(self, x: Array) -> Array:
        raise NotImplementedError

    def softplus(self, x: Array) -> Array:
        return -self.log_sigmoid(-x)

    def log_sigmoid(self, x: Array) -> Array:
        raise NotImplementedError

    def softmax(self, x: Array) -> Array:
        raise NotImplementedError

    def log_softmax(self, x: Array) -> Array:
        raise NotImplementedError

    def logsumexp(self, x: Array) -> Array:
        """log Σ exp(x) over the last axis."""
        raise NotImplementedError

    def logaddexp(self, x: Array, y: Array) -> Array:
        """log(exp(x) + exp(y)) for finite x and y."""
        return y + self.softplus(x - y)

    def xlogy(self, x: Array, y: Array) -> Array:
        """x·log(y), and 0 where x is 0."""
        zero = x == 0
        return self.where(zero, 0.0, x) * self.log(self.where(zero, 1.0, y))

    # Reductions

    def sum(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        raise NotImplementedError

    def mean(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        raise NotImplementedError

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        raise NotImplementedError

    def min(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        return -self.max(-x, axis=axis, keepdims=keepdims)

    def argmax(self, x: Array, axis: int = -1) -> Array:
        raise NotImplementedError

    def cumsum(self, x: Array, axis: int = -1) -> Array:
        raise NotImplementedError

    # Recursion

    def scan(
        self, step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...], steps: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """The last state of `state = step(state, slices)` along the first axis of the arrays `steps`."""
        for i in range(steps[0].shape[0]):
            state = step(state, tuple(x[i] for x in steps))
        return state

    # Shape and indexing

    def reshape(self, x: Array, shape: tuple[int, ...]) -> Array:
        return x.reshape(shape)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        raise NotImplementedError

    def squeeze(self, x: Array, axis: int = -1) -> Array:
        raise NotImplementedError

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        raise NotImplementedError

    def concatenate(self, arrays: list[Array], axis: int = -1) -> Array:
        raise NotImplementedError

    def sort(self, x: Array, axis: int = -1) -> Array:
        raise NotImplementedError

    def gather(self, x: Array, ids: Array) -> Array:
        """For each row of x those elements that the row of ids names: (…, C), (…, L) -> (…, L). Ids are in range."""
        raise NotImplementedError

    def take(self, x: Array, ids: Array) -> Array:
        """x[..., ids]: one element of the last axis for each id. The ids must be in range."""
        return self.squeeze(self.gather(x, self.expand_dims(ids)))

    def one_hot(self, ids: Array, classes: int, dtype: Any) -> Array:
        """Rows of length `classes`, 1 at the id; an id out of range gives a row of zeros."""
        raise NotImplementedError

    def zeros_like(self, x: Array) -> Array:
        raise NotImplementedError

    def ones_like(self, x: Array) -> Array:
        raise NotImplementedError
