"""Right or wrong, sample by sample: declared as losses are, so that the rules of losses hold."""

from typing import Any

from .._align import Shape
from .._domain import BINARY, CLASS_ID, ONE_HOT, SCORE, SCORES
from .._formula_loss import ElementLoss, RowLoss
from .._ops import Array, Ops
from .._param import param
from ._kinds import refuse_ids, refuse_rows
from ._labels import cut, names_one_class, positive, unknown


class BinaryHits(ElementLoss):
    """1 where label and prediction fall on the same side."""

    targets, outputs = BINARY, SCORE
    threshold: float = param(0.5)
    from_logits: bool = param(False)
    ignore_class: int | None = param(None)

    def _inputs(self, ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        y_true, y_pred = _converted(ops, y_true, y_pred)
        refuse_ids(ops, y_true, y_pred, self.name)
        return super()._inputs(ops, y_true, y_pred)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        right = positive(ops, y_true, self.name) == (y_pred > cut(self.threshold, self.from_logits))
        return ops.where(unknown(ops, y_true, y_pred), float("nan"), ops.cast(right, y_pred.dtype))


class _RankedHits(RowLoss):
    """1 where the true class is among the k highest scores; of equal scores the first class counts as higher."""

    outputs = SCORES
    k: int = param(1, ge=1)

    def _value_shape(self, shape: Shape) -> Shape:
        if shape[-1:] == (1,):
            raise ValueError(
                f"{self.name}: y_pred has shape {tuple(shape)}: the best of one class is always right; "
                f"use binary_accuracy"
            )
        return super()._value_shape(shape)

    def hits(self, ops: Ops, ids: Array, y_pred: Array) -> Array:
        right = ops.argmax(y_pred) == ids if self.k == 1 else self._rank(ops, ids, y_pred) < self.k
        nan = ops.sum(ops.where(ops.isnan(y_pred), y_pred, 0.0))  # NaN if one score is, else 0
        return ops.cast(right, y_pred.dtype) + nan

    def _rank(self, ops: Ops, ids: Array, y_pred: Array) -> Array:
        """How many classes stand before the true one: 0 is the best."""
        score = ops.expand_dims(ops.take(y_pred, ids))
        place = ops.cumsum(ops.ones_like(y_pred)) - 1.0
        earlier = place < ops.expand_dims(ops.cast(ids, y_pred.dtype))
        before = (y_pred > score) | ((y_pred == score) & earlier)
        return ops.sum(ops.cast(before, y_pred.dtype))


class SparseHits(_RankedHits):
    """Labels are class ids."""

    targets = CLASS_ID
    ignore_class: int | None = param(None)

    def _inputs(self, ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        y_true, y_pred = _converted(ops, y_true, y_pred)
        fix = "categorical_accuracy" if self.k == 1 else "top_k_categorical_accuracy"
        refuse_rows(ops, y_true, y_pred, self.name, fix)
        return super()._inputs(ops, y_true, y_pred)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return self.hits(ops, y_true, y_pred)


class CategoricalHits(_RankedHits):
    """Labels are one-hot rows or class probabilities."""

    targets = ONE_HOT
    ignore_class: int | None = param(None)

    def _inputs(self, ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        y_true, y_pred = _converted(ops, y_true, y_pred)
        fix = "sparse_categorical_accuracy" if self.k == 1 else "sparse_top_k_categorical_accuracy"
        refuse_ids(ops, y_true, y_pred, self.name, fix)
        return super()._inputs(ops, y_true, y_pred)

    def _labelled(self, ops: Ops, y_true: Array) -> Array | None:
        """False for rows with more than half of their mass on the ignored class, as in the categorical losses."""
        if self.ignore_class is None:
            return None
        classes = ops.shape(y_true)[-1]
        if classes is not None and not 0 <= self.ignore_class < classes:
            raise ValueError(
                f"{self.name}: ignore_class {self.ignore_class} is none of the {classes} classes of y_true"
            )
        return ~(y_true[..., self.ignore_class] > 0.5)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        nan = ops.sum(ops.where(ops.isnan(y_true), y_true, 0.0))
        return self.hits(ops, ops.argmax(y_true), y_pred) + nan


class SeveralLabels(RowLoss):
    """1 where the label row does not name one class: not one yes among noes, and no probabilities that sum to 1.

    A label that is ignored alone makes a row one of several labels too; a row of nothing else is removed.
    """

    targets = ONE_HOT
    ignore_class: int | None = param(None)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        one = names_one_class(ops, y_true)
        if self.ignore_class is not None:
            one = one & (ops.sum(ops.cast(y_true == self.ignore_class, y_pred.dtype)) == 0.0)
        return ops.where(one, 0.0, ops.ones_like(ops.sum(y_pred)))


def _converted(ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    y_pred = ops.convert(y_pred)
    return ops.convert(y_true, like=y_pred), y_pred
