"""What a compiled model does not do with its losses, though nothing says so while it trains."""

from typing import Any

import keras

import losslab

from ._losses import KerasLoss


def check_wiring(model: Any) -> list[str]:
    """What is wrong with the losslab losses of a compiled Keras model, a sentence each; nothing wrong, an empty list.

    Keras hands weights and masks to a `keras.losses.Loss` only: a losslab object in `compile` trains, but one weight
    per sample becomes one for the whole batch, and padding counts.

    Raises:
        ValueError: a model that is not compiled.

    >>> import keras, losslab.keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(loss=losslab.Huber(delta=2.0))
    >>> print(*losslab.keras.check_wiring(model))
    Huber(delta=2.0): Keras gives it no weights and no masks: ... compile(loss=losslab.keras.wrap(Huber(delta=2.0)))
    >>> model.compile(loss=losslab.keras.Huber(delta=2.0))
    >>> losslab.keras.check_wiring(model)
    []
    """
    if not getattr(model, "compiled", False):
        raise ValueError(f"{model.name} is not compiled: call model.compile(loss=…) first")
    given = [loss() if isinstance(loss, type) else loss for loss in keras.tree.flatten(model.loss)]
    return [finding for finding in map(_finding, given) if finding]


def _finding(loss: Any) -> str | None:
    if isinstance(loss, losslab.Loss) and loss.reduction != "none":  # Keras weighs per-sample values itself
        return (
            f"{loss!r}: Keras gives it no weights and no masks: sample_weight and class_weight multiply the whole "
            f"loss by their mean, and padding counts; use compile(loss=losslab.keras.wrap({loss!r}))"
        )
    if isinstance(loss, KerasLoss) and loss.core.reduction == "none":
        return (
            f"{loss!r}: a loss that keeps one value per sample cannot train: fit fails on JAX and PyTorch, and adds "
            f"the values up on TensorFlow; leave reduction out, or use 'sum'"
        )
    return None
