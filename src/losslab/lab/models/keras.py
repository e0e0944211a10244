"""A Keras model, and the values of its variables with which a run begins."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from losslab.lab.models import builtin
from losslab.lab.network import Network
from losslab.lab.streams import stream

Values = list[NDArray[Any]]


def build(network: Network) -> keras.Model:
    """Build the network, but for its activation."""
    return builtin.build(network)


def initial(model: keras.Model, seed: int) -> tuple[Values, Values]:
    """Return the first values of the trainable and of the other variables, the same for every loss and backend."""
    init, dropout = stream(seed, "init"), stream(seed, "dropout")
    trainable = [builtin.drawn(variable.shape, init) for variable in model.trainable_variables]
    return trainable, [_other(variable, dropout) for variable in model.non_trainable_variables]


def _other(variable: keras.Variable, dropout: np.random.Generator) -> NDArray[Any]:
    """Return the first value of a variable that is not trained. Dropout's state is a seed and a counter."""
    if variable.name == "seed_generator_state":
        return np.array([dropout.integers(2**31), 0], variable.dtype)
    return np.array(keras.ops.convert_to_numpy(variable), variable.dtype)
