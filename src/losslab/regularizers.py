"""Regularizers: penalties on weights or activations, with Keras' names, parameters and values.

>>> losslab.regularizers.get("l2:l2=0.5")([[1.0, 2.0]])
np.float64(2.5)
"""

from typing import Any, Literal

from ._ops import Array, Ops
from ._param import param
from ._registry import Registry
from ._weight_function import WeightFunction

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "aliases_of",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "names",
    "orthogonal_regularizer",
    "register",
    "serialize",
]

REGULARIZERS = Registry("regularizer", "losslab.regularizers")
register, names, aliases_of = REGULARIZERS.register, REGULARIZERS.names, REGULARIZERS.aliases_of
serialize, deserialize = REGULARIZERS.serialize, REGULARIZERS.deserialize

_SMALLEST_NORM = 1e-7  # Keras' epsilon: a shorter row counts as one of this length


def get(identifier: Any) -> Any:
    """The regularizer that `identifier` means.

    Args:
        identifier: a name ("l2"), a name with parameters ("l2:l2=0.1"), a config dict from `serialize`, a class, an
            instance, any callable (returned as it is), or None (returned as None). The name "l1_l2" alone means
            l1=0.01 and l2=0.01, as Keras documents it; the class L1L2() has 0 and 0 and is no penalty.

    Raises:
        UnknownNameError: no such name; the message suggests the nearest.
        TypeError: a parameter that it lacks, or something that means no regularizer.
        ValueError: a parameter out of its bounds.

    >>> losslab.regularizers.get("l1_l2"), losslab.regularizers.get("l1_l2:l1=0.1")
    (L1L2(l1=0.01, l2=0.01), L1L2(l1=0.1))
    """
    found = REGULARIZERS.get(identifier)
    bare = isinstance(identifier, str) and ":" not in identifier
    return L1L2(l1=0.01, l2=0.01) if bare and found == L1L2() else found


class Regularizer(WeightFunction):
    """A penalty: a function of an array that gives one number, to be added to a loss. Immutable and comparable.

    Declare one by subclassing with annotated parameters and a `formula`; it then works on NumPy, PyTorch, JAX and
    TensorFlow arrays. A penalty on half precision is computed and returned in float32.

    >>> @losslab.regularizers.register
    ... class Quartic(losslab.regularizers.Regularizer):
    ...     factor: float = losslab.param(0.01, ge=0)
    ...     def formula(self, ops, x):
    ...         return self.factor * ops.sum(x**4, axis=None)
    >>> losslab.regularizers.get("quartic:factor=1")([1.0, 2.0])
    np.float64(17.0)
    """


@register
class L1(Regularizer):
    """$l_1 \\sum |x|$, which drives weights to exactly 0; its gradient at 0 is 0.

    >>> losslab.regularizers.L1(0.1)([[1.0, -2.0]]).round(7)
    np.float64(0.3)
    """

    source = "Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x"
    l1: float = param(0.01, ge=0, doc="per unit of the weights")

    def formula(self, ops: Ops, x: Array) -> Array:
        return ops.sum(self.l1 * ops.abs(x), axis=None)


@register
class L2(Regularizer):
    """$l_2 \\sum x^2$: without the ½ of some textbooks, as in Keras.

    >>> losslab.regularizers.L2(0.1)([[1.0, -2.0]])
    np.float64(0.5)
    """

    source = "Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634"
    l2: float = param(0.01, ge=0, doc="per squared unit of the weights")

    def formula(self, ops: Ops, x: Array) -> Array:
        return ops.sum(self.l2 * x * x, axis=None)


@register
class L1L2(Regularizer):
    """$l_1 \\sum |x| + l_2 \\sum x^2$, the elastic net.

    >>> losslab.regularizers.L1L2(l1=1.0, l2=0.1)([[1.0, -2.0]])
    np.float64(3.5)
    """

    source = "Zou & Hastie 2005, doi:10.1111/j.1467-9868.2005.00503.x"
    aliases = ("l1l2",)
    l1: float = param(0.0, ge=0, doc="per unit of the weights")
    l2: float = param(0.0, ge=0, doc="per squared unit of the weights")

    def formula(self, ops: Ops, x: Array) -> Array:
        return ops.sum(self.l1 * ops.abs(x) + self.l2 * x * x, axis=None)


@register
class OrthogonalRegularizer(Regularizer):
    """The factor times the mean absolute cosine between two rows, or columns: 0 where all are orthogonal.

    $\\frac{f}{n (n - 1)} \\sum_{i \\ne j} |\\cos(x_i, x_j)|$: f where all rows are parallel or opposite. A row of zeros
    is orthogonal to every other; one row alone has penalty 0.

    >>> losslab.regularizers.OrthogonalRegularizer(0.5)([[1.0, 2.0], [-1.0, -2.0]]).round(7)
    np.float64(0.5)
    """

    source = "Rodríguez et al. 2017, arXiv:1611.01967, with |cos| as Keras has it"
    aliases = ("orthogonal",)
    factor: float = param(0.01, ge=0, doc="the penalty where all are parallel")
    mode: Literal["rows", "columns"] = param("rows", doc="what should be orthogonal")

    def formula(self, ops: Ops, x: Array) -> Array:
        shape = ops.shape(x)
        if len(shape) != 2:
            raise ValueError(
                f"OrthogonalRegularizer: the weights have shape {tuple(shape)}, but it compares the rows or columns of "
                f"a matrix: reshape them to rank 2 first"
            )
        rows = x if self.mode == "rows" else ops.moveaxis(x, 0, 1)
        norm = ops.sqrt(ops.maximum(ops.sum(ops.square(rows), keepdims=True), _SMALLEST_NORM**2))
        cosines = (rows / norm) @ ops.moveaxis(rows / norm, 0, 1)
        ones = ops.ones_like(cosines)
        column = ops.cumsum(ones)
        on_diagonal = column == ops.moveaxis(column, 0, 1)
        pairs = ops.sum(ops.where(on_diagonal, 0.0, ones), axis=None)
        mean = ops.sum(ops.where(on_diagonal, 0.0, ops.abs(cosines)), axis=None) / ops.maximum(pairs, 1.0)
        return self.factor * mean


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # the classes, as in Keras
