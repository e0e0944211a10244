"""What an engine makes of a network, an optimizer and a loss. It knows nothing of classes, ids or scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from losslab.lab.tasks import Output

EVALUATION_BATCH = 1000


class Examples(NamedTuple):
    """Inputs (N, ...) and the loss's y_true for them, both placed."""

    x: Any
    y: Any


def finished(
    output: Output, activations: Mapping[str, Callable[[Any], Any]], array: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Return what makes outputs of scores: activation(scores) · scale + shift.

    Args:
        output: says which.
        activations: a framework's, by name.
        array: makes the framework's array of a NumPy one.
    """
    activation = activations[output.activation]
    if not output.scale:
        return activation
    scale = np.array(output.scale, np.float32)
    shift = np.array(output.shift or np.zeros_like(scale), np.float32)
    return lambda scores: activation(scores) * array(scale) + array(shift)


class Program(Protocol):
    """A network under one loss, ready to be trained from any seed at any rate.

    A state is used once: `epoch` may reuse its memory. Outputs are what the activation gives, in an array that
    `numpy.asarray` reads.
    """

    @staticmethod
    def place(array: Any) -> Any:
        """Return an array where the engine wants it."""

    def initial(self, seed: int, rate: float) -> Any:
        """Return the state of an untrained run."""

    def epoch(self, state: Any, examples: Examples, rows: Any) -> tuple[Any, float, Any]:
        """Take a step on the examples of each row of `rows` (steps, batch), an int32 array.

        Returns:
            The new state; the mean of the steps' losses; the outputs of the network during training, one for every
            entry of `rows` in its order.
        """

    def outputs(self, state: Any, x: Any) -> Any:
        """Return the outputs for placed inputs as in use: without dropout, in batches that fit in memory."""

    def loss(self, outputs: Any, y: Any) -> float:
        """Return the loss of such outputs against placed labels."""
