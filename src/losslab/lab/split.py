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
    """Inputs (N, ...) in float32 and labels (N, ...) as the data set has them."""

    x: Array
    y: Array


@dataclass(frozen=True, eq=False)
class Split:
    """The three parts of one seed. The test examples are the same for every seed."""

    train: Part
    validation: Part
    test: Part


def training_examples(dataset: Dataset) -> int:
    """Return how many examples a seed trains on, at least."""
    largest = 0 if dataset.groups is None else int(np.bincount(dataset.groups).max())
    return max(1, len(dataset.y) - _validation_examples(dataset) - largest)


def _validation_examples(dataset: Dataset) -> int:
    return max(1, min(MOST_VALIDATION, round(VALIDATION_SHARE * len(dataset.y))))


def split(dataset: Dataset, seed: int) -> Split:
    """Draw the seed's training and validation examples; scale every part with training statistics only."""
    held = _held(dataset, stream(seed, "split"))
    train = _scaled(dataset, dataset.x[~held])
    shift, scale = _standardization(train, dataset.standardized)
    validation, test = _scaled(dataset, dataset.x[held]), _scaled(dataset, dataset.x_test)
    return Split(
        Part((train - shift) / scale, dataset.y[~held]),
        Part((validation - shift) / scale, dataset.y[held]),
        Part((test - shift) / scale, dataset.y_test),
    )


def _held(dataset: Dataset, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which examples are for validation: so many, or as many whole groups as it takes for that."""
    count = _validation_examples(dataset)
    if dataset.groups is None:
        held = np.zeros(len(dataset.y), bool)
        held[stratified_order(dataset.strata, rng)[:count]] = True
        return held
    order = rng.permutation(dataset.groups.max() + 1)
    cut = int(np.searchsorted(np.cumsum(np.bincount(dataset.groups)[order]), count)) + 1
    return np.asarray(np.isin(dataset.groups, order[:cut]))


def _scaled(dataset: Dataset, x: Array) -> Array:
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
