"""A Keras model, and the values of its variables with which a run begins."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from losslab.lab.models import BUILT_IN, builtin, own
from losslab.lab.network import Network
from losslab.lab.streams import stream

Values = list[NDArray[Any]]


def build(network: Network) -> keras.Model:
    """Build the network, but for its activation."""
    if network.model in BUILT_IN:
        return builtin.build(network)
    return _with_variables(own.build(network), network)


def trains_itself(network: Network) -> bool:
    """Tell whether a model has a training step of its own, which only `fit` takes."""
    model = build(network)
    return any(getattr(type(model), name) is not getattr(keras.Model, name) for name in ("train_step", "compute_loss"))


def initial(network: Network, model: keras.Model, seed: int) -> tuple[Values, Values]:
    """Return the first values of the trainable and of the other variables, the same for every loss.

    Those of a built-in network are the same on every backend too, and `model` is asked for its shapes alone.
    """
    if network.model in BUILT_IN:
        init = stream(seed, "init")
        trainable = [builtin.drawn(variable.shape, init) for variable in model.trainable_variables]
        others = [_value(variable) for variable in model.non_trainable_variables]
    else:
        trainable, others = _values_of_own(network.plain(), seed)
    dropout = stream(seed, "dropout")
    states = [variable.name == "seed_generator_state" for variable in model.non_trainable_variables]
    return trainable, [
        _seeded(value, dropout) if is_state else value for value, is_state in zip(others, states, strict=True)
    ]


@functools.lru_cache(maxsize=4)
def _values_of_own(network: Network, seed: int) -> tuple[Values, Values]:
    model = _with_variables(own.build(network, seed), network)
    return [_value(each) for each in model.trainable_variables], [
        _value(each) for each in model.non_trainable_variables
    ]


def _with_variables(model: keras.Model, network: Network) -> keras.Model:
    """Return the model after it has seen an example, where only that makes its variables."""
    if not model.built:
        model(np.zeros((1, *network.shape), np.float32))
    return model


def begin(network: Network, model: keras.Model, seed: int) -> None:
    """Give the variables of a model their first values."""
    trainable, others = initial(network, model, seed)
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    for variable, value in zip(variables, [*trainable, *others], strict=True):
        variable.assign(value)


def _value(variable: keras.Variable) -> NDArray[Any]:
    return np.array(keras.ops.convert_to_numpy(variable.value))


def _seeded(value: NDArray[Any], dropout: np.random.Generator) -> NDArray[Any]:
    """Return the state of a layer that draws: a seed and a counter."""
    return np.array([dropout.integers(2**31), 0], value.dtype)
