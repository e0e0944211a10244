"""A network for the PyTorch loop: what a module and a Keras model on PyTorch have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch

from losslab.lab.backend import use_keras
from losslab.lab.models import BUILT_IN, own
from losslab.lab.network import Network
from losslab.lab.streams import stream


class Trained(Protocol):
    """A network that is trained in place."""

    def __call__(self, x: torch.Tensor, training: bool) -> torch.Tensor:
        """Return the scores."""

    def parameters(self) -> Iterable[torch.nn.Parameter]:
        """Return what is trained."""

    def penalty(self) -> Any:
        """Return what the network adds to the loss of its last batch."""


def device() -> str:
    """Return where PyTorch trains."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def build(network: Network, seed: int) -> Trained:
    """Build the network with the initial weights of a seed, the same for every loss."""
    if network.model in BUILT_IN:
        return _OfKeras(network, seed)
    module = own.build(network, seed)
    torch.manual_seed(int(stream(seed, "dropout").integers(2**31)))
    return _OfKeras(network, seed) if own.kind(module) == "keras" else _OfModule(module)


class _OfModule:
    def __init__(self, module: torch.nn.Module) -> None:
        self._module = module.to(device())

    def __call__(self, x: torch.Tensor, training: bool) -> torch.Tensor:
        scores: torch.Tensor = self._module.train(training)(x)
        return scores

    def parameters(self) -> Iterable[torch.nn.Parameter]:
        return self._module.parameters()

    def penalty(self) -> Any:
        return 0.0


class _OfKeras:
    def __init__(self, network: Network, seed: int) -> None:
        use_keras("torch")
        from losslab.lab.models import keras as keras_models

        self._model = keras_models.build(network)
        keras_models.begin(network, self._model, seed)

    def __call__(self, x: torch.Tensor, training: bool) -> torch.Tensor:
        scores: torch.Tensor = self._model(x, training=training)
        return scores

    def parameters(self) -> Iterable[torch.nn.Parameter]:
        return [variable.value for variable in self._model.trainable_variables]

    def penalty(self) -> Any:
        return sum(self._model.losses)
