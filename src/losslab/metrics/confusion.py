"""Precision, recall and F1: hits, false alarms and misses, counted per class."""

from typing import Any, Literal

from .._ops import Array, Ops, ops_for
from .._param import param
from ._function import whole_form
from ._labels import Pairs, cut, names_one_class, pairs, positive
from ._metric import Metric, Sums
from ._registry import METRICS
from ._weights import ratio


class ConfusionMetric(Metric):
    """A score of hits, false alarms and misses.

    y_pred has one column (yes or no), or one per class. With several columns the prediction is the class of the highest
    score, and y_true holds class ids or one-hot rows; with a `threshold`, each column is a yes or no of its own
    (multi-label). Where nothing is positive, so that a divisor is 0, the score is 0, as in scikit-learn and Keras.
    Every column of y_pred is a class that "macro" counts.
    """

    average: Literal["binary", "micro", "macro", "weighted"] | None = param(
        "binary",
        doc="binary: of one column; of several: micro, of the summed counts; macro, the mean over the classes; "
        "weighted, their mean by number of labels; None, a score per class",
    )
    threshold: float | None = param(
        None, doc="a prediction above it is a yes; None: 0.5 for one column, the highest score of a row for several"
    )
    from_logits: bool = param(False, doc="y_pred holds logits; the threshold stays a probability")

    def score(self, ops: Ops, hits: Array, false: Array, missed: Array) -> Array:
        """The score of counts, each class on its own."""
        raise NotImplementedError

    def statistics(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Sums:
        self._check_average(y_pred)
        ops, label, decision, weight = self._decided(y_true, y_pred, sample_weight, mask)
        axes = tuple(range(len(ops.shape(decision)) - 1))
        return {
            "hits": ops.sum(weight * label * decision, axis=axes),
            "false": ops.sum(weight * (1.0 - label) * decision, axis=axes),
            "missed": ops.sum(weight * label * (1.0 - decision), axis=axes),
        }

    def compute(self, sums: Sums) -> Array:
        ops = ops_for(*sums.values())
        hits, false, missed = sums["hits"], sums["false"], sums["missed"]
        if self.average in ("binary", "micro"):
            return self.score(ops, ops.sum(hits), ops.sum(false), ops.sum(missed))
        scores = self.score(ops, hits, false, missed)
        if self.average == "macro":
            return ops.mean(scores)
        if self.average == "weighted":
            return ratio(ops, ops.sum(scores * (hits + missed)), ops.sum(hits + missed), empty=0.0)
        return scores

    def _decided(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> Pairs:
        """Labels and predictions as 0 and 1, and weights, each of shape (..., columns)."""
        ops = ops_for(y_true, y_pred, sample_weight, mask)
        y_pred = ops.convert(y_pred)
        several = len(ops.shape(y_pred)) > 1 and ops.shape(y_pred)[-1] != 1
        if several and self.threshold is None:
            rows = _one_hot_rows(ops, ops.convert(y_true, like=y_pred), y_pred)
            return _best_of_row(pairs(rows, y_pred, sample_weight, mask, self.name, by_row=True), self.name)
        ops, y_true, y_pred, weight = pairs(y_true, y_pred, sample_weight, mask, self.name)
        bound = cut(0.5 if self.threshold is None else self.threshold, self.from_logits)
        label = ops.cast(positive(ops, y_true, self.name), y_pred.dtype)
        return Pairs(ops, label, ops.cast(y_pred > bound, y_pred.dtype), weight)

    def _check_average(self, y_pred: Any) -> None:
        """Before any value is looked at: in Keras' trial runs the values are made up."""
        ops = ops_for(y_pred)
        shape = ops.shape(ops.convert(y_pred))
        columns = shape[-1] if len(shape) > 1 else 1
        if self.average == "binary" and columns != 1:
            raise ValueError(
                f"{self.name}: average='binary' is for one column, but y_pred has {columns}: "
                f"give average='macro', 'micro' or 'weighted', or None for a score per class"
            )


@METRICS.register
class Precision(ConfusionMetric):
    """The part of the predicted yes that is right: hits / (hits + false alarms).

    Classes, several labels and averages: as `losslab.metrics.ConfusionMetric` says.

    >>> losslab.metrics.precision([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.2])
    0.6666666666666666
    >>> losslab.metrics.precision([0, 1, 2], [[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], average=None)
    array([0.5, 0. , 1. ])
    """

    def score(self, ops: Ops, hits: Array, false: Array, missed: Array) -> Array:
        return ratio(ops, hits, hits + false, empty=0.0)


@METRICS.register
class Recall(ConfusionMetric):
    """The part of the true yes that is found: hits / (hits + misses).

    Classes, several labels and averages: as `losslab.metrics.ConfusionMetric` says.

    >>> losslab.metrics.recall([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.2])
    0.6666666666666666
    """

    def score(self, ops: Ops, hits: Array, false: Array, missed: Array) -> Array:
        return ratio(ops, hits, hits + missed, empty=0.0)


@METRICS.register
class F1Score(ConfusionMetric):
    """The harmonic mean of precision and recall: 2·hits / (2·hits + false alarms + misses).

    Classes, several labels and averages: as `losslab.metrics.ConfusionMetric` says.

    >>> losslab.metrics.f1_score([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.2])
    0.6666666666666666
    """

    aliases = ("f1",)

    def score(self, ops: Ops, hits: Array, false: Array, missed: Array) -> Array:
        return ratio(ops, 2.0 * hits, 2.0 * hits + false + missed, empty=0.0)


precision = whole_form(Precision)
recall = whole_form(Recall)
f1_score = whole_form(F1Score)


def _one_hot_rows(ops: Ops, y_true: Array, y_pred: Array) -> Array:
    """Class ids as one-hot rows, zeros for an id that is none; rows as they are."""
    labels, predictions = ops.shape(y_true), ops.shape(y_pred)
    if len(labels) == len(predictions) and labels[-1] == 1:
        y_true = ops.squeeze(y_true)
    elif len(labels) >= len(predictions):
        return y_true
    ids = ops.ids(y_true)
    whole = ops.cast(ids, y_true.dtype) == y_true
    rows = ops.one_hot(ids, ops.length(y_pred), ops.float_dtype(y_pred))
    return ops.where(ops.expand_dims(whole), rows, 0.0)


def _best_of_row(given: Pairs, name: str) -> Pairs:
    """Rows as one-hot decisions of their highest entry; a row with a NaN, or one that names no class, has weight NaN.

    Raises:
        ValueError: a label row that names no class or several, where looking costs nothing.
    """
    ops, y_true, y_pred, weight = given
    wrong = (ops.max(weight) != 0) & ~names_one_class(ops, y_true)
    seen, rows = ops.look(wrong), ops.look(y_true)
    columns = ops.length(y_pred)
    if seen is not None and rows is not None and seen.any():
        raise ValueError(
            f"{name}: {seen.sum()} of {seen.size} label rows name no class or several, the first is {rows[seen][0]}: "
            f"class ids go from 0 to {columns - 1}, one-hot rows hold a single 1; for several labels at once "
            f"(multi-label) give threshold=0.5"
        )
    weight = ops.where(ops.expand_dims(wrong), float("nan"), weight + 0.0 * ops.sum(weight, keepdims=True))
    label, decision = (ops.one_hot(ops.argmax(scores), columns, y_pred.dtype) for scores in (y_true, y_pred))
    return Pairs(ops, label, decision, weight)
