"""losslab's metrics in Keras 3: every one as a registered `keras.metrics.Metric`, for `compile`.

>>> import losslab.keras.metrics
>>> auc = losslab.keras.metrics.AUC(num_thresholds=200)
>>> auc.update_state([0, 1, 1], [0.2, 0.7, 0.9])
>>> float(auc.result())
1.0
"""

from typing import Any

from losslab import metrics

from ._metrics import KerasMetric, metric_class, wrap
from ._registered import no_attribute, registered

__all__ = ["KerasMetric", "metric_class", "wrap"]


def _catalogue() -> dict[str, type[KerasMetric]]:
    """Class name -> Keras class, of every metric of labels and predictions that is registered now."""
    return {cls.__name__: metric_class(cls) for cls in (metrics.LossMetric, *registered(metrics, metrics.Metric))}


# All at once and at import: Keras finds a saved metric only if its class is registered by then.
globals().update(_catalogue())
__all__ += sorted(_catalogue())


def __getattr__(name: str) -> Any:
    """The class of a metric that was registered after losslab.keras.metrics was imported."""
    known = _catalogue()
    if name not in known:
        raise no_attribute("losslab.keras.metrics", name, [*known, *__all__], "metric")
    return known[name]
