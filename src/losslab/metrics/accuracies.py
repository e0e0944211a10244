"""How often a prediction is right, when the task is known."""

from .._loss import Loss
from .._param import param
from ._function import per_sample_form
from ._hits import BinaryHits, CategoricalHits, SparseHits
from ._mean import MeanMetric
from ._registry import METRICS

THRESHOLD = "a prediction above it is a yes; a probability also with from_logits"
FROM_LOGITS = "y_pred holds logits; else probabilities or scores"
IGNORE = "the class id whose samples are removed"
IGNORE_LABEL = "the label that is removed, such as -1 for unknown"
IGNORE_ROWS = "the class whose rows are removed: those with more than half of it"
K = "how many of the highest scores count"


@METRICS.register
class BinaryAccuracy(MeanMetric):
    """How often yes and no are right, every label of a sample on its own: with several labels, the mean over them.

    A label above ½ is a yes: labels 0 and 1, -1 and 1, or probabilities. A prediction of NaN gives NaN.

    >>> losslab.metrics.binary_accuracy([[1, 0], [1, 1]], [[0.9, 0.2], [0.8, 0.3]])
    array([1. , 0.5])
    """

    threshold: float = param(0.5, doc=THRESHOLD)
    from_logits: bool = param(False, doc=FROM_LOGITS)
    ignore_class: int | None = param(None, doc=IGNORE_LABEL)

    def values(self) -> Loss:
        return BinaryHits(
            threshold=self.threshold, from_logits=self.from_logits, ignore_class=self.ignore_class, name=self.name
        )


@METRICS.register
class CategoricalAccuracy(MeanMetric):
    """How often the highest score is that of the label's class; labels are one-hot rows or class probabilities.

    Of equal scores the first class is the prediction.

    >>> losslab.metrics.categorical_accuracy([[0, 1, 0], [1, 0, 0]], [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])
    array([1., 0.])
    """

    ignore_class: int | None = param(None, doc=IGNORE_ROWS)

    def values(self) -> Loss:
        return CategoricalHits(ignore_class=self.ignore_class, name=self.name)


@METRICS.register
class SparseCategoricalAccuracy(MeanMetric):
    """How often the highest score is that of the label's class; labels are class ids.

    Of equal scores the first class is the prediction.

    >>> losslab.metrics.sparse_categorical_accuracy([1, 0], [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])
    array([1., 0.])
    """

    ignore_class: int | None = param(None, doc=IGNORE)

    def values(self) -> Loss:
        return SparseHits(ignore_class=self.ignore_class, name=self.name)


@METRICS.register
class TopKCategoricalAccuracy(MeanMetric):
    """How often the label's class is among the k highest scores; labels are one-hot rows or class probabilities.

    Of equal scores the first class counts as higher, so that a constant prediction is right for k classes, not for all.

    >>> losslab.metrics.top_k_categorical_accuracy([[0, 1, 0], [1, 0, 0]], [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]], k=2)
    array([1., 1.])
    """

    k: int = param(5, ge=1, doc=K)
    ignore_class: int | None = param(None, doc=IGNORE_ROWS)

    def values(self) -> Loss:
        return CategoricalHits(k=self.k, ignore_class=self.ignore_class, name=self.name)


@METRICS.register
class SparseTopKCategoricalAccuracy(MeanMetric):
    """How often the label's class is among the k highest scores; labels are class ids.

    Of equal scores the first class counts as higher, so that a constant prediction is right for k classes, not for all.

    >>> losslab.metrics.sparse_top_k_categorical_accuracy([1, 2], [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]], k=2)
    array([1., 0.])
    """

    k: int = param(5, ge=1, doc=K)
    ignore_class: int | None = param(None, doc=IGNORE)

    def values(self) -> Loss:
        return SparseHits(k=self.k, ignore_class=self.ignore_class, name=self.name)


binary_accuracy = per_sample_form(BinaryAccuracy)
categorical_accuracy = per_sample_form(CategoricalAccuracy)
sparse_categorical_accuracy = per_sample_form(SparseCategoricalAccuracy)
top_k_categorical_accuracy = per_sample_form(TopKCategoricalAccuracy)
sparse_top_k_categorical_accuracy = per_sample_form(SparseTopKCategoricalAccuracy)
