"""A class for every pixel of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import losslab
from losslab.lab.measures import Measure
from losslab.lab.tasks.classes import Classes, accuracy
from losslab.lab.tasks.task import Array, Predicted, Score, Task, number


def _counts(logits: Array, ids: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Over all pixels: by class, those that are it and are found, and those that are one of both.

    Of two classes only the second counts, which is what is looked for. Classes that are nowhere are left out.
    """
    classes, chosen = logits.shape[-1], logits.argmax(axis=-1)
    table = np.bincount(classes * ids.ravel() + chosen.ravel(), minlength=classes**2).reshape(classes, classes)
    hits, either = np.diag(table), table.sum(axis=0) + table.sum(axis=1) - np.diag(table)
    wanted = either > 0 if classes > 2 else np.array([False, bool(either[1])])
    return hits[wanted], either[wanted]


def iou(logits: Array, ids: Array) -> float:
    """Intersection over union of what is found and what there is, over all pixels; of more than two classes, the mean.

    >>> iou(np.eye(2)[[[1, 1, 0, 0]]], np.array([[1, 0, 1, 0]]))
    0.3333333333333333
    """
    hits, either = _counts(logits, ids)
    return number((hits / either).mean()) if len(hits) else 1.0


def dice(logits: Array, ids: Array) -> float:
    """2 · intersection / (found + there), over all pixels; of more than two classes, the mean (Dice 1945).

    >>> dice(np.eye(2)[[[1, 1, 0, 0]]], np.array([[1, 0, 1, 0]]))
    0.5
    """
    hits, either = _counts(logits, ids)
    return number((2 * hits / (hits + either)).mean()) if len(hits) else 1.0


@dataclass(frozen=True)
class Segmentation(Classes):
    """A class for every pixel: labels (N, height, width)."""

    name: ClassVar[str] = "segmentation"
    goal: ClassVar[str] = "train a segmentation"
    known: ClassVar[tuple[Measure, ...]] = (
        Measure("iou", "IoU, %", 100, True, 0.5, 2),
        Measure("dice", "Dice, %", 100, True, 0.5, 2),
        Measure("accuracy", "pixel accuracy, %", 100, True, 0.2, 2),
    )
    scores: ClassVar[Mapping[str, Score]] = {"iou": iou, "dice": dice, "accuracy": accuracy}
    has_classes: ClassVar[bool] = False

    def sentence(self, classes: Sequence[str]) -> str:
        """How many classes."""
        return f"one of {len(classes)} classes for every pixel"

    def measured(self, loss: losslab.Loss, validation: Predicted, test: Predicted) -> dict[str, Any]:
        """Of the regions alone."""
        return Task.measured(self, loss, validation, test)
