"""What a final run is measured by on its test examples: the same for every loss, never the loss's own value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab import calibration

Values = NDArray[np.float64]
Ids = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        key: its name in a run's record and in summary.json.
        title: its name in tables, with the unit.
        factor: what a record's number is multiplied by.
        band: differences within ± this are of no practical interest.
        digits: after the decimal point.
    """

    key: str
    title: str
    factor: float
    higher_is_better: bool
    band: float
    digits: int

    def of(self, record: Mapping[str, Any]) -> float | None:
        """The value of a finished final run; None where its loss predicts no probabilities."""
        value = record["measures"][self.key]
        return None if value is None else self.factor * value


ACCURACY = Measure("accuracy", "accuracy, %", 100, True, 0.2, 2)
FURTHER = (
    Measure("nll", "NLL, nats", 1, False, 0.01, 3),
    Measure("brier", "Brier score", 1, False, 0.005, 3),
    Measure("ece", "ECE, %", 100, False, 0.5, 2),
    Measure("nll_scaled", "NLL, scaled", 1, False, 0.01, 3),
    Measure("brier_scaled", "Brier, scaled", 1, False, 0.005, 3),
    Measure("ece_scaled", "ECE, scaled, %", 100, False, 0.5, 2),
)
MEASURES = (ACCURACY, *FURTHER)


def measured(
    validation: tuple[Values, Ids], test: tuple[Values, Ids], *, probabilities: bool
) -> dict[str, dict[str, Any]]:
    """What the record of a final run holds of its test examples.

    Args:
        validation, test: logits (N, C) and class ids (N,); the temperature is fitted on the first.
        probabilities: whether the softmax of the logits is what the network predicts. Margins are not: only after
            temperature scaling can they be taken for logits.

    Returns:
        measures: by key, with the temperature. bins: (count, confidence, accuracy) of the reliability diagram, before
        and after temperature scaling; None before it for margins.
    """
    logits, ids = test
    temperature = calibration.best_temperature(*validation)
    before = calibration.scores(logits, ids) if probabilities else None
    after = calibration.scores(logits, ids, temperature)
    plain = dict.fromkeys(("nll", "brier", "ece")) if before is None else _numbers(before)
    scaled = {f"{key}_scaled": value for key, value in _numbers(after).items()}
    accuracy = float((logits.argmax(axis=-1) == ids).mean())
    return {
        "measures": {"accuracy": accuracy, **plain, **scaled, "temperature": temperature},
        "bins": {"before": None if before is None else _bins(before), "after": _bins(after)},
    }


def _numbers(scores: calibration.Scores) -> dict[str, Any]:
    return {key: value for key, value in asdict(scores).items() if key != "bins"}


def _bins(scores: calibration.Scores) -> list[tuple[Any, ...]]:
    return [astuple(found) for found in scores.bins]
