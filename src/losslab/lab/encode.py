"""Labels and output layer for a loss, from the domains that it declares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

import losslab
from losslab.lab.errors import LabError

_ONE_HOT = {"real", "non_negative", "count", "binary", "one_hot", "distribution"}
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
_MARGINS = {"score", "scores"}
_SMALLEST_PROBABILITY = 1e-12  # a float32 softmax may give 0, whose logarithm no mean survives


def check(loss: losslab.Loss) -> None:
    """Raise LabError unless the loss can train a classifier."""
    known = loss.targets.name in _ONE_HOT | {"class_id", "sign"}
    if not known or loss.outputs.name not in _ACTIVATIONS:
        raise LabError(
            f"{loss.name} cannot train a classifier",
            f"it compares {loss.targets.name} targets with {loss.outputs.name} predictions",
            "choose a loss on classes, probabilities or margins: losslab list",
        )


def activation(loss: losslab.Loss) -> str:
    """Return the Keras activation of the output layer."""
    return _ACTIVATIONS[loss.outputs.name]


def predicts_probabilities(loss: losslab.Loss) -> bool:
    """Tell whether the network's outputs say how probable each class is; margins do not."""
    return loss.outputs.name not in _MARGINS


def logits(loss: losslab.Loss, outputs: NDArray[Any]) -> NDArray[np.float64]:
    """Turn the network's outputs (N, classes) into logits: what the softmax takes to the predicted distribution.

    A probability for each class by itself is divided by their sum; margins stay as they are.
    """
    outputs = np.asarray(outputs, np.float64)
    if activation(loss) == "linear":
        found = log_expit(outputs) if loss.outputs.name == "logit" else outputs
    else:
        found = np.log(np.maximum(outputs, _SMALLEST_PROBABILITY))
    return np.asarray(found, np.float64)


def labels(loss: losslab.Loss, ids: NDArray[Any], classes: int) -> NDArray[Any]:
    """Encode class ids (N,) or (N, 1) as the loss's y_true: ids (N,), one-hot rows or ±1 rows (N, classes)."""
    ids = np.asarray(ids).reshape(len(ids))
    if loss.targets.name == "class_id":
        return ids.astype(np.int32)
    one_hot: NDArray[Any] = np.eye(classes, dtype=np.float32)[ids]
    return 2 * one_hot - 1 if loss.targets.name == "sign" else one_hot
