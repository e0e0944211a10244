"""Accuracy of whatever task the data show."""

from typing import Any, Literal, Self

from .._domain import LOGIT, SIGN
from .._loss import Loss
from .._ops import Array, ops_for
from .._param import param
from ._function import per_sample_form
from ._hits import SeveralLabels
from ._mean import MeanMetric
from ._metric import Metric, Sums
from ._registry import METRICS
from ._weights import ratio
from .accuracies import FROM_LOGITS, THRESHOLD, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from .of_loss import loss_meant

Task = Literal["binary", "sparse_categorical", "rows"]


@METRICS.register
class Accuracy(Metric):
    """How often a prediction is right; `resolved` says which accuracy that is.

    - y_pred has one value per sample: `binary_accuracy`.
    - y_true lacks the axis of classes: `sparse_categorical_accuracy`.
    - One shape, several columns: `categorical_accuracy` if every label row seen names one class, else the labels are
      independent (multi-label): `binary_accuracy`. Decided over all the data, not batch by batch.

    The loss plays no part: one-hot rows under binary_crossentropy are still one class out of several.

    >>> accuracy = losslab.metrics.Accuracy()
    >>> accuracy.update([[0, 1, 0], [1, 0, 0]], [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])
    >>> accuracy.result(), accuracy.resolved
    (0.5, 'categorical_accuracy')
    >>> accuracy.update([[1, 1, 0]], [[0.9, 0.8, 0.1]])
    >>> accuracy.resolved
    'binary_accuracy'
    """

    aliases = ("acc",)
    threshold: float = param(0.5, doc=f"binary: {THRESHOLD}")
    from_logits: bool = param(False, doc=f"binary: {FROM_LOGITS}")
    ignore_class: int | None = param(
        None, doc="the class, or where labels count on their own the label, that is removed"
    )

    def _settle(self) -> None:
        super()._settle()
        ignored: dict[str, Any] = {"ignore_class": self.ignore_class, "name": self.name}
        self._binary = BinaryAccuracy(threshold=self.threshold, from_logits=self.from_logits, **ignored)
        self._categorical, self._unignoring = CategoricalAccuracy(**ignored), CategoricalAccuracy(name=self.name)
        self._sparse = SparseCategoricalAccuracy(**ignored)
        # 0 and 1 stand in every one-hot row: there they are classes
        self._several = _Several(name=self.name) if self.ignore_class in (0, 1) else _Several(**ignored)

    @classmethod
    def for_loss(cls, loss: Any) -> Self:
        """The accuracy with the threshold and the ignored class that a loss, or what `losslab.get` takes, implies.

        Raises:
            TypeError: a callable that does not say what its labels are.

        >>> losslab.metrics.Accuracy.for_loss(losslab.BinaryCrossentropy(from_logits=True))
        Accuracy(from_logits=True)
        >>> losslab.metrics.Accuracy.for_loss(losslab.Hinge())
        Accuracy(threshold=0.0)
        """
        meant = loss_meant(loss)
        if not isinstance(meant, Loss):
            raise TypeError(f"{loss!r} is no losslab.Loss, so it does not say what its labels are")
        return cls(
            threshold=0.0 if meant.targets is SIGN else 0.5,
            from_logits=meant.outputs is LOGIT,
            ignore_class=getattr(meant, "ignore_class", None),
        )

    @property
    def resolved(self) -> str | None:
        """The name of the accuracy that the data seen ask for; None before the first batch."""
        if "several" in self.sums:
            return "binary_accuracy" if self.sums["several"] != 0 else "categorical_accuracy"
        return next((name for name in self.sums if name != "weight"), None)

    def statistics(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Sums:
        data = (y_true, y_pred, sample_weight, mask)
        task = _task(y_true, y_pred)
        if task == "sparse_categorical":
            return _as("sparse_categorical_accuracy", self._sparse.statistics(*data))
        if task == "binary":
            return _as("binary_accuracy", self._binary.statistics(*data))
        return {
            "several": self._several.statistics(*data)["total"],
            **_as("binary_accuracy", self._binary.statistics(*data), "binary_weight"),
            **_as("categorical_accuracy", self._of_rows(y_pred).statistics(*data)),
        }

    def compute(self, sums: Sums) -> Array:
        return ratio(ops_for(*sums.values()), *_decided(sums), empty=float("nan"))

    def undefined(self, sums: Sums) -> str:
        return "" if _decided(sums)[1] != 0 else "the weights of all that it has seen sum to 0"

    def per_sample(self, y_true: Any, y_pred: Any) -> Array:
        """One value per sample; whether label rows name one class is decided over these rows."""
        task = _task(y_true, y_pred)
        if task == "sparse_categorical":
            return self._sparse.per_sample(y_true, y_pred)
        binary = self._binary.per_sample(y_true, y_pred)
        if task == "binary":
            return binary
        ops = ops_for(binary)
        several = ops.sum(self._several.per_sample(y_true, y_pred), axis=None)
        return ops.where(several == 0, self._of_rows(y_pred).per_sample(y_true, y_pred), binary)

    def _of_rows(self, y_pred: Any) -> CategoricalAccuracy:
        """The accuracy of rows that name one class; a number that is none of the classes is none to ignore."""
        ops = ops_for(y_pred)
        classes = ops.shape(ops.convert(y_pred))[-1]
        outside = self.ignore_class is not None and (self.ignore_class < 0 or self.ignore_class >= (classes or 0))
        return self._unignoring if outside else self._categorical


class _Several(MeanMetric):
    """How many label rows do not name one class."""

    ignore_class: int | None = param(None)

    def values(self) -> Loss:
        return SeveralLabels(ignore_class=self.ignore_class, name=self.name)


def _task(y_true: Any, y_pred: Any) -> Task:
    """What the shapes say; shapes that do not fit are left to the accuracy to refuse."""
    ops = ops_for(y_true, y_pred)
    y_pred = ops.convert(y_pred)
    labels, predictions = ops.shape(ops.convert(y_true, like=y_pred)), ops.shape(y_pred)
    if len(predictions) < 2 or predictions[-1] == 1:
        return "binary"
    if len(labels) < len(predictions) or labels[-1] == 1:
        return "sparse_categorical"
    return "rows"


def _as(name: str, sums: Sums, weight: str = "weight") -> Sums:
    return {name: sums["total"], weight: sums["weight"]}


def _decided(sums: Sums) -> tuple[Array, Array]:
    """What is right and the weight of all, of the accuracy that the sums ask for."""
    if "several" not in sums:
        return next(value for name, value in sums.items() if name != "weight"), sums["weight"]
    ops, one_class = ops_for(*sums.values()), sums["several"] == 0
    right = ops.where(one_class, sums["categorical_accuracy"], sums["binary_accuracy"])
    return right, ops.where(one_class, sums["weight"], sums["binary_weight"])


accuracy = per_sample_form(Accuracy)
