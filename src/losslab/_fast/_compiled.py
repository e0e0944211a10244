"""A form of every loss, such as its value or its gradient, compiled for each loss."""

import math
from collections.abc import Callable
from typing import Any

from ._kept import Kept
from ._labels import labels_fit

Function = Callable[..., Any]


class CompiledForm:
    """What runs in place of a composed form where that is the same.

    Args:
        composed: (loss, y_true, y_pred, …, data) -> the form, operation by operation.
        compiled: loss -> a function of these arrays that computes the same.
        array: turns what is given into an array that the compiled function takes.
        look: array -> its values as a NumPy array, or None: `Ops.look`.
        least: the number of predictions from which compiling is worth its time.
    """

    def __init__(
        self, composed: Function, compiled: Callable[[Any], Function], array: Function, look: Function, least: int
    ) -> None:
        self._composed, self._array, self._look, self._least = composed, array, look, least
        self._compiled = Kept(compiled)

    def __call__(self, loss: Any, *given: Any) -> Any:
        """None where the composed form has to look at the labels, or is as good."""
        compiled = self._compiled.of(loss) if size_of(given[1]) >= self._least else None
        if compiled is None:
            return None
        try:
            *arrays, data = given
            arrays = [x if x is None else self._array(x) for x in arrays]
            data = {name: self._array(x) for name, x in data.items() if x is not None}
            fit = labels_fit(loss, arrays[0], tuple(arrays[1].shape), data, self._look)
            return compiled(*arrays, data) if fit else None
        except Exception:  # wrong arguments, or a formula that looks at values: in composed form it shows which
            pass
        result = self._composed(loss, *given)
        self._compiled.refuse(loss)
        return result


def size_of(x: Any) -> int:
    """The number of elements of an array; 0 for a list, and where it is unknown."""
    shape = tuple(getattr(x, "shape", ()))
    return math.prod(shape) if all(isinstance(length, int) for length in shape) and shape else 0
