"""The cross-entropy of class ids on a GPU: row kernels that keep one number a row and write only the gradient."""

from typing import Any

import torch
from torch import Tensor

from .._linear._options import RowOptions
from .._ops._torch import TORCH
from .._reduce import reduce
from ..losses.classification import SparseCategoricalCrossentropy, class_numbers
from ._torch_rows_function import row_cross_entropy


def has_rows(loss: Any) -> bool:
    """Whether a value of the loss is what the row kernels compute."""
    return type(loss) is SparseCategoricalCrossentropy and loss.from_logits


def of_rows(loss: Any, y_true: Any, y_pred: Tensor, weight: Any, mask: Any, normalizer: Any) -> Tensor:
    """The reduced loss; logits in half precision are read as they are.

    Raises: as the loss does.
    """
    y_true, logits = loss._aligned(TORCH, y_true, y_pred)
    shape, classes = logits.shape[:-1], logits.shape[-1]
    like = torch.empty((), dtype=TORCH.float_dtype(logits), device=logits.device).expand(logits.shape)
    counted = loss._counted(TORCH, loss._labelled(TORCH, y_true), like, mask, loss._value_shape(logits.shape))
    weight, used = loss._weights(TORCH, weight, counted, like, shape)
    scale = None if used is None else used.to(like.dtype).expand(shape).reshape(-1)
    values = row_cross_entropy(logits.reshape(-1, classes), _whole(y_true).reshape(-1), _options(loss, classes), scale)
    result: Tensor = reduce(TORCH, values.view(shape), weight, counted, loss.reduction, normalizer)
    return result


def _options(loss: Any, classes: int) -> RowOptions:
    given = loss.class_weight
    numbers = None if given is None else class_numbers(loss, "class_weight", given, classes)
    return RowOptions(class_weight=numbers, label_smoothing=loss.label_smoothing)


def _whole(y_true: Tensor) -> Tensor:
    """Integer ids; -1, which no class has, for a fraction."""
    ids = y_true.long()
    return ids if not y_true.is_floating_point() else torch.where(ids == y_true, ids, -1)
