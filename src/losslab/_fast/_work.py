"""How a loss is computed fast from NumPy's arrays: in blocks, by sums, or not at all."""

from typing import Any, Protocol

import numpy as np

from ._label_sums import label_work, sums_by_label
from .blocks import block_work, is_blockwise

Values = np.ndarray[Any, Any]


class Work(Protocol):
    """A call, its arrays checked."""

    def value(self) -> float:
        """The reduced loss."""

    def value_and_gradient(self) -> tuple[float, Values]:
        """And its gradient with respect to y_pred, as that lies in memory: with `axis` where it is."""


def is_fast(loss: Any) -> bool:
    return is_blockwise(loss) or sums_by_label(loss)


def work_for(loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any) -> Work | None:
    """The work of a call of a loss that `is_fast`; None where the composed formula is to do it.

    Raises: as the loss does.
    """
    make = block_work if is_blockwise(loss) else label_work
    return make(loss, y_true, y_pred, weight, mask, normalizer)
