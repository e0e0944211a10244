"""Losses, and callables of one's own, as metrics."""

from typing import Any

from .._loss import Loss
from .._param import param
from .._registry import LOSSES
from .._wrapper import LossFunctionWrapper
from ._mean import MeanMetric
from ._metric import Sums
from ._registry import METRICS


class LossMetric(MeanMetric):
    """A loss as a metric: the mean of its per-sample values by weight, Σ w·v / Σ w, with the loss's own sign.

    The reduction of the loss plays no part. A callable (y_true, y_pred) -> one value per sample works too. Refused with
    a ValueError are losses whose values belong to a batch: pairs of its samples (circle), sets that go beyond a sample
    (dice without `axis`).

    >>> mse = losslab.metrics.get("mse")
    >>> mse.update([[0.0], [0.0]], [[1.0], [3.0]])
    >>> mse.result()
    5.0
    """

    better = "lower"

    def __init__(self, loss: Any, name: str = "") -> None:
        found = loss_meant(loss)
        self.loss: Loss = found if isinstance(found, Loss) else LossFunctionWrapper(found)
        self.name = name

    def _own_name(self) -> str:
        return self.loss.name

    def _parameters(self) -> dict[str, Any]:
        return {"loss": self.loss, "name": self.name}

    def get_config(self) -> dict[str, Any]:
        """The parameters, the loss as `losslab.serialize` gives it."""
        return {"loss": LOSSES.serialize(self.loss), "name": self.name}

    def values(self) -> Loss:
        return self.loss


METRICS.unlisted["LossMetric"] = ("loss_metric", LossMetric)  # configs name it; a name alone would lack its loss


@METRICS.register
class CosineSimilarity(MeanMetric):
    """The mean cosine of the angle between label and prediction, with Keras' sign for the metric: 1 is best.

    The loss of the same name, `losslab.CosineSimilarity`, is its negative, also as `LossMetric("cosine_similarity")`.

    >>> similarity = losslab.metrics.get("cosine_similarity")
    >>> similarity.update([[0.0, 2.0]], [[0.0, 1.0]])
    >>> similarity.result()
    1.0
    """

    axis: int = param(-1, doc="the axis of the vectors")

    def values(self) -> Loss:
        loss: Loss = LOSSES.get({"class_name": "CosineSimilarity", "config": {"axis": self.axis, "name": self.name}})
        return loss

    def statistics(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Sums:
        sums = super().statistics(y_true, y_pred, sample_weight, mask)
        return {**sums, "total": -sums["total"]}


def loss_meant(identifier: Any) -> Any:
    """What `losslab.get` gives, as a losslab loss where it is one in another form; other callables as they are."""
    found = LOSSES.get(identifier)
    core, made_by = getattr(found, "core", None), getattr(found, "loss", None)
    if isinstance(core, Loss):  # a Keras loss of losslab.keras
        return core
    if isinstance(made_by, type) and issubclass(made_by, Loss):  # a function of the catalogue
        return made_by()
    return found


METRICS.wrap = lambda target, parameters: LossMetric(LossFunctionWrapper(target, **parameters))  # a registered function
