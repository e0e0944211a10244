"""One or several numbers for each example."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import losslab
from losslab.lab import fingerprint, own, own_loss
from losslab.lab.measures import Measure
from losslab.lab.tasks.task import Array, Labels, Output, Score, Task, domains, number

_TARGETS = {"real", "non_negative", "count"}
_ACTIVATIONS = {"real": "linear", "rate": "exponential", "non_negative": "exponential"}


def rmse(predictions: Array, y: Array) -> float:
    """The root of the mean squared error."""
    return number(np.sqrt(np.square(predictions - y).mean()))


def mae(predictions: Array, y: Array) -> float:
    """The mean absolute error."""
    return number(np.abs(predictions - y).mean())


@dataclass(frozen=True)
class Regression(Task):
    """Numbers (N, targets). Every loss sees them in their own unit: a network's outputs are brought to their scale."""

    name: ClassVar[str] = "regression"
    goal: ClassVar[str] = "train a regression"
    known: ClassVar[tuple[Measure, ...]] = (
        Measure("rmse", "RMSE", 1, False, 0.01, 4, relative=True),
        Measure("mae", "MAE", 1, False, 0.01, 4, relative=True),
    )
    scores: ClassVar[Mapping[str, Score]] = {"rmse": rmse, "mae": mae}

    def _all_measures(self) -> tuple[Measure, ...]:
        own = () if self.cost is None else (Measure("cost", "cost", 1, False, 0.01, 4, relative=True),)
        return (*own, *self.known)

    def _scores(self) -> Mapping[str, Score]:
        return self.scores if self.cost is None else {"cost": self._cost, **self.scores}

    def _cost(self, predictions: Array, y: Array) -> float:
        return number(self._judge(y, predictions))

    @functools.cached_property
    def _judge(self) -> losslab.Loss:
        """The cost's loss, made when a run is first judged: a report imports nobody's code."""
        assert self.cost is not None
        loss: losslab.Loss = own_loss.get(self.cost["loss"])
        if "path" in self.cost["loss"] and fingerprint.of(loss) != self.cost["definition"]:
            raise own.edited(self.cost["loss"]["path"])
        return loss

    def sentence(self, classes: Sequence[str]) -> str:
        """How the labels are scaled, and what the cost is."""
        cost = f"; the cost is {self.cost['label']}, a mean over the examples" if self.cost else ""
        return (
            "numbers, in their own unit for every loss: the outputs are brought to the scale of the labels, a line "
            f"through their mean, or an exponential for a loss on what is positive{cost}"
        )

    def refusal(self, loss: losslab.Loss, labels: Labels) -> str:
        """A loss on classes or margins, on a row of one number, or on numbers that are not negative where some are."""
        if loss.targets.name not in _TARGETS or loss.outputs.name not in _ACTIVATIONS:
            return domains(loss)
        if isinstance(loss, losslab.RowLoss) and labels.shape[-1] == 1:
            return "it compares rows of numbers, and here is one number for each example"
        if loss.targets.name != "real" and labels.low < 0:
            return f"{domains(loss)}, and the smallest target is {labels.low:g}"
        return ""

    def output(self, loss: losslab.Loss, labels: Labels) -> Output:
        """A line through the mean; for what is positive an exponential, times the mean."""
        activation = _ACTIVATIONS[loss.outputs.name]
        if activation == "linear":
            return Output(labels.shape, activation, labels.spread, labels.mean)
        return Output(labels.shape, activation, labels.mean)

    def targets(self, loss: losslab.Loss, y: Array, labels: Labels) -> Array:
        """The numbers."""
        return y.astype(np.float32)

    def predictions(self, loss: losslab.Loss, outputs: Array) -> Array:
        """The numbers that are predicted."""
        return np.asarray(outputs, np.float64)
