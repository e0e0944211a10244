"""The two networks of the lab, built in Keras."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from losslab.lab.network import Network

DROPOUT = 0.25


def build(network: Network) -> keras.Model:
    """Build an "mlp" (64-128-64 for 64 features) or a "cnn", but for the activation of its last layer."""
    body = _cnn(network.shape) if network.model == "cnn" else _mlp()
    return keras.Sequential([layers.Input(network.shape), *body, layers.Dense(network.outputs)])


def _mlp() -> list[keras.layers.Layer]:
    return [layers.Flatten(), *(layers.Dense(width, activation="relu") for width in (128, 64))]


def _cnn(shape: tuple[int, ...]) -> list[keras.layers.Layer]:
    return [
        layers.Reshape((*shape, 1)[:3]),
        layers.Conv2D(32, 3, activation="relu"),
        HalvingMaxPool(),
        layers.Conv2D(64, 3, activation="relu"),
        HalvingMaxPool(),
        layers.Flatten(),
        layers.Dense(1024, activation="relu"),
        layers.Dropout(DROPOUT),
    ]


def drawn(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    """Draw the initial weights of a layer: zeros for a bias, for a kernel (..., inputs, outputs) Glorot's uniform.

    Glorot & Bengio 2010, equation 16. Keras' own draws differ from backend to backend.
    """
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    *field, inputs, outputs = shape
    bound = math.sqrt(6 / (math.prod(field) * (inputs + outputs)))
    return rng.uniform(-bound, bound, shape).astype(np.float32)


class HalvingMaxPool(layers.Layer):  # type: ignore[misc]  # keras is untyped
    """MaxPooling2D(2) as a reshape and a maximum: the same values, and half the time of a CNN's step on a CPU."""

    def call(self, x: Any) -> Any:
        """(N, H, W, C) to (N, H // 2, W // 2, C); an odd last row or column is left out, as MaxPooling2D does."""
        _, height, width, channels = x.shape
        rows, columns = height // 2, width // 2
        x = x[:, : 2 * rows, : 2 * columns]
        return keras.ops.max(keras.ops.reshape(x, (-1, rows, 2, columns, 2, channels)), axis=(2, 4))
