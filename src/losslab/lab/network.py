"""What is trained, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from losslab.lab.tasks import Output


@dataclass(frozen=True)
class Network:
    """A network for inputs and outputs of one shape.

    Attributes:
        model: "mlp", "cnn", "unet", or the path of the user's own.
        shape: of one example: (features,), (height, width) or (height, width, channels).
        output: the shape of one example's output, and what the scores of the last layer become.
        definition: a digest of the source of the user's own.
    """

    model: str
    shape: tuple[int, ...]
    output: Output
    definition: str = ""

    @property
    def outputs(self) -> int:
        """How many there are, for each example or each pixel."""
        return self.output.shape[-1]

    def plain(self) -> Network:
        """The network with plain scores: what all losses that need as many have in common."""
        return replace(self, output=Output(self.output.shape, "linear"))
