"""One of two classes, the second of which is what is looked for, and may be rare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslab.lab.measures import Measure
from losslab.lab.tasks.classes import ACCURACY, PROBABILITIES, Classes, accuracy
from losslab.lab.tasks.task import Array, Score, number

PRECISION = 0.9
"""At which the recall is read."""


def _evidence(logits: Array) -> Array:
    return np.asarray(logits[..., 1] - logits[..., 0])


def average_precision(logits: Array, ids: Array) -> float | None:
    """Mean precision over the recalls, Σ (Rₙ - Rₙ₋₁) Pₙ, as scikit-learn has it; None where nothing is to be found."""
    from sklearn.metrics import average_precision_score

    if not ids.any():
        return None
    return number(average_precision_score(ids, _evidence(logits)))


def auroc(logits: Array, ids: Array) -> float | None:
    """The chance that an example of the second class gets more evidence than one of the first; ties count half.

    None where there is only one class.
    """
    from sklearn.metrics import roc_auc_score

    if ids.all() or not ids.any():
        return None
    return number(roc_auc_score(ids, _evidence(logits)))


def recall_at_precision(logits: Array, ids: Array) -> float | None:
    """The largest recall of a threshold whose precision is at least PRECISION; 0 where there is none.

    None where nothing is to be found.
    """
    from sklearn.metrics import precision_recall_curve

    if not ids.any():
        return None
    precision, recall, _ = precision_recall_curve(ids, _evidence(logits))
    return number(recall[precision >= PRECISION].max())


@dataclass(frozen=True)
class Binary(Classes):
    """One of two classes; judged by how well the second is found."""

    name: ClassVar[str] = "binary"
    known: ClassVar[tuple[Measure, ...]] = (
        Measure("average_precision", "average precision, %", 100, True, 0.5, 2),
        Measure("auroc", "AUROC, %", 100, True, 0.2, 2),
        Measure("recall_at_precision", f"recall at {PRECISION:.0%} precision, %", 100, True, 1.0, 2),
        ACCURACY,
        *PROBABILITIES,
    )
    scores: ClassVar[Mapping[str, Score]] = {
        "average_precision": average_precision,
        "auroc": auroc,
        "recall_at_precision": recall_at_precision,
        "accuracy": accuracy,
    }

    def sentence(self, classes: Sequence[str]) -> str:
        """Which of the two is looked for."""
        return (
            f"which of two classes; '{classes[-1]}' is what is looked for, with a single output where the loss looks "
            "at each value by itself"
        )
