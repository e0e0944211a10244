"""Areas under curves from weights counted by bin of the score, as keras.metrics.AUC has them."""

import numpy as np

from .._ops import Array, Ops
from ._weights import ratio


def histogram(ops: Ops, bins: Array, weight: Array, count: int) -> Array:
    """The sum of `weight` in each of `count` bins.

    Args:
        bins: integers from 0 to count - 1, of shape (N,).
        weight: of shape (N,).
    """
    seen_bins, seen_weight = ops.look(bins), ops.look(weight)
    if seen_bins is not None and seen_weight is not None:
        return ops.convert(np.bincount(seen_bins, seen_weight, count), like=weight)
    # while tracing and on accelerators: a row per element, of which a compiler makes one loop
    return ops.sum(ops.one_hot(bins, count, weight.dtype) * ops.expand_dims(weight), axis=0)


def roc_area(ops: Ops, yes: Array, no: Array) -> Array:
    """The area under the ROC curve, its points joined by lines; NaN without a yes or a no.

    Args:
        yes, no: the weight of each label in each bin, the lowest scores first, of shape (..., bins).
    """
    hits, false = _above(ops, yes), _above(ops, no)
    recall = ratio(ops, hits, hits[..., :1], empty=float("nan"))
    fall_out = ratio(ops, false, false[..., :1], empty=float("nan"))
    return ops.sum((fall_out[..., :-1] - fall_out[..., 1:]) * (recall[..., :-1] + recall[..., 1:]) / 2.0)


def pr_area(ops: Ops, yes: Array, no: Array) -> Array:
    """The area under the precision-recall curve; NaN without a yes.

    Between two thresholds hits and predicted yes grow linearly, so that precision does not: with s = Δhits / Δpredicted
    and i = hits - s·predicted, the area is s·(Δhits + i·log(ratio of predicted)) / (number of yes).

    Source: Davis & Goadrich 2006, doi:10.1145/1143844.1143874, section 4, as in keras.metrics.AUC.

    Args:
        yes, no: as in `roc_area`.
    """
    hits = _above(ops, yes)
    predicted = hits + _above(ops, no)
    more, less = predicted[..., :-1], predicted[..., 1:]
    gained = hits[..., :-1] - hits[..., 1:]
    slope = ratio(ops, gained, more - less, empty=0.0)
    intercept = hits[..., 1:] - slope * less
    both = (more > 0) & (less > 0)
    log_ratio = ops.log(ops.where(both, more / ops.where(both, less, 1.0), 1.0))
    return ratio(ops, ops.sum(slope * (gained + intercept * log_ratio)), hits[..., 0], empty=float("nan"))


def _above(ops: Ops, counts: Array) -> Array:
    """The sum from each bin upwards."""
    return ops.sum(counts, keepdims=True) - ops.cumsum(counts) + counts
