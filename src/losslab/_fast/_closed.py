"""Closed forms of derivatives: catalogue losses whose formula on jets costs a run per class, in one run.

A closed form is the same loss with another formula, so that weights, masks, ignored classes and axes stay its own.
"""

from typing import Any

import numpy as np

from .._loss import Loss
from .._ops._base import Array, Ops
from ..losses.classification import (
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    class_numbers,
)
from ._jets import Jet


def closed_form(loss: Loss) -> Loss | None:
    """The loss with a formula in closed form; None where there is none. A subclass may have changed the formula."""
    form = _FORMS.get(type(loss))
    return form(**loss._parameters()) if form and loss.from_logits else None  # type: ignore[attr-defined]


class _Categorical(CategoricalCrossentropy):
    def formula(self, ops: Ops, y_true: Array, y_pred: Jet) -> Array:
        return _softmax_entropy(self, super().formula(ops, y_true, y_pred.value), y_true, y_pred)


class _SparseCategorical(SparseCategoricalCrossentropy):
    def formula(self, ops: Ops, y_true: Array, y_pred: Jet) -> Array:
        rows = ops.one_hot(y_true, y_pred.shape[-1], y_pred.dtype)
        return _softmax_entropy(self, super().formula(ops, y_true, y_pred.value), rows, y_pred)


def _softmax_entropy(loss: Any, value: Array, y_true: Array, z: Jet) -> Jet:
    """Σ_k t_k (log Σ_j exp z_j - z_k) with t = the smoothed label times its class's weight: slopes T p - t, T = Σ t."""
    smoothing, classes = loss.label_smoothing, z.shape[-1]
    target = y_true * (1.0 - smoothing) + smoothing / classes
    if loss.class_weight is not None:
        target = target * np.asarray(class_numbers(loss, "class_weight", loss.class_weight, classes), dtype=z.dtype)
    total = target.sum(axis=-1, keepdims=True)
    largest = z.value.max(axis=-1, keepdims=True)
    p = np.exp(z.value - largest)
    p /= p.sum(axis=-1, keepdims=True)
    return z.of_row(value, total * p - target, total * p * (1.0 - p))


_FORMS: dict[type, type[Any]] = {
    CategoricalCrossentropy: _Categorical,
    SparseCategoricalCrossentropy: _SparseCategorical,
}
