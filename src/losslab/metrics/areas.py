"""The area under a curve of a score's thresholds: ROC or precision-recall, exact or binned."""

from typing import Any, Literal

import numpy as np

from .._ops import Array, Ops, ops_for
from .._param import param
from ._binned import histogram, pr_area, roc_area
from ._exact import average_precision, mann_whitney
from ._function import whole_form
from ._labels import Pairs, pairs, positive
from ._metric import Metric, Sums
from ._registry import METRICS


@METRICS.register
class AUC(Metric):
    """The area under the ROC curve, or under the precision-recall curve.

    ROC is the probability that a yes scores higher than a no, ties counting half (Mann-Whitney). PR is the average
    precision: the sum over the distinct scores of precision times recall gained, without interpolation.

    Exact unless `num_thresholds` is given: it keeps every score. With `num_thresholds` it is `keras.metrics.AUC`:
    scores in [0, 1] are counted in bins, so that the state has a fixed size; points of the ROC curve are joined by
    lines, those of the PR curve by Davis and Goadrich's interpolation, whose area lies above the average precision.

    NaN with a warning where the data hold no yes, or for ROC no no: the area does not exist.

    >>> losslab.metrics.auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    >>> round(losslab.metrics.auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], curve="PR"), 4)
    0.8333
    """

    curve: Literal["ROC", "PR"] = param("ROC", doc="ROC, or precision over recall")
    num_thresholds: int | None = param(None, ge=2, doc="None for the exact area; Keras' default is 200")
    average: Literal["micro", "macro"] = param(
        "micro", doc="of several columns: all elements together, or the mean of the columns' areas"
    )
    from_logits: bool = param(False, doc="y_pred holds logits; matters to bins only, which need probabilities")

    @property
    def growing(self) -> str:
        return "" if self.num_thresholds else "give num_thresholds=200, which counts in bins"

    @property
    def _in_keras(self) -> str:
        return f"losslab.keras.metrics.{self.replace(num_thresholds=self.num_thresholds or 200)!r}"

    def statistics(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Sums:
        given = self._columns(pairs(y_true, y_pred, sample_weight, mask, self.name))
        label = positive(given.ops, given.y_true, self.name)
        if self.num_thresholds is None:
            kept = {"label": label, "score": given.y_pred, "weight": given.weight}
            return {name: (self._on_host(value),) for name, value in kept.items()}
        bins, weight = self._binned(given, self.num_thresholds)
        yes = given.ops.cast(label, weight.dtype)
        return {
            "yes": self._counts(given.ops, bins, weight * yes),
            "no": self._counts(given.ops, bins, weight * (1.0 - yes)),
        }

    def compute(self, sums: Sums) -> Array:
        if self.num_thresholds is None:
            return self._exact(sums)
        area = roc_area if self.curve == "ROC" else pr_area
        ops = ops_for(*sums.values())
        return ops.mean(area(ops, sums["yes"], sums["no"]))

    def undefined(self, sums: Sums) -> str:
        yes, no = self._totals(sums)
        if (yes == 0).any():
            return f"no label is a yes{_where(yes == 0)}"
        if self.curve == "ROC" and (no == 0).any():
            return f"no label is a no{_where(no == 0)}"
        return ""

    def _columns(self, given: Pairs) -> Pairs:
        """As (n, columns): one column where all elements count together."""
        ops, *arrays = given
        columns = 1 if self.average == "micro" else ops.length(given.y_pred)
        return Pairs(ops, *(ops.reshape(array, (-1, columns)) for array in arrays))

    def _binned(self, given: Pairs, thresholds: int) -> tuple[Array, Array]:
        """The bin of each score and its weight: bin i holds the scores above i / (thresholds - 1), bin 0 also 0."""
        ops, _, score, weight = given
        score = ops.sigmoid(score) if self.from_logits else score
        inside = (score >= -_SLACK) & (score <= 1.0 + _SLACK)  # False for NaN
        self._check_inside(ops, inside | (weight == 0) | ops.isnan(score), score)
        place = ops.clip(ops.where(inside, score, 0.0), 0.0, 1.0) * (thresholds - 1)
        below = ops.ids(place)
        bins = ops.where(ops.cast(below, place.dtype) == place, below - 1, below)
        return ops.where(bins > 0, bins, 0), ops.where(inside, weight, float("nan"))

    def _check_inside(self, ops: Ops, inside: Array, score: Array) -> None:
        seen, scores = ops.look(inside), ops.look(score)
        if seen is not None and scores is not None and not seen.all():
            raise ValueError(
                f"{self.name}: y_pred holds {scores[~seen][0]:g}, but bins need probabilities in [0, 1]: "
                f"give from_logits=True, or leave out num_thresholds: the exact area takes any score"
            )

    def _counts(self, ops: Ops, bins: Array, weight: Array) -> Array:
        """The weight in each bin, of shape (columns, thresholds)."""
        count = self.num_thresholds or 0
        columns = [histogram(ops, bins[:, c], weight[:, c], count) for c in range(ops.shape(bins)[-1] or 0)]
        return ops.concatenate([ops.expand_dims(column, 0) for column in columns], axis=0)

    def _exact(self, sums: Sums) -> Any:
        label, score, weight = (np.concatenate(sums[name]) for name in ("label", "score", "weight"))
        if np.isnan(weight).any():
            return np.nan
        area = mann_whitney if self.curve == "ROC" else average_precision
        used = weight != 0
        columns = range(used.shape[1])
        return np.mean([area(score[used[:, c], c], label[used[:, c], c], weight[used[:, c], c]) for c in columns])

    def _totals(self, sums: Sums) -> tuple[Any, Any]:
        """The weight of yes and no in each column."""
        if self.num_thresholds is not None:
            return sums["yes"].sum(axis=-1), sums["no"].sum(axis=-1)
        label, weight = np.concatenate(sums["label"]), np.concatenate(sums["weight"])
        return np.where(label, weight, 0.0).sum(axis=0), np.where(label, 0.0, weight).sum(axis=0)


auc = whole_form(AUC)

_SLACK = 1e-6  # how far rounding may take a probability out of [0, 1]


def _where(columns: Any) -> str:
    return f" in column {int(np.argmax(columns))}" if len(columns) > 1 else ""
