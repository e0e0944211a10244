"""A plain PyTorch loop, for a module or for a Keras model on PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch

import losslab
from losslab.lab.engines.program import EVALUATION_BATCH, Examples, finished
from losslab.lab.models import torch as modules
from losslab.lab.network import Network

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-7


class State(NamedTuple):
    """A module that is trained in place, and its optimizer."""

    module: modules.Trained
    optimizer: _Sgd


class TorchProgram:
    """A network under one loss.

    Args:
        network: what is trained.
        optimizer_name: "adam" or "sgd".
        loss: what is minimised.
    """

    def __init__(self, network: Network, optimizer_name: str, loss: losslab.Loss) -> None:
        self._network, self._optimizer_name, self._loss = network, optimizer_name, loss
        self._activation = finished(network.output, _ACTIVATIONS, self.place)

    @staticmethod
    def place(array: Any) -> torch.Tensor:
        """Return a tensor on the device."""
        return torch.tensor(array, device=modules.device())

    def initial(self, seed: int, rate: float) -> State:
        """Return the state of an untrained run."""
        module = modules.build(self._network, seed)
        return State(module, _OPTIMIZERS[self._optimizer_name](module.parameters(), rate))

    def epoch(self, state: State, examples: Examples, rows: Any) -> tuple[State, float, Any]:
        """Take a step on the examples of each row of `rows`."""
        taken = [self._step(state, examples, batch) for batch in self.place(rows)]
        losses, outputs = zip(*taken, strict=True)
        return state, float(torch.stack(losses).mean()), torch.cat(outputs).cpu().numpy()

    @torch.no_grad()
    def outputs(self, state: State, x: Any) -> Any:
        """Return the outputs for all of `x` as in use."""
        scores = [state.module(batch, training=False) for batch in x.split(EVALUATION_BATCH)]
        return self._activation(torch.cat(scores)).cpu().numpy()

    def loss(self, outputs: Any, y: Any) -> float:
        """Return the loss of outputs."""
        return float(self._loss(y, self.place(outputs)))

    def _step(self, state: State, examples: Examples, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        outputs = self._activation(state.module(examples.x[rows], training=True))
        loss = self._loss(examples.y[rows], outputs)
        (loss + state.module.penalty()).backward()
        state.optimizer.step()
        return loss.detach(), outputs.detach()


class _Sgd:
    """Plain gradient descent. PyTorch's optimizers are not used: to make one imports its compiler, for two seconds."""

    def __init__(self, weights: Iterable[torch.nn.Parameter], rate: float) -> None:
        self._weights, self._rate = list(weights), rate

    @torch.no_grad()
    def step(self) -> None:
        """Change the weights by their gradients, and forget these."""
        for weight in self._weights:
            if weight.grad is not None:  # None where the batch did not use it
                weight.sub_(self._change(weight, weight.grad))
                weight.grad = None

    def _change(self, weight: torch.nn.Parameter, gradient: torch.Tensor) -> torch.Tensor:
        return self._rate * gradient


class _Adam(_Sgd):
    """Adam as at the end of section 2 of Kingma & Ba 2015, arXiv:1412.6980, in the precision in which Keras has it.

    PyTorch's own adds epsilon elsewhere and corrects in another precision, and after three epochs that shows.
    """

    def __init__(self, weights: Iterable[torch.nn.Parameter], rate: float) -> None:
        super().__init__(weights, rate)
        self._moments = {weight: (torch.zeros_like(weight), torch.zeros_like(weight)) for weight in self._weights}
        self._steps, self._corrected = 0, rate

    def step(self) -> None:
        self._steps += 1
        first, second = (1 - np.float32(decay) ** np.float32(self._steps) for decay in (_FIRST, _SECOND))
        self._corrected = float(np.float32(self._rate) * np.sqrt(second) / first)
        super().step()

    def _change(self, weight: torch.nn.Parameter, gradient: torch.Tensor) -> torch.Tensor:
        first, second = self._moments[weight]
        first += (gradient - first) * (1 - _FIRST)
        second += (gradient**2 - second) * (1 - _SECOND)
        return self._corrected * first / (second.sqrt() + _EPSILON)


_OPTIMIZERS = {"adam": _Adam, "sgd": _Sgd}
_ACTIVATIONS: dict[str, Any] = {
    "softmax": lambda scores: scores.softmax(dim=-1),
    "sigmoid": torch.sigmoid,
    "exponential": torch.exp,
    "linear": lambda scores: scores,
}
