"""The names of metrics."""

from .._registry import Registry

METRICS = Registry("metric", "losslab.metrics")
