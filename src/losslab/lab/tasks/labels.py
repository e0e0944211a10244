"""Any number of labels for each example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, log_expit, logit

import losslab
from losslab.lab.measures import Measure
from losslab.lab.tasks import encode
from losslab.lab.tasks.task import Array, Labels, Output, Predicted, Score, Task, domains, number

_SMALLEST_PROBABILITY = 1e-12


def mean_average_precision(logits: Array, y: Array) -> float | None:
    """The mean over the labels of the average precision; labels that no example here has are left out.

    None where no example has any.
    """
    from sklearn.metrics import average_precision_score

    found = y.any(axis=0)
    return None if not found.any() else number(average_precision_score(y[:, found], logits[:, found], average="macro"))


def f1(logits: Array, y: Array) -> float:
    """2 · hits / (2 · hits + misses + false alarms) over all labels together; 1 where there is nothing to find."""
    chosen, true = logits > 0, y > 0
    hits, wrong = (chosen & true).sum(), (chosen ^ true).sum()
    return number(2 * hits / (2 * hits + wrong)) if hits + wrong else 1.0


def exact_match(logits: Array, y: Array) -> float:
    """The share of examples whose labels are all right."""
    return number(((logits > 0) == (y > 0)).all(axis=1).mean())


def _nll(logits: Array, y: Array) -> float:
    return number(-(y * log_expit(logits) + (1 - y) * log_expit(-logits)).mean())


def _brier(logits: Array, y: Array) -> float:
    return number(np.square(expit(logits) - y).mean())


@dataclass(frozen=True)
class MultiLabel(Task):
    """Any number of labels for each example: rows (N, labels) of 0 and 1, each label by itself."""

    name: ClassVar[str] = "labels"
    goal: ClassVar[str] = "train several labels at once"
    known: ClassVar[tuple[Measure, ...]] = (
        Measure("mean_average_precision", "mean average precision, %", 100, True, 0.5, 2),
        Measure("f1", "F1, %", 100, True, 0.5, 2),
        Measure("exact_match", "exact match, %", 100, True, 0.5, 2),
        Measure("nll", "NLL, nats", 1, False, 0.01, 3),
        Measure("brier", "Brier score", 1, False, 0.005, 3),
    )
    scores: ClassVar[Mapping[str, Score]] = {
        "mean_average_precision": mean_average_precision,
        "f1": f1,
        "exact_match": exact_match,
    }

    def sentence(self, classes: Sequence[str]) -> str:
        """How many labels."""
        return f"any of {len(classes)} labels, each by itself"

    def refusal(self, loss: losslab.Loss, labels: Labels) -> str:
        """A loss for which one class excludes the others."""
        if not encode.known(loss):
            return domains(loss)
        return f"{domains(loss)}, one class of several, and here they do not exclude each other" * encode.on_rows(loss)

    def output(self, loss: losslab.Loss, labels: Labels) -> Output:
        """An output per label."""
        return Output(labels.shape, encode.alone(loss))

    def targets(self, loss: losslab.Loss, y: Array, labels: Labels) -> Array:
        """Rows of 0 and 1, or of ±1."""
        y = y.astype(np.float32)
        return 2 * y - 1 if loss.targets.name == "sign" else y

    def predictions(self, loss: losslab.Loss, outputs: Array) -> Array:
        """A logit per label; margins stay as they are."""
        outputs = np.asarray(outputs, np.float64)
        if encode.alone(loss) == "linear":
            return outputs
        return np.asarray(logit(np.clip(outputs, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)))

    def measured(self, loss: losslab.Loss, validation: Predicted, test: Predicted) -> dict[str, Any]:
        """With NLL and Brier score, means over examples and labels, where a loss predicts probabilities."""
        found = super().measured(loss, validation, test)
        if encode.predicts_probabilities(loss):
            predictions = self.predictions(loss, test[0])
            found["measures"] |= {"nll": _nll(predictions, test[1]), "brier": _brier(predictions, test[1])}
        return found
