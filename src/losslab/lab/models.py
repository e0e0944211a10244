"""The networks of the lab, built in Keras. Same seed, same initial weights, whatever the loss."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from losslab.lab.network import Network
from losslab.lab.streams import stream

DROPOUT = 0.25


def build(network: Network, seed: int) -> keras.Model:
    """Build the network, but for what becomes of the scores: an "mlp" (64-128-64 for 64 features), "cnn" or "unet".

    Args:
        network: what to build.
        seed: fixes initial weights and dropout.
    """
    init = stream(seed, "init")

    def seeded() -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=int(init.integers(2**31)))

    if network.model == "unet":
        return _unet(network.shape, network.output.shape[-1], seeded)
    body = _cnn(network.shape, seeded, seed) if network.model == "cnn" else _mlp(seeded)
    output = layers.Dense(network.output.shape[-1], kernel_initializer=seeded())
    return keras.Sequential([layers.Input(network.shape), *body, output])


def _mlp(seeded: Any) -> list[keras.layers.Layer]:
    hidden = [layers.Dense(width, activation="relu", kernel_initializer=seeded()) for width in (128, 64)]
    return [layers.Flatten(), *hidden]


def _cnn(shape: tuple[int, ...], seeded: Any, seed: int) -> list[keras.layers.Layer]:
    dropout_seed = int(stream(seed, "dropout").integers(2**31))
    return [
        layers.Reshape((*shape, 1)[:3]),
        layers.Conv2D(32, 3, activation="relu", kernel_initializer=seeded()),
        HalvingMaxPool(),
        layers.Conv2D(64, 3, activation="relu", kernel_initializer=seeded()),
        HalvingMaxPool(),
        layers.Flatten(),
        layers.Dense(1024, activation="relu", kernel_initializer=seeded()),
        layers.Dropout(DROPOUT, seed=dropout_seed),
    ]


def _unet(shape: tuple[int, ...], outputs: int, seeded: Any) -> keras.Model:
    """Ronneberger et al. 2015 (arXiv:1505.04597) with 8, 16 and 32 filters, and borders that are kept.

    Height and width are filled up to multiples of 4, and cut again.
    """

    def convolved(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=seeded())(x)
        return x

    height, width = shape[:2]
    inputs = layers.Input(shape)
    x = layers.Reshape((*shape, 1)[:3])(inputs)
    x = layers.ZeroPadding2D(((0, -height % 4), (0, -width % 4)))(x)
    kept = []
    for filters in (8, 16):
        kept.append(convolved(x, filters))
        x = HalvingMaxPool()(kept[-1])
    x = convolved(x, 32)
    for filters in (16, 8):
        x = layers.Concatenate()([layers.UpSampling2D(2)(x), kept.pop()])
        x = convolved(x, filters)
    x = layers.Cropping2D(((0, -height % 4), (0, -width % 4)))(x)
    return keras.Model(inputs, layers.Dense(outputs, kernel_initializer=seeded())(x))


class HalvingMaxPool(layers.Layer):  # type: ignore[misc]  # keras is untyped
    """MaxPooling2D(2) as a reshape and a maximum: the same values, and half the time of a CNN's step on a CPU."""

    def call(self, x: Any) -> Any:
        """(N, H, W, C) to (N, H // 2, W // 2, C); an odd last row or column is left out, as MaxPooling2D does."""
        _, height, width, channels = x.shape
        rows, columns = height // 2, width // 2
        x = x[:, : 2 * rows, : 2 * columns]
        return keras.ops.max(keras.ops.reshape(x, (-1, rows, 2, columns, 2, channels)), axis=(2, 4))
