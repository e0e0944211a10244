"""One class of several for each example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any, ClassVar

import numpy as np

import losslab
from losslab.lab import calibration
from losslab.lab.measures import Measure
from losslab.lab.tasks import encode
from losslab.lab.tasks.task import Array, Labels, Output, Predicted, Score, Task, domains, number

ACCURACY = Measure("accuracy", "accuracy, %", 100, True, 0.2, 2)
PROBABILITIES = (
    Measure("nll", "NLL, nats", 1, False, 0.01, 3),
    Measure("brier", "Brier score", 1, False, 0.005, 3),
    Measure("ece", "ECE, %", 100, False, 0.5, 2),
    Measure("nll_scaled", "NLL, scaled", 1, False, 0.01, 3),
    Measure("brier_scaled", "Brier, scaled", 1, False, 0.005, 3),
    Measure("ece_scaled", "ECE, scaled, %", 100, False, 0.5, 2),
)


def accuracy(logits: Array, ids: Array) -> float:
    """The share of classes that are right.

    >>> accuracy(np.array([[0.0, 1.0], [2.0, 1.0]]), np.array([1, 1]))
    0.5
    """
    return number((logits.argmax(axis=-1) == ids).mean())


@dataclass(frozen=True)
class Classes(Task):
    """One class of several for each example."""

    name: ClassVar[str] = "classes"
    goal: ClassVar[str] = "train a classifier"
    known: ClassVar[tuple[Measure, ...]] = (ACCURACY, *PROBABILITIES)
    scores: ClassVar[Mapping[str, Score]] = {"accuracy": accuracy}
    has_classes: ClassVar[bool] = True

    def sentence(self, classes: Sequence[str]) -> str:
        """How many classes."""
        return f"one of {len(classes)} classes"

    def refusal(self, loss: losslab.Loss, labels: Labels) -> str:
        """A loss on neither classes, probabilities nor margins."""
        return "" if encode.known(loss) else domains(loss)

    def output(self, loss: losslab.Loss, labels: Labels) -> Output:
        """An output per class."""
        return encode.output(loss, labels)

    def targets(self, loss: losslab.Loss, y: Array, labels: Labels) -> Array:
        """Class ids, one-hot rows or ±1 rows."""
        return encode.targets(loss, y, self.output(loss, labels).shape[-1])

    def predictions(self, loss: losslab.Loss, outputs: Array) -> Array:
        """Logits."""
        return encode.logits(loss, outputs)

    def measured(self, loss: losslab.Loss, validation: Predicted, test: Predicted) -> dict[str, Any]:
        """With what the probabilities are worth, before and after temperature scaling.

        The temperature is fitted on the validation examples. Margins are no probabilities before it. bins: (count,
        confidence, accuracy) of the reliability diagram, before and after; None before it for margins. confusion: (true
        class, predicted class, count), those that occur.
        """
        found = super().measured(loss, validation, test)
        logits, ids = self.predictions(loss, test[0]), test[1]
        temperature = calibration.best_temperature(self.predictions(loss, validation[0]), validation[1])
        before = calibration.scores(logits, ids) if encode.predicts_probabilities(loss) else None
        after = calibration.scores(logits, ids, temperature)
        plain = dict.fromkeys(("nll", "brier", "ece")) if before is None else _numbers(before)
        scaled = {f"{key}_scaled": value for key, value in _numbers(after).items()}
        found["measures"] |= plain | scaled | {"temperature": temperature}
        bins = {"before": None if before is None else _bins(before), "after": _bins(after)}
        return found | {"bins": bins, "confusion": _confusion(logits, ids)}


def _numbers(scores: calibration.Scores) -> dict[str, Any]:
    return {key: value for key, value in asdict(scores).items() if key != "bins"}


def _confusion(logits: Array, ids: Array) -> list[list[int]]:
    pairs, counts = np.unique(np.stack([ids, logits.argmax(axis=-1)]), axis=1, return_counts=True)
    found: list[list[int]] = np.vstack([pairs, counts]).T.tolist()
    return found


def _bins(scores: calibration.Scores) -> list[tuple[Any, ...]]:
    return [astuple(found) for found in scores.bins]
