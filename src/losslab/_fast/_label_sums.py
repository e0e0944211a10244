"""Losses on sums over the pixels of each class, computed without one-hot rows.

Of the pixels they know three sums by class: what predictions and labels share, the labels, the predictions. A first
pass over blocks of pixels takes them, by label; a second one spreads the loss's slopes along them over the pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._ops import ops_for
from ..losses.overlap import SparseCategoricalDice
from ._backward import backward
from ._tape import TAPE, Taped
from .blocks import in_threads, layout_of

_OPS = ops_for()
_BLOCK = 1 << 16  # elements

Values = np.ndarray[Any, Any]


def sums_by_label(loss: Any) -> bool:
    """Whether the loss is one number from three sums over the pixels of each class."""
    return type(loss) is SparseCategoricalDice and not loss.per_image


@dataclass(frozen=True)
class LabelWork:
    """The reduced loss of a batch of pixels.

    Attributes:
        x: predictions, as (outer, C, inner).
        ids, kept: (outer, 1, inner); False where a pixel is removed, or None.
        shape: of the predictions in memory.
    """

    loss: Any
    x: Values
    ids: Values
    kept: Values | None
    shape: tuple[int, ...]

    def value(self) -> float:
        shared, labelled, predicted = self._sums()
        return float(self.loss.of_sums(_OPS, shared, labelled, predicted))

    def value_and_gradient(self) -> tuple[float, Values]:
        """The gradient with respect to y_pred as it lies in memory."""
        shared, labelled, predicted = self._sums()
        sums = Taped(np.concatenate([shared, predicted]))
        classes = len(shared)
        value = self.loss.of_sums(TAPE, sums[:classes], labelled, sums[classes:])
        slopes = backward(value, 1.0, sums).astype(self.x.dtype)
        gradient = np.empty_like(self.x)
        self._in_threads(lambda blocks: self._spread(blocks, slopes[:classes], slopes[classes:], gradient))
        return float(value.value), gradient.reshape(self.shape)

    def _sums(self) -> Values:
        """By class: what labels and predictions share, the labels, the predictions; (3, C) in float64."""
        sums: Values = np.sum(self._in_threads(self._sums_of), axis=0)
        return sums

    def _in_threads(self, work: Any) -> list[Any]:
        outer, classes, inner = self.x.shape
        width = max(1, _BLOCK // classes)
        blocks = [(n, slice(start, start + width)) for n in range(outer) for start in range(0, inner, width)]
        return in_threads(work, blocks, self.x.size)

    def _sums_of(self, blocks: Sequence[Any]) -> Values:
        classes = self.x.shape[1]
        sums = np.zeros((3, classes))
        for n, part in blocks:
            p, ids, kept = self._block(n, part)
            own = np.take_along_axis(p, ids, 0)[0]
            own, weights = (own, None) if kept is None else (own * kept, kept)
            sums[0] += np.bincount(ids[0], own, classes)
            sums[1] += np.bincount(ids[0], weights, classes)
            sums[2] += p.sum(axis=1) if kept is None else p @ kept
        return sums

    def _spread(self, blocks: Sequence[Any], of_shared: Values, of_predicted: Values, gradient: Values) -> None:
        for n, part in blocks:
            p, ids, kept = self._block(n, part)
            out = gradient[n, :, part]
            own = of_shared[ids]
            if not self.loss.from_logits:
                out[...] = of_predicted[:, None]
            else:  # through the softmax: p (g - Σ p g), g the slope along p
                at_label = np.take_along_axis(p, ids, 0)
                mean = of_predicted @ p + own * at_label
                np.subtract(of_predicted[:, None], mean, out=out)
                out *= p
                own = own * at_label
            np.put_along_axis(out, ids, np.take_along_axis(out, ids, 0) + own, 0)
            if kept is not None:
                out *= kept

    def _block(self, n: int, part: slice) -> tuple[Values, Values, Values | None]:
        """Probabilities (C, B), ids (1, B) and which pixels count, as numbers (B,)."""
        x, ids = self.x[n, :, part], self.ids[n, :, part]
        kept = None if self.kept is None else self.kept[n, 0, part].astype(x.dtype)
        if kept is not None:
            x = np.where(kept, x, 0.5)  # what is removed may be NaN
        if self.loss.from_logits:
            x = np.exp(x - x.max(axis=0))
            x /= x.sum(axis=0)
        return x, ids, kept


def label_work(loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any) -> LabelWork | None:
    """The work of a call; None where weights, a mask or a divisor ask for more."""
    if not (weight is None and mask is None and normalizer is None):
        return None
    y_true, y_pred = loss._inputs(_OPS, y_true, y_pred)
    kept = loss._labelled(_OPS, y_true)
    if not y_pred.size or (kept is not None and not kept.any()):
        return None
    ids, _ = loss._in_range(_OPS, y_true if kept is None else np.where(kept, y_true, 0), y_pred.shape[-1])
    axis = loss.axis % y_pred.ndim
    x = np.moveaxis(y_pred, -1, axis)
    layout = layout_of(x.shape, axis)
    shape = (layout.outer, -1, layout.inner)
    return LabelWork(loss, x.reshape(shape), ids.reshape(shape), None if kept is None else kept.reshape(shape), x.shape)
