"""Areas under curves from every score: on the host, sorted."""

from typing import Any

import numpy as np

Values = np.ndarray[Any, Any]


def mann_whitney(scores: Values, label: Values, weight: Values) -> float:
    """The weighted probability that a yes scores higher than a no, ties counting half; all of shape (N,)."""
    hits, false = _curve(scores, label, weight)
    area = np.sum(np.diff(false, prepend=0.0) * (hits + np.concatenate([[0.0], hits[:-1]])) / 2.0)
    return float(area / (hits[-1] * false[-1]))


def average_precision(scores: Values, label: Values, weight: Values) -> float:
    """Σ precision · (recall gained), over the distinct scores from the highest; all of shape (N,)."""
    hits, false = _curve(scores, label, weight)
    return float(np.sum(np.diff(hits, prepend=0.0) * hits / (hits + false)) / hits[-1])


def _curve(scores: Values, label: Values, weight: Values) -> tuple[Values, Values]:
    """Hits and false alarms at every distinct score as the threshold, from the highest."""
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    hits = np.cumsum(np.where(label, weight, 0.0)[order])
    false = np.cumsum(np.where(label, 0.0, weight)[order])
    last_of_ties = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    return hits[last_of_ties], false[last_of_ties]
