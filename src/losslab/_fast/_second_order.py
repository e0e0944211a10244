"""First and second derivatives of every sample's value, on NumPy."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .._align import align_to_values
from .._formula_loss import ElementLoss, RowLoss
from .._loss import Loss
from .._ops import ops_for
from .._reduce import reduce
from .._set_loss import SetLoss
from ._closed import closed_form
from ._jet_ops import JetOps
from ._jets import Jet

_ONE_RUN, _MANY_RUNS = 1 << 14, 1 << 16
"""How many numbers the derivatives of a block are, where a run moves every column or one: measured to be fastest."""

Values = np.ndarray[Any, Any]
_OPS, _JETS = ops_for(), JetOps()


def derivatives(loss: Loss, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> tuple[Values, Values]:
    """What `Loss.derivatives` gives."""
    if not isinstance(loss, ElementLoss | RowLoss):
        raise TypeError(_refusal(loss))
    y_true, y_pred = _on_numpy(y_true, "y_true"), _on_numpy(y_pred, "y_pred")
    labels, rows = loss._inputs(_OPS, y_true, y_pred)
    if rows.ndim < 2:  # samples of one element, or one row
        shape = (1, -1) if isinstance(loss, RowLoss) else (-1, 1)
        labels, rows = labels.reshape(shape[: labels.ndim + 2 - rows.ndim]), rows.reshape(shape)
    weight = _per_sample(loss, sample_weight, rows, "sample_weight")
    mask = _per_sample(loss, mask, rows, "mask")
    gradient, hessian = _of_rows(loss, labels, rows, weight, mask)
    axis = loss._class_axis if y_pred.ndim > 1 else -1
    return np.moveaxis(gradient, -1, axis).reshape(y_pred.shape), np.moveaxis(hessian, -1, axis).reshape(y_pred.shape)


def _on_numpy(x: Any, what: str) -> Values:
    ops = ops_for(x)
    seen = ops.look(ops.convert(x))
    if seen is None:
        raise TypeError(
            f"{what} is a {ops.name} array whose values cannot be seen, on an accelerator or while tracing: "
            f"derivatives() computes on NumPy; give it an array on the CPU"
        )
    return seen


def _per_sample(loss: Loss, x: Any, y_pred: Values, what: str) -> Values | None:
    if x is None:
        return None
    target = loss._value_shape(y_pred.shape)
    aligned: Values = align_to_values(_OPS, _on_numpy(x, what), y_pred, target, what, loss.name)
    return aligned


def _refusal(loss: Loss) -> str:
    if isinstance(loss, SetLoss):
        why = "its value belongs to a set of predictions"
    elif type(loss).call is not Loss.call:
        why = "it is written as a function in one framework, not as a formula"
    else:
        why = "its values belong to pairs or sequences"
    return (
        f"{loss.name} has no derivatives of each sample: {why}. derivatives() is for losses declared by a formula on "
        f"elements or rows (losslab.ElementLoss, losslab.RowLoss); PyTorch, JAX and TensorFlow differentiate every loss"
    )


def _of_rows(loss: Loss, y_true: Values, y_pred: Values, weight: Any, mask: Any) -> tuple[Values, Values]:
    """The same for y_pred of shape (N, …, C), a block at a time."""
    closed = closed_form(loss)
    gradient, hessian = np.empty_like(y_pred), np.empty_like(y_pred)
    for rows, columns in _blocks(y_pred.shape, one_run=closed is not None or isinstance(loss, ElementLoss)):
        parts = (x if x is None or not x.ndim else x[rows] for x in (y_true, y_pred, weight, mask))
        of_block = _of_block(closed or loss, columns, *parts)
        gradient[rows, ..., columns], hessian[rows, ..., columns] = of_block
    return gradient, hessian


def _blocks(shape: tuple[int, ...], one_run: bool) -> Iterator[tuple[slice, slice]]:
    """Which samples and which columns of theirs to differentiate at once.

    A formula on rows is run for each column that moves, several in one go; `one_run`: all columns cost one run.
    """
    numbers, columns = math.prod(shape[1:]), shape[-1]
    moved = columns if one_run else min(max(_MANY_RUNS // numbers, 1), columns)
    samples = max(_ONE_RUN // numbers if one_run else _MANY_RUNS // (numbers * moved), 1)
    for first in range(0, shape[0], samples):
        for start in range(0, columns, moved):
            yield slice(first, first + samples), slice(start, min(start + moved, columns))


def _of_block(loss: Loss, columns: slice, y_true: Any, y_pred: Any, weight: Any, mask: Any) -> tuple[Values, Values]:
    """Both derivatives of some rows with respect to some of their columns, of shape (…, columns)."""
    moved = Jet.of_predictions(y_pred, range(columns.start, columns.stop))
    values, weight, counted = loss._weighted(_JETS, y_true, moved, weight, mask)
    values = reduce(_JETS, values, weight, counted, "none", None)
    if not isinstance(values, Jet):  # the formula does not look at the predictions
        return np.zeros(()), np.zeros(())
    return np.moveaxis(values.first, 0, -1), np.moveaxis(values.second, 0, -1)
