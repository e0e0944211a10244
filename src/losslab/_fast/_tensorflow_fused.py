"""TensorFlow's own cross-entropy on class ids, for inputs so small that the number of calls is what takes time.

Its other fused losses are none for us: the gradient of the one on rows takes them to sum to 1, and the one on binary
labels is no operation of its own.
"""

from typing import Any

import tensorflow as tf

from .._ops import Array
from .._ops._tensorflow import TENSORFLOW
from ..losses.classification import SparseCategoricalCrossentropy
from ._labels import labels_fit


def fused(loss: Any, y_true: Any, y_pred: Any) -> Array | None:
    """The reduced loss where TensorFlow has its values in one operation, with losslab's numbers; else None."""
    values = fused_values(loss, y_true, y_pred)
    if values is None or loss.reduction == "none":
        return values
    return tf.reduce_sum(values) if loss.reduction == "sum" else tf.reduce_mean(values)


def fused_values(loss: Any, y_true: Any, y_pred: Any) -> Array | None:
    """A value per sample."""
    if type(loss) is not SparseCategoricalCrossentropy:  # a subclass may have another formula
        return None
    if not (_is_plain(loss) and tf.is_tensor(y_pred) and tf.is_tensor(y_true) and _are_alike(y_true, y_pred)):
        return None
    ids = TENSORFLOW.look(y_true)
    if ids is None or not labels_fit(loss, ids, tuple(y_pred.shape), {}, lambda x: x):
        return None
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)


def _is_plain(loss: SparseCategoricalCrossentropy) -> bool:
    options = loss.class_weight, loss.ignore_class
    return loss.from_logits and loss.axis == -1 and options == (None, None) and not loss.label_smoothing


def _are_alike(y_true: Array, y_pred: Array) -> bool:
    """Whether they need no conversion."""
    dtypes = y_true.dtype in (tf.int32, tf.int64) and y_pred.dtype in (tf.float32, tf.float64)
    return dtypes and y_pred.shape.rank > 1 and y_true.shape == y_pred.shape[:-1]
