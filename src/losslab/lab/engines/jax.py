"""A network compiled by JAX: what the engines `scan` and `step` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

import losslab
from losslab.lab.engines.program import EVALUATION_BATCH, Examples, finished
from losslab.lab.models import jax as functional
from losslab.lab.network import Network

_OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "softmax": jax.nn.softmax,
    "sigmoid": jax.nn.sigmoid,
    "exponential": jnp.exp,
    "linear": jnp.asarray,
}


class State(NamedTuple):
    """Values of a run that a step replaces: weights, Keras' other variables (dropout's key), Adam's moments."""

    weights: list[Any]
    others: list[Any]
    optimizer: list[Any]


class Measured(NamedTuple):
    """Loss of a batch, and the outputs for it; or the mean loss of an epoch, and all its outputs."""

    loss: Any
    outputs: Any


Step = Callable[[State, Examples, Any], tuple[State, Measured]]
Epoch = Callable[[State, Examples, Any], tuple[State, Measured]]


class JaxProgram:
    """A network under one loss. The learning rate is part of the state, so one compilation serves every rate.

    Args:
        network: what is trained.
        optimizer_name: "adam" or "sgd".
        loss: what is minimised.
        compiled: makes an epoch of a step.
    """

    def __init__(
        self, network: Network, optimizer_name: str, loss: losslab.Loss, compiled: Callable[[Step], Epoch]
    ) -> None:
        self._loss, self._activation = loss, finished(network.output, _ACTIVATIONS, jnp.asarray)
        self._model = functional.build(network)
        self._optimizer = _OPTIMIZERS[optimizer_name]()
        self._optimizer.build(self._model.variables)
        self._epoch = compiled(self._step)
        self._predict = jax.jit(self._outputs_in_use)
        self._value = jax.jit(lambda outputs, y: loss(y, outputs))

    @staticmethod
    def place(array: Any) -> Any:
        """Return an array on the device."""
        return jax.device_put(array)

    def initial(self, seed: int, rate: float) -> State:
        """Return the state of an untrained run."""
        variables = self._optimizer.variables
        optimizer = [jnp.zeros(variable.shape, variable.dtype) for variable in variables]
        optimizer[[variable.path.endswith("/learning_rate") for variable in variables].index(True)] = jnp.float32(rate)
        return State(*self._model.initial(seed), optimizer)

    def epoch(self, state: State, examples: Examples, rows: Any) -> tuple[State, float, Any]:
        """Take a step on the examples of each row of `rows`."""
        state, measured = self._epoch(state, examples, rows)
        return state, float(measured.loss), measured.outputs

    def outputs(self, state: State, x: Any) -> Any:
        """Return the outputs for all of `x` as in use."""
        starts = range(0, len(x), EVALUATION_BATCH)
        return jnp.concatenate([self._predict(state, x[start : start + EVALUATION_BATCH]) for start in starts])

    def loss(self, outputs: Any, y: Any) -> float:
        """Return the loss of outputs."""
        return float(self._value(outputs, y))

    def _step(self, state: State, examples: Examples, rows: Any) -> tuple[State, Measured]:
        x, y = (values[rows] for values in examples)
        gradient = jax.grad(self._objective, has_aux=True)
        slopes, (measured, others) = gradient(state.weights, state.others, x, y)
        weights, moments = self._optimizer.stateless_apply(state.optimizer, slopes, state.weights)
        return State(weights, others, moments), measured

    def _objective(
        self, weights: list[Any], others: list[Any], x: Any, y: Any
    ) -> tuple[Any, tuple[Measured, list[Any]]]:
        called = self._model(weights, others, x, training=True)
        outputs = self._activation(called.scores)
        loss = self._loss(y, outputs)
        return loss + called.penalty, (Measured(loss, outputs), called.others)

    def _outputs_in_use(self, state: State, x: Any) -> Any:
        return self._activation(self._model(state.weights, state.others, x, training=False).scores)


def traced(network: Network) -> str:
    """Return the network in JAX's own language; raises what keeps JAX from tracing it."""
    model, x = functional.build(network), jnp.zeros((1, *network.shape))

    def scores(weights: list[Any], others: list[Any]) -> Any:
        return model(weights, others, x, training=True)[:2]

    return str(jax.make_jaxpr(scores)(*model.initial(0)))
