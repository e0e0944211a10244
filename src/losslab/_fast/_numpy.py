"""The driver of NumPy: blocks where arrays are large, a gradient everywhere."""

from typing import Any

import numpy as np

from .._ops import Array
from ._backward import backward
from ._tape import TAPE, Taped
from ._work import is_fast, work_for
from .blocks import block_work, is_blockwise

_LARGE = 1 << 15  # elements from which blocks pay


class NumpyDriver:
    def reduced(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> Array | None:
        if _size(y_pred) < _LARGE or not is_fast(loss) or loss.reduction == "none":
            return None
        work = work_for(loss, y_true, y_pred, weight, mask, normalizer)
        return None if work is None else _float_dtype(y_pred).type(work.value())

    def per_sample(self, loss: Any, y_true: Any, y_pred: Any, data: dict[str, Any]) -> Array | None:
        if _size(y_pred) < _LARGE or not is_blockwise(loss) or y_pred.ndim < 2:
            return None
        work = block_work(loss, y_true, y_pred, None, None, None)
        return None if work is None else work.per_sample()

    def value_and_grad(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> tuple[Array, Array]:
        fast = is_fast(loss) and loss.reduction != "none"
        work = work_for(loss, y_true, y_pred, weight, mask, normalizer) if fast else None
        if work is None:
            return _on_tape(loss, y_true, y_pred, weight, mask, normalizer, data)
        value, gradient = work.value_and_gradient()
        return gradient.dtype.type(value), gradient.reshape(np.shape(y_pred))


def _on_tape(
    loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
) -> tuple[Array, Array]:
    predictions = TAPE.convert(y_pred)
    x = Taped(TAPE.cast(predictions, TAPE.float_dtype(predictions)))
    try:
        value = loss._composed(TAPE, y_true, x, weight, mask, normalizer, data)
    except TypeError as error:
        if "Taped" not in str(error):
            raise
        raise TypeError(
            f"{loss.name}: its call uses functions of NumPy, which have no gradient: use operators and the functions "
            f"of losslab, or declare it as a formula (losslab.ElementLoss, losslab.RowLoss), or give tensors"
        ) from error
    if not isinstance(value, Taped):
        return value, np.zeros_like(x.value)
    return value.value[()], backward(value, 1.0, x)


def _size(x: Any) -> int:
    return x.size if isinstance(x, np.ndarray) else 0


def _float_dtype(x: Any) -> Any:
    return TAPE.float_dtype(x)


DRIVER = NumpyDriver()
