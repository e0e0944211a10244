"""Drivers: how the tokens of a framework are computed, chunk by chunk."""

from typing import Protocol

from .._ops import Array, Ops
from ._options import RowOptions
from ._tokens import Tokens

Gradients = tuple[Array, Array, Array | None]
"""With respect to hidden, weight and bias, in their shapes; None where there is no bias."""


class Values(Protocol):
    """How the values of tokens are computed; `_composed` says the numbers."""

    def total(self, tokens: Tokens, coefficient: Array | None, options: RowOptions) -> Array:
        """Σ coefficient·value over the tokens in use, the coefficient 1 where there is none."""

    def values(self, tokens: Tokens, options: RowOptions) -> Array:
        """One value per token, (N,): 0 where it is not used, NaN where its label is -1."""


class Driver(Values, Protocol):
    """What a framework's file offers."""

    def values_and_gradients(
        self, tokens: Tokens, coefficient: Array | None, options: RowOptions
    ) -> tuple[Array, Gradients]:
        """The values, and the gradients of `total` in a dtype that holds them."""


# Framework -> driver; filled when its first array arrives. A plain dict: torch.compile follows it.
_DRIVERS: dict[str, Driver] = {}


def driver_for(ops: Ops) -> Driver:
    """The driver of a framework.

    Raises:
        TypeError: a framework that has none.
    """
    return _DRIVERS.get(ops.name) or _load(ops.name)


def _load(name: str) -> Driver:
    driver: Driver
    if name == "torch":
        from ._torch import TorchDriver

        driver = TorchDriver()
    elif name == "jax":
        from ._jax import JaxDriver

        driver = JaxDriver()
    elif name == "numpy":
        from ._numpy import NumpyDriver

        driver = NumpyDriver()
    else:
        raise TypeError(
            f"linear_cross_entropy got {name} tensors, but it computes chunk by chunk on NumPy, PyTorch and JAX arrays "
            f"only: convert them, or give the logits to losslab.SparseCategoricalCrossentropy(from_logits=True)"
        )
    _DRIVERS[name] = driver
    return driver
