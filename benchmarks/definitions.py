"""The losses of the benchmarks, written from their definitions in float64: what every contender must equal.

Each takes the inputs by name and gives the "value" and the gradients. Large ones go block by block.
"""

import numpy as np
from case import Arrays
from scipy.special import expit, log_expit, logsumexp, softmax

ROWS = 256
ELEMENTS = 2**20
ALPHA, GAMMA = 0.25, 2.0


def cross_entropy(inputs: Arrays) -> Arrays:
    """The mean over the rows of lse(z) - z_y; its gradient (softmax(z) - onehot(y)) / N."""
    labels, logits = inputs["y_true"], inputs["y_pred"]
    total, gradient = 0.0, np.empty_like(logits)
    for start in range(0, len(labels), ROWS):
        block = slice(start, start + ROWS)
        loss, gradient[block] = _rows(labels[block], logits[block].astype("float64"), len(labels))
        total += loss
    return {"value": np.float64(total), "y_pred": gradient}


def linear_cross_entropy(inputs: Arrays) -> Arrays:
    """The cross-entropy of hidden @ weightᵀ."""
    labels, hidden, weight = (inputs[name] for name in ("labels", "hidden", "weight"))
    hidden, weight = hidden.astype("float64"), weight.astype("float64")
    total, by_hidden, by_weight = 0.0, np.empty_like(hidden), np.zeros_like(weight)
    for start in range(0, len(labels), ROWS):
        block = slice(start, start + ROWS)
        loss, gradient = _rows(labels[block], hidden[block] @ weight.T, len(labels))
        total += loss
        by_hidden[block] = gradient @ weight
        by_weight += gradient.T @ hidden[block]
    return {"value": np.float64(total), "hidden": by_hidden, "weight": by_weight}


def focal(inputs: Arrays) -> Arrays:
    """The mean of -α_t (1 - p_t)^γ log p_t; Lin et al. 2017, eq. 5 and appendix B, arXiv:1708.02002."""
    labels, logits = inputs["y_true"].reshape(-1), inputs["y_pred"].reshape(-1)
    total, gradient = 0.0, np.empty_like(logits)
    for start in range(0, labels.size, ELEMENTS):
        block = slice(start, start + ELEMENTS)
        positive = labels[block] == 1
        sign, alpha = np.where(positive, 1.0, -1.0), np.where(positive, ALPHA, 1 - ALPHA)
        z = sign * logits[block].astype("float64")
        p, log_p, easy = expit(z), log_expit(z), expit(-z)
        total -= float(np.sum(alpha * easy**GAMMA * log_p)) / labels.size
        gradient[block] = sign * alpha * easy**GAMMA * (GAMMA * p * log_p - easy) / labels.size
    return {"value": np.float64(total), "y_pred": gradient.reshape(inputs["y_pred"].shape)}


def huber(inputs: Arrays) -> Arrays:
    """The mean of e²/2 where |e| ≤ 1 and |e| - 1/2 elsewhere, e = prediction - target; Huber 1964."""
    targets, predictions = inputs["y_true"], inputs["y_pred"]
    total, gradient = 0.0, np.empty_like(predictions)
    for start in range(0, targets.size, ELEMENTS):
        block = slice(start, start + ELEMENTS)
        error = predictions[block].astype("float64") - targets[block]
        small = np.abs(error) <= 1
        total += float(np.sum(np.where(small, error**2 / 2, np.abs(error) - 0.5))) / targets.size
        gradient[block] = np.clip(error, -1, 1) / targets.size
    return {"value": np.float64(total), "y_pred": gradient}


def dice(inputs: Arrays) -> Arrays:
    """The mean over classes of 1 - 2 Σ p y / (Σ p + Σ y), p the softmax over axis 1, sums over the batch's pixels."""
    labels, logits = inputs["y_true"], inputs["y_pred"]
    p = softmax(logits.astype("float64"), axis=1)
    y = np.moveaxis(np.eye(logits.shape[1])[labels], -1, 1)
    shared, sizes = np.sum(p * y, (0, 2, 3)), np.sum(p + y, (0, 2, 3))
    shared, sizes = (each.reshape(1, -1, 1, 1) for each in (shared, sizes))
    by_p = -2 * (y / sizes - shared / sizes**2) / logits.shape[1]
    gradient = p * (by_p - np.sum(p * by_p, axis=1, keepdims=True))
    return {"value": np.mean(1 - 2 * shared / sizes), "y_pred": gradient}


def _rows(labels: np.ndarray, logits: np.ndarray, count: int) -> tuple[float, np.ndarray]:
    """The part of some rows in the mean cross-entropy over `count` rows, and their gradient."""
    each = np.arange(len(labels))
    gradient = softmax(logits, axis=1)
    gradient[each, labels] -= 1
    return float(np.sum(logsumexp(logits, axis=1) - logits[each, labels])) / count, gradient / count
