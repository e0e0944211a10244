"""Constraints: projections of weights after an optimizer's step, with Keras' names, parameters and values.

>>> losslab.constraints.get("max_norm:max_value=1")([[3.0], [4.0]]).round(6)
array([[0.6],
       [0.8]])
"""

from collections.abc import Mapping
from typing import Any

from ._ops import Array, Ops
from ._param import param
from ._registry import Registry
from ._tree import leaves, mapped, matching, rules_of
from ._weight_function import WeightFunction

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "aliases_of",
    "apply",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "names",
    "non_neg",
    "register",
    "serialize",
    "unit_norm",
]

CONSTRAINTS = Registry("constraint", "losslab.constraints")
register, names, aliases_of = CONSTRAINTS.register, CONSTRAINTS.names, CONSTRAINTS.aliases_of
get, serialize, deserialize = CONSTRAINTS.get, CONSTRAINTS.serialize, CONSTRAINTS.deserialize

_EPSILON = 1e-7  # as in Keras: added to the norm that is divided by

_AXIS = "summed over by the norm: 0 for each unit of a Dense kernel, (0, 1, 2) for each filter of a Conv2D kernel"


class Constraint(WeightFunction):
    """A projection: a function of weights that gives weights of the same shape and dtype. Immutable and comparable.

    Declare one by subclassing with annotated parameters and a `formula`; it then works on NumPy, PyTorch, JAX and
    TensorFlow arrays. Half precision is computed in float32 and returned as it came.

    >>> @losslab.constraints.register
    ... class Cap(losslab.constraints.Constraint):
    ...     top: float = losslab.param(1.0)
    ...     def formula(self, ops, x):
    ...         return ops.minimum(x, self.top)
    >>> losslab.constraints.get("cap")([0.5, 2.0])
    array([0.5, 1. ])
    """

    def _evaluated(self, ops: Ops, x: Array) -> Array:
        projected = super()._evaluated(ops, x)
        return ops.cast(projected, x.dtype) if ops.kind(x) == "f" else projected


@register
class MaxNorm(Constraint):
    """Norms of at most `max_value`: $x \\cdot \\min(\\|x\\|, m) / (\\|x\\| + 10^{-7})$.

    >>> losslab.constraints.MaxNorm(2)([[3.0, 0.6], [4.0, 0.8]]).round(6)
    array([[1.2, 0.6],
           [1.6, 0.8]])
    """

    source = "Srivastava et al. 2014, JMLR 15, section 5.1"
    aliases = ("maxnorm",)
    max_value: float = param(2.0, ge=0, doc="the largest norm, in the unit of the weights")
    axis: int | tuple[int, ...] = param(0, doc=_AXIS)

    def formula(self, ops: Ops, x: Array) -> Array:
        norm = _norm(ops, x, self.axis, type(self).__name__)
        return x * (ops.minimum(norm, self.max_value) / (_EPSILON + norm))


@register
class NonNeg(Constraint):
    """No negative weights: $\\max(x, 0)$.

    >>> losslab.constraints.NonNeg()([-1.0, 2.0])
    array([0., 2.])
    """

    source = "Keras"
    aliases = ("nonneg",)

    def formula(self, ops: Ops, x: Array) -> Array:
        return ops.maximum(x, 0.0)


@register
class UnitNorm(Constraint):
    """Norms of 1: $x / (\\|x\\| + 10^{-7})$; weights of norm 0 stay 0.

    >>> losslab.constraints.UnitNorm()([[3.0, 0.0], [4.0, 0.0]]).round(6)
    array([[0.6, 0. ],
           [0.8, 0. ]])
    """

    source = "Keras"
    aliases = ("unitnorm",)
    axis: int | tuple[int, ...] = param(0, doc=_AXIS)

    def formula(self, ops: Ops, x: Array) -> Array:
        return x / (_EPSILON + _norm(ops, x, self.axis, type(self).__name__))


@register
class MinMaxNorm(Constraint):
    """Norms between `min_value` and `max_value`, approached by `rate`.

    $x \\cdot (r \\, \\mathrm{clip}(\\|x\\|, a, b) + (1 - r) \\|x\\|) / (\\|x\\| + 10^{-7})$.

    >>> losslab.constraints.MinMaxNorm(max_value=1, rate=0.5)([[3.0], [4.0]]).round(6)
    array([[1.8],
           [2.4]])
    """

    source = "Keras"
    aliases = ("minmaxnorm",)
    min_value: float = param(0.0, ge=0, doc="the smallest norm, in the unit of the weights")
    max_value: float = param(1.0, ge=0, doc="the largest norm, in the unit of the weights")
    rate: float = param(1.0, ge=0, le=1, doc="how much of the way to go at each step: 1 is all of it")
    axis: int | tuple[int, ...] = param(0, doc=_AXIS)

    def _settle(self) -> None:
        super()._settle()
        if self.min_value > self.max_value:
            raise ValueError(
                f"MinMaxNorm: min_value must be at most max_value, got {self.min_value:g} and {self.max_value:g}"
            )

    def formula(self, ops: Ops, x: Array) -> Array:
        norm = _norm(ops, x, self.axis, type(self).__name__)
        wanted = self.rate * ops.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return x * (wanted / (_EPSILON + norm))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm  # the classes, as in Keras


def _norm(ops: Ops, x: Array, axis: int | tuple[int, ...], name: str) -> Array:
    """The Euclidean norm over `axis`, which stays as an axis of length 1."""
    shape = ops.shape(x)
    for each in axis if isinstance(axis, tuple) else (axis,):
        if not -len(shape) <= each < len(shape):
            raise ValueError(f"{name}: axis {each} is out of range for weights of shape {tuple(shape)}")
    squared = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.sqrt(ops.maximum(squared, ops.tiny(x)))  # of 0 the square root has no gradient


def apply(tree: Any, rules: Mapping[str, Any]) -> Any:
    """A tree of parameters with constraints applied, for a training loop to call after each step of the optimizer.

    Args:
        tree: nested dicts and lists of arrays, or any JAX pytree: another of the same structure is returned. A Keras
            model or PyTorch module is changed in place, outside of any gradient, and returned.
        rules: path -> constraint, or what `get` takes. "dense/kernel" is one parameter, "*/kernel" all that end so; "."
            reads as "/". Where two rules meet, they are applied in their order.

    Raises:
        ValueError: a path that nothing in the tree has; the message names the nearest.
        TypeError: rules that are no dict of paths, or None for one of them.

    >>> losslab.constraints.apply({"dense": {"kernel": np.array([[-1.0]])}}, {"dense/kernel": "non_neg"})
    {'dense': {'kernel': array([[0.]])}}
    """
    projections: dict[str, list[Any]] = {}
    paths = list(leaves(tree))
    for pattern, constraint in rules_of(rules, get, "constraint").items():
        for path in matching(pattern, paths):
            projections.setdefault(path, []).append(constraint)

    def projected(path: str, leaf: Any) -> Any:
        for projection in projections.get(path, ()):
            leaf = projection(leaf)
        return leaf

    return mapped(projected, tree)
