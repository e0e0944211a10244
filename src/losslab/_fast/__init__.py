"""Drivers: how a loss is computed fast on each framework. A driver's numbers are those of the composed formula."""

from typing import Any, Protocol

from .._ops import Array, Ops

__all__ = ["Driver", "driver_for"]


class Driver(Protocol):
    """What a framework's file offers. None means: nothing to gain here, take the composed formula."""

    def reduced(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> Array | None:
        """What `loss(y_true, y_pred, weight, mask, normalizer, **data)` gives."""

    def per_sample(self, loss: Any, y_true: Any, y_pred: Any, data: dict[str, Any]) -> Array | None:
        """What `loss.per_sample(y_true, y_pred, **data)` gives."""

    def value_and_grad(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> tuple[Array, Array]:
        """The reduced loss and its gradient with respect to y_pred; under "none" the gradient of the values' sum."""


# Framework -> driver; filled when its first array arrives. A plain dict: torch.compile follows it.
_DRIVERS: dict[str, Driver] = {}


def driver_for(ops: Ops) -> Driver:
    return _DRIVERS.get(ops.name) or _load(ops.name)


def _load(name: str) -> Driver:
    if name == "torch":
        from . import _torch

        _DRIVERS[name] = _torch.DRIVER
    elif name == "jax":
        from . import _jax

        _DRIVERS[name] = _jax.DRIVER
    elif name == "tensorflow":
        from . import _tensorflow

        _DRIVERS[name] = _tensorflow.DRIVER
    else:
        from . import _numpy

        _DRIVERS[name] = _numpy.DRIVER
    return _DRIVERS[name]
