"""The mask that Keras' layers leave on a model's output."""

from typing import Any

# Private, because Keras has no public way to ask: arrays that take no attributes (JAX, NumPy) keep theirs in a dict.
from keras.src.backend import get_keras_mask


def mask_of(y_pred: Any) -> Any:
    """False where a step of `y_pred` is padding; None where no layer has masked anything."""
    return get_keras_mask(y_pred)
