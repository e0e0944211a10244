"""What is to be computed block by block: the arrays of a call, and the coefficient of every value in the result."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._formula_loss import ElementLoss
from ..._ops import ops_for
from ..._reduce import divisor

_OPS = ops_for()

Values = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Plan:
    """Σ scale · value over the elements of an element loss, the rows of a row loss; a removed one has value 0.

    Attributes:
        y_true, y_pred: aligned, in one float dtype, the axis of classes last; class ids are integers in range.
        used: None, or False for samples (the shape of the values) or elements (the shape of y_pred) that are removed.
        scale: a number, or an array that broadcasts from the leading axes of the values.
        weight: what multiplies a sample's value; None for 1.
        shape: of the per-sample values.
    """

    y_true: Values
    y_pred: Values
    used: Values | None
    scale: Any
    weight: Any
    shape: tuple[int, ...]

    @property
    def leaves_part_of_rows(self) -> bool:
        """Whether a sample's value is a mean over a part of its row."""
        return self.used is not None and self.used.ndim > len(self.shape)


def planned(loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any) -> Plan | None:
    """The plan of a call of an element or row loss on NumPy arrays; None where nothing is left to plan.

    Raises: as the loss does.
    """
    y_true, y_pred = loss._inputs(_OPS, y_true, y_pred)
    if not y_pred.size:
        return None
    shape = loss._value_shape(y_pred.shape)
    labelled = loss._labelled(_OPS, y_true)
    counted = loss._counted(_OPS, labelled, y_pred, mask, shape)
    weight, used = loss._weights(_OPS, weight, counted, y_pred, shape)
    values = y_pred if len(shape) == y_pred.ndim else y_pred[..., 0]
    divided_by = 1 if loss.reduction == "none" else divisor(_OPS, values, weight, counted, loss.reduction, normalizer)
    if (not divided_by and normalizer is not None) or (used is not None and used.ndim == 0 and not used):
        return None
    factor = 1.0 / float(divided_by) if divided_by else 0.0  # a divisor of 0: nothing is left
    scale: Any = factor if weight is None else weight * factor if weight.ndim else float(weight) * factor
    used = None if used is None or used.ndim == 0 else used
    if labelled is not None and labelled.ndim > len(shape):  # an ignored label leaves the mean over its row
        used = labelled if used is None else labelled & used[..., None]
        scale = scale / np.maximum(used.sum(-1, dtype=y_pred.dtype), 1)
    elif isinstance(loss, ElementLoss) and values is not y_pred:
        scale = scale / y_pred.shape[-1]
    if loss.targets.is_id:
        y_true, _ = loss._in_range(_OPS, y_true if used is None else np.where(used, y_true, 0), y_pred.shape[-1])
    return Plan(y_true, y_pred, used, scale, weight, shape)
