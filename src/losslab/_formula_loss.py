"""ElementLoss and RowLoss: losses declared as a formula in the array vocabulary."""

from ._align import Shape, same_shape
from ._loss import Loss
from ._ops import Array, Ops


class FormulaLoss(Loss):
    """What losses that are a formula share."""

    @property
    def axis(self) -> int:
        """The axis that the function form reduces."""
        return -1

    @property
    def ignore_class(self) -> int | None:
        """The class whose samples are removed."""
        return None

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        """The loss in the array vocabulary `ops`.

        Args:
            y_true, y_pred: of one shape, with `axis` last; class ids lack that axis.
        """
        raise NotImplementedError(
            f"{type(self).__name__} declares no formula: define formula(self, ops, y_true, y_pred)"
        )

    @property
    def _class_axis(self) -> int:
        return self.axis

    def _labelled(self, ops: Ops, y_true: Array) -> Array | None:
        return None if self.ignore_class is None else y_true != self.ignore_class

    def _checked(self, ops: Ops, values: Array, expected: Shape, per: str) -> None:
        shape = () if isinstance(values, int | float) else ops.shape(values)
        if not same_shape(shape, expected):
            raise ValueError(
                f"{type(self).__name__}.formula returned shape {tuple(shape)}, "
                f"but {tuple(expected)} is one value per {per}"
            )


class ElementLoss(FormulaLoss):
    """A loss with a value for every element; a sample's value is the mean over the last axis.

    >>> class Squared(losslab.ElementLoss):
    ...     def formula(self, ops, y_true, y_pred):
    ...         return ops.square(y_pred - y_true)
    >>> float(Squared()([1.0, 2.0], [1.0, 4.0]))
    2.0
    """

    def _values(self, ops: Ops, y_true: Array, y_pred: Array, used: Array | None, labelled: Array | None) -> Array:
        if labelled is None or len(ops.shape(labelled)) < 2:
            return super()._values(ops, y_true, y_pred, used, labelled)
        # an ignored label leaves the mean over its row
        keep = labelled & ops.expand_dims(used)
        y_true, y_pred = self._substituted(ops, y_true, y_pred, keep)
        values = ops.where(keep, self._elements(ops, y_true, y_pred), 0.0)
        return ops.sum(values) / ops.maximum(ops.sum(ops.cast(keep, values.dtype)), 1.0)

    def _evaluated(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        values = self._elements(ops, y_true, y_pred)
        return values if len(ops.shape(y_pred)) < 2 else ops.mean(values)

    def _elements(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        values = self.formula(ops, y_true, y_pred)
        self._checked(ops, values, ops.shape(y_pred), "element")
        return values


class RowLoss(FormulaLoss):
    """A loss with one value for every row of the last axis: a class distribution, a vector.

    >>> class Distance(losslab.RowLoss):
    ...     def formula(self, ops, y_true, y_pred):
    ...         return ops.sqrt(ops.sum(ops.square(y_pred - y_true)))
    >>> float(Distance()([[0.0, 0.0]], [[3.0, 4.0]]))
    5.0
    """

    def _value_shape(self, shape: Shape) -> Shape:
        return self._not_empty(shape)[:-1]

    def _evaluated(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        values = ops._values_of(self, y_true, y_pred)
        self._checked(ops, values, ops.shape(y_pred)[:-1], "row")
        return values
