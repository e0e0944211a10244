"""How far predicted probabilities can be trusted: proper scores, calibration error, temperature scaling.

Pure functions of NumPy arrays. Logits are anything whose softmax is the predicted distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15
_LOG_TEMPERATURES = (-5.0, 5.0)

Floats = NDArray[np.float64]
Ids = NDArray[np.integer]


@dataclass(frozen=True)
class Bin:
    """The predictions whose confidence, the largest probability, falls into one of BINS equal parts of [0, 1]."""

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Scores:
    """What a set of predicted distributions is worth.

    Attributes:
        nll: negative log-likelihood, mean of -log p of the true class, in nats.
        brier: mean over the examples of the sum over the classes of (p - y)², from 0 to 2 (Brier 1950,
            doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2).
        ece: expected calibration error, Σ share · |accuracy - confidence| over the bins (Naeini et al. 2015; with 15
            bins and the confidence of the predicted class as in Guo et al. 2017, arXiv:1706.04599).
        bins: of the reliability diagram, those that hold predictions.
    """

    nll: float
    brier: float
    ece: float
    bins: tuple[Bin, ...]


def scores(logits: Floats, ids: Ids, temperature: float = 1.0) -> Scores:
    """The scores of softmax(logits / temperature).

    Args:
        logits: (N, C), N ≥ 1.
        ids: (N,) true classes.

    >>> round(scores(np.log([[0.5, 0.5], [0.1, 0.9]]), np.array([0, 1])).nll, 4)
    0.3993
    """
    log_p = log_softmax(np.asarray(logits, np.float64) / temperature, axis=-1)
    p, rows = np.exp(log_p), np.arange(len(ids))
    misses = p.copy()
    misses[rows, ids] -= 1
    bins = _bins(p.max(axis=-1), p.argmax(axis=-1) == ids)
    ece = sum(found.count * abs(found.accuracy - found.confidence) for found in bins) / len(ids)
    return Scores(float(-log_p[rows, ids].mean()), float((misses**2).sum(axis=-1).mean()), float(ece), bins)


def _bins(confidence: Floats, right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)  # (0, 1/15], (1/15, 2/15], …
    chosen = ((place == b) for b in range(BINS))
    return tuple(
        Bin(int(here.sum()), float(confidence[here].mean()), float(right[here].mean())) for here in chosen if here.any()
    )


def best_temperature(logits: Floats, ids: Ids) -> float:
    """The temperature that makes these labels the likeliest, from e⁻⁵ to e⁵ (Guo et al. 2017, section 4.2).

    It is fitted on validation examples: it leaves the predicted classes as they are.
    """
    logits, rows = np.asarray(logits, np.float64), np.arange(len(ids))

    def nll(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=-1)[rows, ids].mean())

    return float(np.exp(minimize_scalar(nll, bounds=_LOG_TEMPERATURES, method="bounded").x))
