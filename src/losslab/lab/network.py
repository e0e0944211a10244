"""What is trained, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A network for inputs and outputs of one shape.

    Attributes:
        model: "mlp" or "cnn".
        shape: of one example: (features,), (height, width) or (height, width, channels).
        outputs: how many the last layer has, or their shape.
        activation: of the last layer: "softmax", "sigmoid" or "linear".
    """

    model: str
    shape: tuple[int, ...]
    outputs: int | tuple[int, ...]
    activation: str
