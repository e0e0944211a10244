"""The ranks of JAX: the devices along an axis of a mesh, inside `jax.shard_map`."""

from dataclasses import dataclass
from typing import Any

import jax

from .._linear._drivers import Values
from .._ops import Array
from ._jax_linear import LinearDriver
from ._jax_logits import LogitsDriver
from ._jax_split import JaxSplit
from ._jax_types import Axes, axes_of, named, total_over


@dataclass(frozen=True)
class JaxRanks:
    """What `Ranks` says."""

    axis_name: Any

    def split(self, x: Array, axis: int, first: int | None, classes: int | None) -> tuple[Array, JaxSplit]:
        size = x.shape[axis]
        checked = self._axes <= axes_of(jax.lax.axis_index(self.axis_name))
        if first is not None:
            raise ValueError("first= is for PyTorch: shard_map gives every device as many columns; say classes= only")
        if checked and not self._axes <= axes_of(x):
            raise ValueError(
                f"an array of shape {tuple(x.shape)} is the same on all devices along {self.axis_name!r}: "
                f"its axis of classes must be split over them, as by in_specs=P(None, {self.axis_name!r})"
            )
        return x, JaxSplit(self.axis_name, self._classes(size, classes), size, checked)

    def part(self, x: Any) -> Any:
        return x

    def whole(self, x: Any, split: JaxSplit) -> Any:
        return x

    def logits_driver(self, split: JaxSplit) -> Values:
        return LogitsDriver(split)

    def linear_driver(self, split: JaxSplit) -> Values:
        return LinearDriver(split)

    def total(self, x: Array) -> Array:
        return total_over(jax.lax.stop_gradient(x), self.axis_name)

    @property
    def count(self) -> int:
        count: int = jax.lax.axis_size(self.axis_name)
        return count

    @property
    def _axes(self) -> Axes:
        return named(self.axis_name)

    def _classes(self, size: int, classes: int | None) -> int:
        columns = size * self.count
        if classes is None:
            return columns
        if not 0 < classes <= columns:
            raise ValueError(
                f"classes={classes}, but {self.count} devices hold {size} columns each: there are at most {columns}"
            )
        return classes
