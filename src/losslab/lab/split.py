"""One seed's training, validation and test arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab.data import Dataset, stratified_order
from losslab.lab.streams import stream

VALIDATION_SHARE = 0.2
MOST_VALIDATION = 10_000

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Part:
    """Inputs (N, ...) in float32 and class ids (N,) in int32."""

    x: Array
    ids: Array


@dataclass(frozen=True, eq=False)
class Split:
    """The three parts of one seed. The test examples are the same for every seed."""

    train: Part
    validation: Part
    test: Part


def training_examples(dataset: Dataset) -> int:
    """Return how many examples a seed trains on."""
    return len(dataset.y) - _validation_examples(dataset)


def _validation_examples(dataset: Dataset) -> int:
    return max(1, min(MOST_VALIDATION, round(VALIDATION_SHARE * len(dataset.y))))


def split(dataset: Dataset, seed: int) -> Split:
    """Draw the seed's training and validation examples; scale every part with training statistics only."""
    order = stratified_order(dataset.y, stream(seed, "split"))
    cut = _validation_examples(dataset)
    held, kept = np.sort(order[:cut]), np.sort(order[cut:])
    train = scaled(dataset, dataset.x[kept])
    shift, scale = _standardization(train, dataset.standardized)
    validation, test = scaled(dataset, dataset.x[held]), scaled(dataset, dataset.x_test)
    return Split(
        Part((train - shift) / scale, dataset.y[kept]),
        Part((validation - shift) / scale, dataset.y[held]),
        Part((test - shift) / scale, dataset.y_test),
    )


def scaled(dataset: Dataset, x: Array) -> Array:
    """Return inputs as float32, pixels from 0 to 1."""
    return np.asarray(x, dtype=np.float32) / np.float32(dataset.divisor)


def _standardization(train: Array, standardized: Array) -> tuple[Array, Array]:
    mean, sd = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    shift = np.where(standardized, mean, 0.0).astype(np.float32)
    scale = np.where(standardized & (sd > 0), sd, 1.0).astype(np.float32)
    return shift, scale


def with_noise(ids: NDArray[Any], classes: int, share: float, rng: np.random.Generator) -> NDArray[Any]:
    """Return class ids of which about this share is wrong, each another class with equal chance."""
    wrong = rng.random(len(ids)) < share
    other = (ids + rng.integers(1, classes, len(ids))) % classes
    return np.where(wrong, other, ids).astype(ids.dtype)
