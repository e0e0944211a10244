"""Metrics by name: those of metrics first, then those of losses."""

from typing import Any

from .._registry import LOSSES, UnknownNameError
from ._metric import Streaming
from ._registry import METRICS
from .of_loss import LossMetric

register, names, aliases_of = METRICS.register, METRICS.names, METRICS.aliases_of
serialize, class_of = METRICS.serialize, METRICS.target_of


def get(identifier: Any) -> Any:
    """The metric that `identifier` means, with nothing seen yet.

    Args:
        identifier: a name ("auc"), a name with parameters ("auc:curve=PR"), a config dict from `serialize`, a metric
            class, a metric (returned as it is), a function of losslab.metrics, None (returned as None); or what
            `losslab.get` takes for a loss, or any callable (y_true, y_pred) -> one value per sample: its weighted mean.
            A name that a metric and a loss share means the metric.

    Raises:
        UnknownNameError: no such name; the message suggests the nearest.
        TypeError, ValueError: a parameter that it lacks, or out of its bounds.

    >>> losslab.metrics.get("auc:curve=PR")
    AUC(curve='PR')
    >>> losslab.metrics.get("huber:delta=2")
    LossMetric(loss=Huber(delta=2.0))
    >>> losslab.metrics.get("acuracy")
    Traceback (most recent call last):
    losslab.UnknownNameError: unknown metric 'acuracy': did you mean 'accuracy'...
    """
    if identifier is None or isinstance(identifier, Streaming):
        return identifier
    core, made_by = getattr(identifier, "core", None), getattr(identifier, "metric", identifier)
    if isinstance(core, Streaming):  # a Keras metric of losslab.keras.metrics
        return core
    if isinstance(made_by, type) and issubclass(made_by, Streaming):  # a class, or a function of losslab.metrics
        return made_by()
    if callable(identifier):
        return LossMetric(identifier)
    if not isinstance(identifier, str | dict):
        raise TypeError(
            f"{identifier!r} means no metric: give a name, a config dict, a class, an instance, a callable or None"
        )
    try:
        return METRICS.get(identifier)
    except UnknownNameError as no_metric:
        return _of_loss(identifier, no_metric)


def deserialize(config: dict[str, Any]) -> Any:
    """The metric that a dict from `serialize` describes; nothing in it is executed. Raises: as `get`."""
    return METRICS.deserialize(config)


def _of_loss(identifier: Any, no_metric: UnknownNameError) -> LossMetric:
    try:
        return LossMetric(identifier)
    except UnknownNameError as no_loss:
        near = list(dict.fromkeys([*no_metric.suggestions, *no_loss.suggestions]))[:3]
        hint = " or ".join(repr(word) for word in near)
        fix = f"did you mean {hint}?" if hint else f"see {METRICS.module}.names() and {LOSSES.module}.names()"
        name = identifier if isinstance(identifier, str) else identifier["class_name"]
        raise UnknownNameError(f"unknown metric {name!r}: {fix}", near) from None
