"""Means of per-sample values: of numbers, and of what a loss gives."""

from typing import Any

from .._loss import Loss
from .._ops import Array, Ops, ops_for
from ._metric import Metric, Streaming, Sums
from ._registry import METRICS
from ._weights import ratio, weights


class _Mean(Streaming):
    """Σ w·v / Σ w."""

    def compute(self, sums: Sums) -> Array:
        return ratio(ops_for(*sums.values()), sums["total"], sums["weight"], empty=float("nan"))

    def undefined(self, sums: Sums) -> str:
        return "" if sums["weight"] != 0 else "the weights of all that it has seen sum to 0"


@METRICS.register
class Mean(_Mean):
    """The weighted mean of numbers: Σ w·v / Σ w.

    >>> mean = losslab.metrics.Mean()
    >>> mean.update([1.0, 3.0])
    >>> mean.update([8.0, float("nan")], sample_weight=[2, 0])
    >>> mean.result()
    5.0
    """

    def statistics(self, values: Any, sample_weight: Any = None, mask: Any = None) -> Sums:
        """What one batch of numbers adds to the sums."""
        ops = ops_for(values, sample_weight, mask)
        values = ops.convert(values)
        values = ops.cast(values, ops.float_dtype(values))
        return total(ops, values, weights(ops, values, sample_weight, mask, self.name))

    def update(self, values: Any, sample_weight: Any = None, mask: Any = None) -> None:
        """Take in numbers of any shape.

        Args:
            values: an array of any framework, or a list.
            sample_weight, mask: scalar, (N,), (N, 1) or the shape of `values`; 0 and False remove.

        Raises:
            TypeError: tensors of two frameworks, or no real numbers.
            ValueError: a weight or mask of another shape.
        """
        self.add(self.statistics(values, sample_weight, mask))


def mean(values: Any, sample_weight: Any = None, mask: Any = None) -> float:
    """The weighted mean of numbers, Σ w·v / Σ w; arguments and errors as in `Mean.update`.

    >>> losslab.metrics.mean([1.0, 4.0], sample_weight=[2, 1])
    2.0
    """
    metric = Mean()
    metric.update(values, sample_weight, mask)
    return float(metric.result())


mean.metric, mean.over_all_samples = Mean, True  # type: ignore[attr-defined]  # as `whole_form` marks its functions


class MeanMetric(_Mean, Metric):
    """The mean by weight of per-sample values that a loss declares, so that the rules of losses hold for shapes, class
    ids, weights and masks.
    """

    def _settle(self) -> None:
        super()._settle()
        self._loss = self.values()
        if self._loss.targets.name == "identity":
            raise ValueError(
                f"{self.name}: a value of {self._loss!r} depends on the other samples of its batch, so that batches do "
                f"not add up: it is no metric; call the loss on all samples at once"
            )

    def values(self) -> Loss:
        """The loss whose per-sample values are averaged; its reduction plays no part."""
        raise NotImplementedError

    def per_sample(self, y_true: Any, y_pred: Any) -> Array:
        """One value per sample, in the framework of the arrays."""
        values, _ = self._weighted(ops_for(y_true, y_pred), y_true, y_pred, None, None)
        return values

    def statistics(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Sums:
        ops = ops_for(y_true, y_pred, sample_weight, mask)
        return total(ops, *self._weighted(ops, y_true, y_pred, sample_weight, mask))

    def _weighted(self, ops: Ops, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> tuple[Array, Array]:
        """Per-sample values and how much each counts."""
        loss = self._loss
        y_true, y_pred = loss._inputs(ops, y_true, y_pred)
        sets = getattr(loss, "_axes", None)  # of a loss on sets: the axes that belong to one
        whole = sets is not None and 0 in sets(len(ops.shape(y_pred)))
        values, weight, counted = loss._weighted(ops, y_true, y_pred, sample_weight, mask)
        if whole or (ops.shape(values) == () and loss._value_shape(ops.shape(y_pred)) != ()):
            raise ValueError(
                f"{self.name}: {loss!r} gives no value per sample, but one for a whole batch, which does not add up "
                f"over batches: of a loss on sets, give the axes of one sample's set, from 1 on, or per_image=True"
            )
        ones = ops.ones_like(values)
        weight = ones if weight is None else ones * weight
        return values, weight if counted is None else ops.where(counted, weight, 0.0)


def total(ops: Ops, values: Array, weight: Array) -> Sums:
    """Σ w·v and Σ w; values of weight 0 may be NaN."""
    counted = ops.where(weight != 0, values, 0.0) * weight
    return {"total": ops.sum(counted, axis=None), "weight": ops.sum(weight, axis=None)}
