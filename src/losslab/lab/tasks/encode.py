"""Classes for a loss, from the domains that it declares: the labels, the output layer, and outputs back to logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

import losslab
from losslab.lab.tasks.task import Labels, Output

Array = NDArray[Any]

_ONE_HOT = {"real", "non_negative", "count", "binary", "one_hot", "distribution"}
_ROWS = {"distribution", "logits", "scores"}
_MARGINS = {"score", "scores"}
_ACTIVATIONS = {
    "distribution": "softmax",
    "probability": "sigmoid",
    "logit": "linear",
    "logits": "linear",
    "score": "linear",
    "scores": "linear",
    # Against one-hot rows these predict a value in [0, 1] per class.
    "real": "softmax",
    "rate": "softmax",
    "non_negative": "softmax",
}
_SMALLEST_PROBABILITY = 1e-12  # a float32 softmax may give 0, whose logarithm no mean survives


def known(loss: losslab.Loss) -> bool:
    """Tell whether classes can be encoded for the loss."""
    return loss.targets.name in _ONE_HOT | {"class_id", "sign"} and loss.outputs.name in _ACTIVATIONS


def on_rows(loss: losslab.Loss) -> bool:
    """Tell whether the loss compares whole rows, one value per class, and not each value by itself."""
    return loss.outputs.name in _ROWS or loss.targets.name == "class_id" or isinstance(loss, losslab.RowLoss)


def predicts_probabilities(loss: losslab.Loss) -> bool:
    """Tell whether the network's outputs say how probable each class is; margins do not."""
    return loss.outputs.name not in _MARGINS


def alone(loss: losslab.Loss) -> str:
    """The activation for a class that is there or not, whatever the others."""
    return "linear" if _is_linear(loss) else "sigmoid"


def output(loss: losslab.Loss, labels: Labels) -> Output:
    """One output per class; a single one where there are two classes and the loss looks at each value by itself."""
    if len(labels.classes) == 2 and not on_rows(loss):
        return Output((*labels.shape, 1), alone(loss))
    return Output((*labels.shape, len(labels.classes)), _ACTIVATIONS[loss.outputs.name])


def targets(loss: losslab.Loss, ids: Array, width: int) -> Array:
    """Class ids (N, …) as y_true: ids, or rows (N, …, width) of 0 and 1, or of ±1; of width 1 for the second class."""
    if loss.targets.name == "class_id":
        return ids.astype(np.int32)
    hot: Array = ids[..., None].astype(np.float32) if width == 1 else np.eye(width, dtype=np.float32)[ids]
    return 2 * hot - 1 if loss.targets.name == "sign" else hot


def logits(loss: losslab.Loss, outputs: Array) -> NDArray[np.float64]:
    """Turn outputs (N, …, classes or 1) into logits (N, …, classes), which the softmax takes to what is predicted.

    A probability for each class by itself is divided by their sum; margins stay as they are.
    """
    outputs = np.asarray(outputs, np.float64)
    if outputs.shape[-1] == 1:
        return _of_one(loss, outputs)
    if _is_linear(loss):
        return log_expit(outputs) if loss.outputs.name == "logit" else outputs
    return np.asarray(np.log(np.maximum(outputs, _SMALLEST_PROBABILITY)))


def _of_one(loss: losslab.Loss, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of an output for the second class alone."""
    if _is_linear(loss):
        return np.concatenate([np.zeros_like(outputs), outputs], axis=-1)
    found: NDArray[np.float64] = np.concatenate([1 - outputs, outputs], axis=-1)
    return np.log(np.maximum(found, _SMALLEST_PROBABILITY))


def _is_linear(loss: losslab.Loss) -> bool:
    return _ACTIVATIONS[loss.outputs.name] == "linear"
