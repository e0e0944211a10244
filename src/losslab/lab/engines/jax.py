"""A network compiled by JAX: what the engines `scan` and `step` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

import losslab
from losslab.lab.engines.program import Examples
from losslab.lab.models import keras as keras_models
from losslab.lab.network import Network

EVALUATION_BATCH = 1000
_OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "softmax": jax.nn.softmax,
    "sigmoid": jax.nn.sigmoid,
    "linear": jnp.asarray,
}


class State(NamedTuple):
    """Values of a run that a step replaces: weights, Keras' other variables (dropout's key), Adam's moments."""

    trainable: list[Any]
    non_trainable: list[Any]
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
        self._network, self._loss = network, loss
        self._model = keras_models.build(network)
        self._optimizer = _OPTIMIZERS[optimizer_name]()
        self._optimizer.build(self._model.trainable_variables)
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
        trainable, non_trainable = keras_models.initial(self._model, seed)
        return State([jnp.asarray(w) for w in trainable], [jnp.asarray(w) for w in non_trainable], optimizer)

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
        gradient = jax.value_and_grad(self._objective, has_aux=True)
        (value, (outputs, non_trainable)), slopes = gradient(state.trainable, state.non_trainable, x, y)
        trainable, moments = self._optimizer.stateless_apply(state.optimizer, slopes, state.trainable)
        return State(trainable, non_trainable, moments), Measured(value, outputs)

    def _objective(self, trainable: list[Any], non_trainable: list[Any], x: Any, y: Any) -> tuple[Any, tuple[Any, Any]]:
        outputs, non_trainable = self._call(trainable, non_trainable, x, training=True)
        return self._loss(y, outputs), (outputs, non_trainable)

    def _outputs_in_use(self, state: State, x: Any) -> Any:
        return self._call(state.trainable, state.non_trainable, x, training=False)[0]

    def _call(self, trainable: list[Any], non_trainable: list[Any], x: Any, training: bool) -> tuple[Any, list[Any]]:
        outputs, non_trainable = self._model.stateless_call(trainable, non_trainable, x, training=training)
        return _ACTIVATIONS[self._network.activation](outputs), non_trainable
