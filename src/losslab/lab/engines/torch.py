"""A plain PyTorch loop, for a module or for a Keras model on PyTorch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

import losslab
from losslab.lab.engines.program import EVALUATION_BATCH, Examples
from losslab.lab.models import torch as modules
from losslab.lab.network import Network


class State(NamedTuple):
    """A module that is trained in place, and its optimizer."""

    module: modules.Trained
    optimizer: torch.optim.Optimizer


class TorchProgram:
    """A network under one loss.

    Args:
        network: what is trained.
        optimizer_name: "adam" or "sgd".
        loss: what is minimised.
    """

    def __init__(self, network: Network, optimizer_name: str, loss: losslab.Loss) -> None:
        self._network, self._optimizer_name, self._loss = network, optimizer_name, loss
        self._activation = _ACTIVATIONS[network.activation]

    @staticmethod
    def place(array: Any) -> torch.Tensor:
        """Return a tensor on the device."""
        return torch.tensor(array, device=modules.device())

    def initial(self, seed: int, rate: float) -> State:
        """Return the state of an untrained run."""
        module = modules.build(self._network, seed)
        return State(module, _OPTIMIZERS[self._optimizer_name](module.parameters(), lr=rate))

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
        state.optimizer.zero_grad()
        (loss + state.module.penalty()).backward()
        state.optimizer.step()
        return loss.detach(), outputs.detach()


class _Adam(torch.optim.Optimizer):
    """Adam as at the end of section 2 of Kingma & Ba 2015, arXiv:1412.6980, and as Keras computes it.

    PyTorch's own adds epsilon elsewhere and corrects in another precision, and after three epochs that shows.
    """

    def __init__(self, parameters: Any, lr: float) -> None:
        super().__init__(parameters, {"lr": lr, "betas": (0.9, 0.999), "eps": 1e-7})
        self._steps = 0

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        self._steps += 1
        for group in self.param_groups:
            powers = [np.float32(beta) ** np.float32(self._steps) for beta in group["betas"]]
            rate = float(np.float32(group["lr"]) * np.sqrt(1 - powers[1]) / (1 - powers[0]))
            for weight in group["params"]:
                self._update(weight, rate, group)

    def _update(self, weight: torch.Tensor, rate: float, group: dict[str, Any]) -> None:
        if weight.grad is None:  # a weight that this batch did not use
            return
        if weight not in self.state:
            self.state[weight] = {"moments": (torch.zeros_like(weight), torch.zeros_like(weight))}
        first, second = self.state[weight]["moments"]
        first += (weight.grad - first) * (1 - group["betas"][0])
        second += (weight.grad**2 - second) * (1 - group["betas"][1])
        weight -= rate * first / (second.sqrt() + group["eps"])


_OPTIMIZERS: dict[str, Any] = {"adam": _Adam, "sgd": torch.optim.SGD}
_ACTIVATIONS: dict[str, Any] = {
    "softmax": lambda scores: scores.softmax(dim=-1),
    "sigmoid": torch.sigmoid,
    "linear": lambda scores: scores,
}
