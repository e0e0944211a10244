"""The networks of the lab, built in Keras."""

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
    """Build an "mlp" (64-128-64 for 64 features), a "cnn" or a "unet", but for what becomes of its scores."""
    if network.model == "unet":
        return _unet(network.shape, network.outputs)
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


def _unet(shape: tuple[int, ...], outputs: int) -> keras.Model:
    """Ronneberger et al. 2015 (arXiv:1505.04597) with 8, 16 and 32 filters, and borders that are kept.

    Height and width are filled up to multiples of 4, and cut again.
    """
    height, width = shape[:2]
    inputs = layers.Input(shape)
    x = layers.Reshape((*shape, 1)[:3])(inputs)
    x = layers.ZeroPadding2D(((0, -height % 4), (0, -width % 4)))(x)
    kept = []
    for filters in (8, 16):
        kept.append(_convolved(x, filters))
        x = HalvingMaxPool()(kept[-1])
    x = _convolved(x, 32)
    for filters in (16, 8):
        x = _convolved(layers.Concatenate()([layers.UpSampling2D(2)(x), kept.pop()]), filters)
    x = layers.Cropping2D(((0, -height % 4), (0, -width % 4)))(x)
    return keras.Model(inputs, layers.Dense(outputs)(x))


def _convolved(x: Any, filters: int) -> Any:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return x


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
