"""One seed's training, validation and test arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab.data import Dataset, stratified_order, whole_groups
from losslab.lab.streams import stream

VALIDATION_SHARE = 0.2
MOST_VALIDATION = 10_000
_ROUNDING = 1e-12  # the sd of a constant column, in means of it, is rounding below this

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


def training_examples(dataset: Dataset, imbalance: float = 1.0) -> int:
    """Return how many examples a seed trains on, at least."""
    if imbalance == 1:
        return len(dataset.y) - _most_held(dataset)
    classes = len(dataset.labels.classes)
    left = _left_of_classes(dataset, np.bincount(dataset.y, minlength=classes))
    kept = np.where(left > 0, np.maximum(1, np.floor(left * _shares(classes, imbalance))), 0)
    return max(1, int(kept.sum()))


def _left_of_classes(dataset: Dataset, counts: Array) -> Array:
    """(classes,) how many of each class are left to train on, at least."""
    if dataset.groups is not None:
        held = np.full(len(counts), _most_held(dataset))  # groups may be of one class
    else:  # a stratified prefix has each class's share, to one example each
        held = counts * (_most_held(dataset) + len(counts)) // len(dataset.y) + 1
    return np.asarray(np.maximum(0, counts - held))


def _most_held(dataset: Dataset) -> int:
    """How many examples are for validation, at most."""
    count = _validation_examples(dataset)
    if dataset.groups is None:
        return count
    half, sizes = len(dataset.y) // 2, np.bincount(dataset.groups)
    return min(half, count - 1 + int(sizes[sizes <= half].max()))


def _validation_examples(dataset: Dataset) -> int:
    return max(1, min(MOST_VALIDATION, round(VALIDATION_SHARE * len(dataset.y))))


def split(dataset: Dataset, seed: int) -> Split:
    """Draw the seed's training and validation examples; scale every part with training statistics only."""
    held = _held(dataset, stream(seed, "split"))
    parts = [_wide(dataset, x) for x in (dataset.x[~held], dataset.x[held], dataset.x_test)]
    shift, scale = _standardization(parts[0], dataset.standardized)
    labels = (dataset.y[~held], dataset.y[held], dataset.y_test)
    return Split(*(Part(_single((x - shift) / scale), y) for x, y in zip(parts, labels, strict=True)))


def _held(dataset: Dataset, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which examples are for validation: so many, or as many whole groups as it takes for that, up to half of all."""
    count = _validation_examples(dataset)
    if dataset.groups is None:
        held = np.zeros(len(dataset.y), bool)
        held[stratified_order(dataset.strata, rng)[:count]] = True
        return held
    half, sizes = len(dataset.y) // 2, np.bincount(dataset.groups)
    order = rng.permutation(len(sizes))
    order = order[sizes[order] <= half]
    return np.asarray(np.isin(dataset.groups, order[: whole_groups(sizes[order], count, half)]))


def scaled(dataset: Dataset, x: Array) -> Array:
    """Return inputs as float32, pixels from 0 to 1."""
    return _single(_wide(dataset, x))


def _single(x: Array) -> Array:
    return np.asarray(x, dtype=np.float32)


def _wide(dataset: Dataset, x: Array) -> Array:
    """Pixels from 0 to 1, and other inputs in a type that holds them: float32 cannot tell two times of Unix apart."""
    wide = np.result_type(x, np.float32)
    return np.divide(x, dataset.divisor, dtype=wide)


def _standardization(train: Array, standardized: Array) -> tuple[Array, Array]:
    mean, sd = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    varies = sd > _ROUNDING * np.abs(mean)
    shift = np.where(standardized, mean, 0.0).astype(train.dtype)
    scale = np.where(standardized & varies, sd, 1.0).astype(train.dtype)
    return shift, scale


def disturbed(parts: Split, classes: int, noise: float, imbalance: float, seed: int) -> Split:
    """Make classes rare and labels wrong among the training and validation examples; the test stays as it is."""
    train, validation, test = parts.train, parts.validation, parts.test
    if imbalance != 1:
        rng = stream(seed, "imbalance")
        rows = [imbalanced(part.y, classes, imbalance, rng) for part in (train, validation)]
        train, validation = (
            Part(part.x[kept], part.y[kept]) for part, kept in zip((train, validation), rows, strict=True)
        )
    if noise:
        rng = stream(seed, "noise")
        train, validation = (Part(part.x, with_noise(part.y, classes, noise, rng)) for part in (train, validation))
    return Split(train, validation, test)


def imbalanced(ids: NDArray[Any], classes: int, ratio: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return which examples to keep, in order: of class k of K the share ratio^(-k / (K - 1)), but one at least.

    So the first class has `ratio` times as many as the last (Cao et al. 2019, arXiv:1906.07413, section 4.1).
    """
    kept = []
    for k, share in enumerate(_shares(classes, ratio)):
        members = rng.permutation(np.flatnonzero(ids == k))
        kept.append(members[: max(1, round(share * len(members)))])
    return np.sort(np.concatenate(kept))


def _shares(classes: int, ratio: float) -> NDArray[np.float64]:
    return np.asarray(ratio ** (-np.arange(classes) / (classes - 1)))


def with_noise(ids: NDArray[Any], classes: int, share: float, rng: np.random.Generator) -> NDArray[Any]:
    """Return class ids of which about this share is wrong, each another class with equal chance."""
    wrong = rng.random(len(ids)) < share
    other = (ids + rng.integers(1, classes, len(ids))) % classes
    return np.where(wrong, other, ids).astype(ids.dtype)
