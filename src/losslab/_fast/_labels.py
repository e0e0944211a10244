"""Labels, looked at before compiled code runs: it cannot raise an error, and gives NaN for a wrong class id."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._ops import ops_for

_NUMPY = ops_for()

Values = np.ndarray[Any, Any]


def labels_fit(loss: Any, y_true: Any, shape: tuple[int, ...], data: dict[str, Any], look: Callable[..., Any]) -> bool:
    """Whether the labels are sure to be right for predictions of this shape, or cannot be looked at.

    False is no verdict: a wrong label may belong to a sample that a mask removes. The composed formula decides.

    Args:
        look: array -> its values as a NumPy array, or None: `Ops.look`.
    """
    if loss.targets.name == "class_id":
        seen = look(y_true)
        return seen is None or _ids_fit(seen, shape[loss._class_axis], getattr(loss, "ignore_class", None))
    if loss.targets.name == "label_sequence":
        return _sequences_fit(loss, look(y_true), shape, {name: look(x) for name, x in data.items() if x is not None})
    return True


def _ids_fit(ids: Values, classes: int, ignored: int | None) -> bool:
    if _in_range(ids, classes):
        return True
    return ignored is not None and _in_range(ids[ids != ignored], classes)


def _in_range(ids: Values, classes: int) -> bool:
    if not ids.size or ids.dtype.kind == "b":
        return classes > 1 or not ids.any()
    whole = ids.dtype.kind in "iu" or bool((ids == np.trunc(ids)).all())
    return whole and bool(ids.min() >= 0) and bool(ids.max() < classes)


def _sequences_fit(loss: Any, labels: Values | None, shape: tuple[int, ...], lengths: dict[str, Any]) -> bool:
    """As the loss itself checks them, with predictions of which only the shape matters."""
    frames = np.broadcast_to(np.zeros(()), shape)
    label_length, logit_length = lengths.get("label_length"), lengths.get("logit_length")
    try:
        if logit_length is not None:
            loss._frames(_NUMPY, frames, None, logit_length)
        if labels is not None and (label_length is not None or "label_length" not in lengths):
            loss._labels(_NUMPY, labels, loss._label_places(_NUMPY, labels, label_length, frames), shape[-1])
    except ValueError:
        return False
    return True
