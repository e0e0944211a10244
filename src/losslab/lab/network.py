"""What is trained, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Network:
    """A network for inputs and outputs of one shape.

    Attributes:
        model: "mlp", "cnn", or the path of the user's own.
        shape: of one example: (features,), (height, width) or (height, width, channels).
        outputs: how many the last layer has, or their shape.
        activation: of the last layer: "softmax", "sigmoid" or "linear".
        definition: a digest of the source of the user's own.
    """

    model: str
    shape: tuple[int, ...]
    outputs: int | tuple[int, ...]
    activation: str = "linear"
    definition: str = ""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of one example's outputs."""
        return (self.outputs,) if isinstance(self.outputs, int) else self.outputs

    def plain(self) -> Network:
        """The network without its activation: what all losses have in common."""
        return replace(self, activation="linear")
