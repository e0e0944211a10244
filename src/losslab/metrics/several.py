"""Several metrics of the same labels and predictions."""

from collections.abc import Iterable
from typing import Any

from ._metric import Metric
from ._names import get


class Metrics:
    """Several metrics at once: one update, a dict of results.

    Args:
        metrics: what `losslab.metrics.get` takes, each.

    Raises:
        TypeError: a metric that takes no labels and predictions.
        ValueError: two of one name.

    >>> metrics = losslab.metrics.Metrics(["accuracy", "auc", "mse"])
    >>> metrics.update([0, 1, 1], [0.1, 0.4, 0.9])
    >>> {name: round(value, 3) for name, value in metrics.result().items()}
    {'accuracy': 0.667, 'auc': 1.0, 'mean_squared_error': 0.127}
    >>> metrics["accuracy"].resolved
    'binary_accuracy'
    """

    def __init__(self, metrics: Iterable[Any]) -> None:
        self._metrics: dict[str, Metric] = {}
        for identifier in [metrics] if isinstance(metrics, str) else metrics:
            metric = get(identifier)
            if not isinstance(metric, Metric):
                raise TypeError(f"{metric!r} is no metric of labels and predictions")
            if metric.name in self._metrics:
                raise ValueError(f"two metrics are called {metric.name!r}: give one another name, name=…")
            self._metrics[metric.name] = metric

    def __getitem__(self, name: str) -> Metric:
        return self._metrics[name]

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        """Take in a batch: all of the metrics, or none where one of them refuses it."""
        sums = {name: metric.statistics(y_true, y_pred, sample_weight, mask) for name, metric in self._metrics.items()}
        for name, metric in self._metrics.items():
            metric.add(sums[name])

    def result(self) -> dict[str, Any]:
        """Name -> value over everything seen."""
        return {name: metric.result() for name, metric in self._metrics.items()}

    def reset(self) -> None:
        """Forget everything seen."""
        for metric in self._metrics.values():
            metric.reset()

    def merge(self, other: "Metrics") -> None:
        """Add what the same metrics have seen elsewhere.

        Raises:
            ValueError: they are not the same metrics.
        """
        if list(self._metrics.values()) != list(other._metrics.values()):
            raise ValueError(f"{self!r} cannot take in {other!r}: they measure different things")
        for name, metric in self._metrics.items():
            metric.merge(other[name])

    def __repr__(self) -> str:
        return f"Metrics({list(self._metrics.values())!r})"
