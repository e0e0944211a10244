"""Right or wrong, sample by sample: declared as losses are, so that the rules of losses hold."""

from .._domain import BINARY, CLASS_ID, ONE_HOT, SCORE, SCORES
from .._formula_loss import ElementLoss, RowLoss
from .._ops import Array, Ops
from .._param import param
from ._labels import cut, names_one_class, positive, unknown


class BinaryHits(ElementLoss):
    """1 where label and prediction fall on the same side."""

    targets, outputs = BINARY, SCORE
    threshold: float = param(0.5)
    from_logits: bool = param(False)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        right = positive(ops, y_true, self.name) == (y_pred > cut(self.threshold, self.from_logits))
        return ops.where(unknown(ops, y_true, y_pred), float("nan"), ops.cast(right, y_pred.dtype))


class _RankedHits(RowLoss):
    """1 where the true class is among the k highest scores; of equal scores the first class counts as higher."""

    outputs = SCORES
    k: int = param(1, ge=1)

    def hits(self, ops: Ops, ids: Array, y_pred: Array) -> Array:
        if ops.shape(y_pred)[-1] == 1:
            raise ValueError(
                f"{self.name}: y_pred has shape {tuple(ops.shape(y_pred))}: the best of one class is always right; "
                f"use binary_accuracy"
            )
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

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return self.hits(ops, y_true, y_pred)


class CategoricalHits(_RankedHits):
    """Labels are one-hot rows or class probabilities."""

    targets = ONE_HOT

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        nan = ops.sum(ops.where(ops.isnan(y_true), y_true, 0.0))
        return self.hits(ops, ops.argmax(y_true), y_pred) + nan


class SeveralLabels(RowLoss):
    """1 where the label row does not name one class: not one yes among noes, and no probabilities that sum to 1."""

    targets = ONE_HOT

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        one = names_one_class(ops, y_true)
        return ops.where(one, 0.0, ops.ones_like(ops.sum(y_pred)))
