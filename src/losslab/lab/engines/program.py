"""What an engine makes of a network, an optimizer and a loss. It knows nothing of classes, ids or scores."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

EVALUATION_BATCH = 1000


class Examples(NamedTuple):
    """Inputs (N, ...) and the loss's y_true for them, both placed."""

    x: Any
    y: Any


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
