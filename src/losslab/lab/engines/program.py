"""What the engines share: the state of a run, one training step, and evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

import losslab

EVALUATION_BATCH = 1000


class State(NamedTuple):
    """Values of a run that a step replaces: weights, Keras' other variables (dropout's key), Adam's moments."""

    trainable: list[Any]
    non_trainable: list[Any]
    optimizer: list[Any]


class Examples(NamedTuple):
    """Inputs (N, ...), the loss's y_true for them, and class ids (N,)."""

    x: Any
    y: Any
    ids: Any


class Measures(NamedTuple):
    """Mean loss and accuracy."""

    loss: Any
    accuracy: Any


Step = Callable[[State, Examples, Any], tuple[State, Measures]]
Epoch = Callable[[State, Examples, Any], tuple[State, Measures]]


class Evaluation(NamedTuple):
    """What is done with a network that is not trained on: without dropout, in batches that fit in memory.

    Attributes:
        outputs: (state, x) -> the network's outputs for all of them.
        measures: (state, examples) -> mean loss and accuracy.
    """

    outputs: Callable[[State, Any], Any]
    measures: Callable[[State, Examples], Measures]


def training_step(model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: losslab.Loss) -> Step:
    """Return `step(state, examples, rows)`: one Adam step on the examples in `rows` (batch,).

    The learning rate is part of the state, so one compilation serves every rate.
    """

    def objective(trainable: list[Any], non_trainable: list[Any], x: Any, y: Any) -> tuple[Any, tuple[Any, Any]]:
        outputs, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
        return loss(y, outputs), (outputs, non_trainable)

    def step(state: State, examples: Examples, rows: Any) -> tuple[State, Measures]:
        x, y, ids = (values[rows] for values in examples)
        gradient = jax.value_and_grad(objective, has_aux=True)
        (value, (outputs, non_trainable)), slopes = gradient(state.trainable, state.non_trainable, x, y)
        trainable, moments = optimizer.stateless_apply(state.optimizer, slopes, state.trainable)
        return State(trainable, non_trainable, moments), Measures(value, _accuracy(outputs, ids))

    return step


def evaluation(model: keras.Model, loss: losslab.Loss) -> Evaluation:
    """Return how a network with this loss is evaluated."""

    @jax.jit
    def predict(state: State, x: Any) -> Any:
        return model.stateless_call(state.trainable, state.non_trainable, x, training=False)[0]

    @jax.jit
    def measure(outputs: Any, y: Any, ids: Any) -> Measures:
        return Measures(loss(y, outputs), _accuracy(outputs, ids))

    def outputs(state: State, x: Any) -> Any:
        starts = range(0, len(x), EVALUATION_BATCH)
        return jnp.concatenate([predict(state, x[start : start + EVALUATION_BATCH]) for start in starts])

    def measures(state: State, examples: Examples) -> Measures:
        found: Measures = measure(outputs(state, examples.x), examples.y, examples.ids)
        return found

    return Evaluation(outputs, measures)


def _accuracy(outputs: Any, ids: Any) -> Any:
    return jnp.mean(jnp.argmax(outputs, axis=-1) == ids)
