"""A network as a function of its weights, for the engines on JAX: of a Keras model, or of a pair (init, apply)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import keras

from losslab.lab.models import BUILT_IN, own
from losslab.lab.models import keras as keras_models
from losslab.lab.network import Network
from losslab.lab.streams import stream


class Called(NamedTuple):
    """Scores, the new values of what is not trained, and what the network adds to the loss."""

    scores: Any
    others: list[Any]
    penalty: Any


class Functional(Protocol):
    """A network whose weights are arguments.

    Attributes:
        variables: of the optimizer to build: one for each weight that is trained.
    """

    variables: list[keras.Variable]

    def initial(self, seed: int) -> tuple[list[Any], list[Any]]:
        """Return the first values of what is trained and of what is not, the same for every loss."""

    def __call__(self, weights: list[Any], others: list[Any], x: Any, training: bool) -> Called:
        """Apply it to a batch."""


def build(network: Network) -> Functional:
    """Build the network, but for its activation."""
    if network.model not in BUILT_IN and own.kind(made := own.build(network)) == "jax":
        return _OfPair(*made)
    return _OfKeras(network)


class _OfKeras:
    def __init__(self, network: Network) -> None:
        self._network, self._model = network, keras_models.build(network)
        self.variables = self._model.trainable_variables

    def initial(self, seed: int) -> tuple[list[Any], list[Any]]:
        trainable, others = keras_models.initial(self._network, self._model, seed)
        return [jnp.array(value) for value in trainable], [jnp.array(value) for value in others]

    def __call__(self, weights: list[Any], others: list[Any], x: Any, training: bool) -> Called:
        scores, others, penalties = self._model.stateless_call(
            weights, others, x, training=training, return_losses=True
        )
        return Called(scores, others, sum(penalties))


class _OfPair:
    def __init__(self, init: Callable[[Any], Any], apply: Callable[[Any, Any], Any]) -> None:
        self._init, self._apply = init, apply
        shapes, self._structure = jax.tree.flatten(jax.eval_shape(init, jax.random.key(0)))
        self.variables = [keras.Variable(jnp.zeros(each.shape, each.dtype)) for each in shapes]

    def initial(self, seed: int) -> tuple[list[Any], list[Any]]:
        key = jax.random.key(int(stream(seed, "init").integers(2**31)))
        return [jnp.array(leaf) for leaf in jax.tree.leaves(self._init(key))], []

    def __call__(self, weights: list[Any], others: list[Any], x: Any, training: bool) -> Called:
        return Called(self._apply(jax.tree.unflatten(self._structure, weights), x), others, 0.0)
