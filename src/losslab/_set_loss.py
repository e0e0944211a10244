"""SetLoss: a loss with one value for a set of elements: a mask, an image, a whole batch."""

from collections.abc import Callable
from typing import Any

from ._align import Shape, align_to_values, same_shape
from ._loss import Loss, as_mask
from ._ops import Array, Ops
from ._param import param

Total = Callable[[Array], Array]


class SetLoss(Loss):
    """A loss on sums over a set of elements, such as the overlap of two masks.

    `axis` names the axes of y_pred that form a set: the others keep a value each. None takes all of them: the batch is
    one set. A weight or mask on the axes before the first of a set belongs to the sets; one that reaches into a set
    belongs to its elements, and weighs them inside the sums.

    >>> class Missed(losslab.SetLoss):
    ...     def formula(self, ops, y_true, y_pred, total):
    ...         return total(y_true * (1 - y_pred)) / total(y_true)
    >>> Missed(axis=1, reduction="none")([[1.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
    array([0.5, 0. ])
    >>> float(Missed()([[1.0, 1.0]], [[1.0, 0.0]], mask=[[True, False]]))
    0.0
    """

    shapes = "One shape for both; (N,) and (N, 1) are aligned."
    unit = "set, the axes that `axis` names reduced: by default one for the batch"
    axis: int | tuple[int, ...] | None = param(None, doc="the axes that form a set; None for all")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array, total: Total) -> Array:
        """The loss of each set in the array vocabulary `ops`.

        Args:
            y_true, y_pred: of one shape.
            total: x of that shape -> the weighted sum of x over each set.
        """
        raise NotImplementedError(
            f"{type(self).__name__} declares no formula: define formula(self, ops, y_true, y_pred, total)"
        )

    def _weighted(
        self, ops: Ops, y_true: Array, y_pred: Array, sample_weight: Any, mask: Any
    ) -> tuple[Array, Array | None, Array | None]:
        members = self._members(y_pred)
        axes = self._axes(len(ops.shape(members)))
        keep, counted = self._split(ops, None if mask is None else as_mask(ops, mask, y_pred), "mask", members, axes)
        labelled = self._labelled(ops, y_true)
        if labelled is not None:
            keep = labelled if keep is None else keep & labelled
        given = None if sample_weight is None else ops.cast(ops.convert(sample_weight, like=y_pred), y_pred.dtype)
        inner, weight = self._split(ops, given, "sample_weight", members, axes)
        elements = _combined(ops, keep, inner, y_pred)
        if elements is None and not all(ops.shape(members)):
            elements = ops.ones_like(members)  # a set of nothing, or one whose size is unknown while tracing
        if elements is not None:
            left = ops.sum(ops.cast(elements != 0, y_pred.dtype), axis=axes) > 0
            counted = left if counted is None else counted & left
        if weight is not None and counted is not None:
            weight = ops.where(counted, weight, 0.0)
        used = counted if weight is None else weight != 0
        values = self._of_sets(ops, y_true, y_pred, axes, elements, used)
        return values, weight, counted

    def _members(self, y_pred: Array) -> Array:
        """An array with a number for each element of the sets."""
        return y_pred

    def _axes(self, rank: int) -> tuple[int, ...]:
        given = tuple(range(rank)) if self.axis is None else (self.axis,) if isinstance(self.axis, int) else self.axis
        if not all(-rank <= axis < rank for axis in given):
            raise ValueError(f"{self.name}: axis {self.axis} is out of range for y_pred with {rank} axes")
        return tuple(sorted({axis % rank for axis in given}))

    def _split(
        self, ops: Ops, x: Array | None, what: str, members: Array, axes: tuple[int, ...]
    ) -> tuple[Array | None, Array | None]:
        """A weight or mask as one of elements or one of sets: the other is None."""
        if x is None or ops.shape(x) == ():
            return None, x
        x = align_to_values(ops, x, members, ops.shape(members), what, self.name)
        if not axes or axes[0] == 0 or any(length != 1 for length in ops.shape(x)[axes[0] :]):
            return x, None
        for axis in reversed(axes):
            x = ops.squeeze(x, axis)
        return None, x

    def _of_sets(
        self, ops: Ops, y_true: Array, y_pred: Array, axes: tuple[int, ...], elements: Array | None, used: Array | None
    ) -> Array:
        """A value per set; 0 where `used` is False. Removed inputs are replaced, so that they leave no NaN."""
        keep = None if elements is None else elements != 0
        if used is not None:
            whole = used
            for axis in axes if ops.shape(used) != () else ():
                whole = ops.expand_dims(whole, axis)
            keep = whole if keep is None else keep & whole
        y_true, y_pred = self._substituted(ops, y_true, y_pred, keep)
        values = self.formula(ops, y_true, y_pred, lambda x: self._total(ops, x, elements, axes))
        shape = ops.shape(self._members(y_pred))
        self._check(ops.shape(values), tuple(n for i, n in enumerate(shape) if i not in axes))
        return values if used is None else ops.where(used, values, 0.0)

    def _total(self, ops: Ops, x: Array, elements: Array | None, axes: tuple[int, ...]) -> Array:
        """The sum of x over each set, each element times its weight."""
        return ops.sum(x if elements is None else elements * x, axis=axes)

    def _check(self, values: Shape, expected: Shape) -> None:
        if not same_shape(values, expected):
            raise ValueError(
                f"{type(self).__name__}.formula returned shape {tuple(values)}, but {expected} is one value per set"
            )


def _combined(ops: Ops, keep: Array | None, weight: Array | None, y_pred: Array) -> Array | None:
    """The weight of each element, 0 where a mask removes it; None for 1 everywhere."""
    if keep is None or weight is None:
        return weight if keep is None else ops.cast(keep, y_pred.dtype)
    return ops.where(keep, weight, 0.0)  # padding may hold NaN
