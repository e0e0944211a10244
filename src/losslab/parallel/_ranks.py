"""Ranks: the processes or devices that compute a loss together, each with its part of the arrays."""

from typing import Any, Protocol

from .._linear._drivers import Values
from .._ops import Array, Ops


class Split(Protocol):
    """The classes of this rank among those of all."""

    @property
    def classes(self) -> int:
        """How many all ranks hold together."""


class Ranks(Protocol):
    """What a framework's file offers."""

    def split(self, x: Array, axis: int, first: int | None, classes: int | None) -> tuple[Array, Any]:
        """This rank's part of an array whose classes are split, as a plain array, and its `Split`.

        Raises:
            ValueError: a part that does not fit what the caller says of it.
        """

    def part(self, x: Any) -> Any:
        """This rank's part of an array that is split alike, as a plain array; None as it is."""

    def whole(self, x: Any, split: Any) -> Any:
        """What every rank of the split holds whole, as a plain array; what is no array as it is."""

    def logits_driver(self, split: Any) -> Values:
        """The driver for logits in the place of hidden states."""

    def linear_driver(self, split: Any) -> Values:
        """The driver for hidden states and a weight."""

    def total(self, x: Array) -> Array:
        """The sum over the ranks of a number of each."""

    @property
    def count(self) -> Any:
        """How many ranks there are."""


def ranks_for(caller: str, ops: Ops, group: Any, axis_name: Any) -> Ranks:
    """The ranks that the arrays of a framework are spread over.

    Raises:
        TypeError: a framework without ranks, or one named in another framework's way.
    """
    if ops.name == "torch":
        if axis_name is not None:
            raise TypeError(
                f"{caller}: axis_name= is JAX's, but the arrays are PyTorch's: give group=, a process group"
            )
        from ._torch import TorchRanks

        return TorchRanks(group)
    if ops.name == "jax":
        if group is not None or axis_name is None:
            raise TypeError(f"{caller}: with JAX arrays give axis_name=, the axis of the mesh that shard_map maps over")
        from ._jax import JaxRanks

        return JaxRanks(axis_name)
    raise TypeError(f"{caller} works on PyTorch and JAX arrays, got {ops.name}: other frameworks have no ranks here")
