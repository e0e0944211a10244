"""PyTorch's own fused losses, for inputs so small that they are faster than blocks."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..losses.classification import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from ..losses.regression import Huber, MeanAbsoluteError, MeanSquaredError

FEW, _MANY = 40_000, 64  # elements, and classes: PyTorch's softmax is slow on rows that are short
_DTYPES = (torch.float32, torch.float64)  # PyTorch computes in half precision what comes in it
_NO_ID = torch.iinfo(torch.int64).min  # PyTorch ignores the id -100 unless told another


def fused(loss: Any, y_true: Any, y_pred: Tensor) -> Tensor | None:
    """The reduced loss where PyTorch has it in one piece, with losslab's numbers, and fast; else None."""
    found = _FUSED.get(type(loss))
    if found is None or type(y_true) is not Tensor:
        return None
    on_cpu = y_true.is_cpu and y_pred.is_cpu  # a device takes longer to make than to compare
    if not on_cpu and y_true.device != y_pred.device:
        return None
    function, most = found
    if y_pred.numel() > most or y_pred.dtype not in _DTYPES:
        return None
    reduction = "sum" if loss.reduction == "sum" else "mean"
    try:
        return function(loss, y_true, y_pred, reduction)
    except (IndexError, RuntimeError, ValueError):  # a wrong id or shape: the composed form says which
        return None


def _is_plain_categorical(loss: Any, y_pred: Tensor) -> bool:
    return (
        loss.from_logits
        and loss.class_weight is None
        and loss.ignore_class is None
        and loss.axis in (-1, 1)
        and y_pred.dim() == 2
    )


def _sparse(loss: Any, y_true: Tensor, y_pred: Tensor, reduction: str) -> Tensor | None:
    fits = y_true.dim() == 1 and y_true.dtype == torch.int64 and y_true.is_cpu
    if not (fits and _is_plain_categorical(loss, y_pred)) or (y_pred.shape[1] < _MANY and y_pred.numel() > FEW):
        return None
    return functional.cross_entropy(
        y_pred, y_true, ignore_index=_NO_ID, reduction=reduction, label_smoothing=loss.label_smoothing
    )


def _categorical(loss: Any, y_true: Tensor, y_pred: Tensor, reduction: str) -> Tensor | None:
    if not (_alike(y_true, y_pred) and _is_plain_categorical(loss, y_pred)):
        return None
    return functional.cross_entropy(y_pred, y_true, reduction=reduction, label_smoothing=loss.label_smoothing)


def _binary(loss: Any, y_true: Tensor, y_pred: Tensor, reduction: str) -> Tensor | None:
    plain = loss.from_logits and loss.class_weight is None and loss.ignore_class is None and not loss.label_smoothing
    if not (plain and _is_one_mean(y_true, y_pred, reduction)):
        return None
    return functional.binary_cross_entropy_with_logits(y_pred, y_true, reduction=reduction)


def _of_elements(function: Callable[..., Tensor]) -> Callable[..., Tensor | None]:
    def element_loss(loss: Any, y_true: Tensor, y_pred: Tensor, reduction: str) -> Tensor | None:
        return function(y_pred, y_true, reduction=reduction) if _is_one_mean(y_true, y_pred, reduction) else None

    return element_loss


def _huber(loss: Any, y_true: Tensor, y_pred: Tensor, reduction: str) -> Tensor | None:
    if not _is_one_mean(y_true, y_pred, reduction):
        return None
    return functional.huber_loss(y_pred, y_true, reduction=reduction, delta=loss.delta)


def _is_one_mean(y_true: Tensor, y_pred: Tensor, reduction: str) -> bool:
    """Whether the reduced loss is that over all elements alike."""
    return _alike(y_true, y_pred) and (reduction == "mean" or y_pred.dim() == 1)


def _alike(y_true: Tensor, y_pred: Tensor) -> bool:
    return y_true.dtype == y_pred.dtype and y_true.shape == y_pred.shape


# Measured forward and backward on one core: beyond so many elements blocks are faster, or as fast in half the memory
_FUSED: dict[type, tuple[Callable[..., Tensor | None], int]] = {
    SparseCategoricalCrossentropy: (_sparse, 1 << 23),
    CategoricalCrossentropy: (_categorical, FEW),
    BinaryCrossentropy: (_binary, 1 << 20),
    MeanSquaredError: (_of_elements(functional.mse_loss), 1 << 20),
    MeanAbsoluteError: (_of_elements(functional.l1_loss), 1 << 18),
    Huber: (_huber, 1 << 23),
}
"""By the class itself: a subclass may have another formula."""
