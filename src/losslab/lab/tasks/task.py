"""What a task is: what the labels are, what a network puts out for them, and by which measures it is judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import losslab
from losslab.lab.errors import LabError, did_you_mean
from losslab.lab.measures import Measure

Array = NDArray[Any]
Score = Callable[[Any, Array], float | None]
"""(predictions, labels) -> the value of a measure; None where it is undefined."""
Predicted = tuple[Array, Array]
"""A network's outputs for some examples, and these examples' labels as the data set holds them."""


@dataclass(frozen=True)
class Labels:
    """What a task must know of the labels of a data set.

    Attributes:
        shape: of one example's label, () for a class or a number.
        classes: the names of the classes; none for numbers.
        low: the smallest number.
        mean, spread: of each number to predict, for the scale of the outputs.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    low: float = 0.0
    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()


@dataclass(frozen=True)
class Output:
    """The output layer that a loss needs: activation(scores) · scale + shift.

    Attributes:
        shape: of one example's output.
        activation: "linear", "softmax" (over the last axis), "sigmoid" or "exponential".
        scale, shift: one number for each of the last axis; none for 1 and 0.
    """

    shape: tuple[int, ...]
    activation: str
    scale: tuple[float, ...] = ()
    shift: tuple[float, ...] = ()


@dataclass(frozen=True)
class Task(ABC):
    """A kind of problem. Measures are computed on the host, from outputs and labels alone.

    Attributes:
        measure: the key of the measure that decides; None for the task's own choice.
        cost: the loss that is a further measure, in the units of the labels: its label, its serialized form, and a
            digest of its class's definition; None for none.
    """

    name: ClassVar[str]
    goal: ClassVar[str]
    """What a loss has to be able to do, for the message that refuses it."""
    known: ClassVar[tuple[Measure, ...]]
    """Its measures; the first decides, unless another is asked for."""
    scores: ClassVar[Mapping[str, Score]]
    """By the keys of the measures that can decide: (predictions, labels) -> value."""
    has_classes: ClassVar[bool] = False
    """Whether an example has one of several classes, which can be made wrong or rare."""
    measure: str | None = None
    cost: Mapping[str, Any] | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures, the one that decides first."""
        found = self._all_measures()
        first = self.measure or found[0].key
        return tuple(sorted(found, key=lambda each: each.key != first))

    def _all_measures(self) -> tuple[Measure, ...]:
        return self.known

    @property
    def decides(self) -> Measure:
        """The measure that learning rates are chosen by, and that the verdict is about."""
        return self.measures[0]

    def describe(self) -> dict[str, Any]:
        """What a job and config.json hold of it."""
        return {"name": self.name, "measure": self.measure, "cost": self.cost}

    def check(self) -> None:
        """Raise LabError unless the measure that was asked for can decide."""
        known = [each.key for each in self._all_measures() if each.key in self._scores()]
        if self.measure is not None and self.measure not in known:
            raise LabError(
                f"unknown measure '{self.measure}'",
                f"what can decide here: {', '.join(known)}",
                did_you_mean(self.measure, known, f"for example --measure {known[0]}"),
            )

    def _scores(self) -> Mapping[str, Score]:
        return self.scores

    def score(self, loss: losslab.Loss, predicted: Predicted) -> float | None:
        """The value of the measure that decides; None where it is undefined."""
        outputs, y = predicted
        return self._scores()[self.decides.key](self.predictions(loss, outputs), y)

    def measured(self, loss: losslab.Loss, validation: Predicted, test: Predicted) -> dict[str, Any]:
        """What the record of a final run holds of its test examples: measures by key, and what figures need."""
        predictions = self.predictions(loss, test[0])
        return {"measures": {key: score(predictions, test[1]) for key, score in self._scores().items()}}

    @abstractmethod
    def sentence(self, classes: Sequence[str]) -> str:
        """What is learned, for the report."""

    @abstractmethod
    def refusal(self, loss: losslab.Loss, labels: Labels) -> str:
        """Why a loss cannot serve; "" if it can."""

    @abstractmethod
    def output(self, loss: losslab.Loss, labels: Labels) -> Output:
        """The output layer for a loss."""

    @abstractmethod
    def targets(self, loss: losslab.Loss, y: Array, labels: Labels) -> Array:
        """The labels (N, …) as the loss's y_true."""

    @abstractmethod
    def predictions(self, loss: losslab.Loss, outputs: Array) -> Array:
        """Outputs in the form that the scores take, alike for every loss."""


def refuse(task: Task, loss: losslab.Loss, labels: Labels) -> None:
    """Raise LabError unless the loss can serve the task."""
    if reason := task.refusal(loss, labels):
        raise LabError(
            f"{loss.name} cannot {task.goal}", reason, "choose another loss: losslab list names what each compares"
        )


def domains(loss: losslab.Loss) -> str:
    """What a loss compares, in words."""
    return f"it compares {loss.targets.name} targets with {loss.outputs.name} predictions"


def number(value: Any) -> float:
    """A Python float, which JSON can hold."""
    return float(np.asarray(value))
