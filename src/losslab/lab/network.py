"""What is trained, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from losslab.lab.tasks import Output


@dataclass(frozen=True)
class Network:
    """A network for inputs and outputs of one shape.

    Attributes:
        model: "mlp", "cnn" or "unet".
        shape: of one example: (features,), (height, width) or (height, width, channels).
        output: the shape of one example's output, and what the scores of the last layer become.
    """

    model: str
    shape: tuple[int, ...]
    output: Output
