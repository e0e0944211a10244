"""Two losses on a network of one's own: built in Keras, in PyTorch, and of two JAX functions.

    python examples/own_model.py

Each builder is called with the shape of one example and the number of outputs, and ends in plain scores: every loss
declares the activation that it wants, and the lab puts it there. A model that has one already is refused, since a
softmax after a softmax learns slowly and looks like a bad loss. The same from the command line:

    losslab compare --model examples/own_model.py:in_torch --losses categorical_crossentropy,mse
"""

import argparse
import math
from pathlib import Path

from losslab.lab import compare
from losslab.lab.errors import LabError

LOSSES = ["categorical_crossentropy", "mean_squared_error"]


def in_keras(shape, outputs):
    """Dense layers with batch normalisation and dropout."""
    from keras import Sequential, layers

    hidden = [layers.Dense(64), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.2)]
    return Sequential([layers.Input(shape), layers.Flatten(), *hidden, layers.Dense(outputs)])


def in_keras_with_softmax(shape, outputs):
    """The same, wrong."""
    from keras import Sequential, layers

    return Sequential([in_keras(shape, outputs), layers.Softmax()])


def in_torch(shape, outputs):
    """A module."""
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 64), nn.ReLU(), nn.Linear(64, outputs))


def in_jax(shape, outputs):
    """Two functions: key to parameters, parameters and inputs to scores."""
    import jax
    import jax.numpy as jnp

    def init(key):
        first, second = jax.random.split(key)
        return {
            "hidden": jax.random.normal(first, (math.prod(shape), 64)) / math.sqrt(math.prod(shape)),
            "out": jax.random.normal(second, (64, outputs)) / 8,
            "bias": jnp.zeros(outputs),
        }

    def apply(weights, x):
        hidden = jax.nn.relu(x.reshape(len(x), -1) @ weights["hidden"])
        return hidden @ weights["out"] + weights["bias"]

    return init, apply


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("examples/output/own_model"))
    parser.add_argument("--quick", action="store_true", help="few seeds, rates and epochs")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--subset", type=int)
    given = parser.parse_args()
    settings = {"quick": given.quick, "epochs": given.epochs, "subset": given.subset}
    for build in (in_keras, in_torch, in_jax):
        found = compare("digits", LOSSES, model=build, out=given.out / build.__name__, **settings)
        print(f"{build.__name__}:", found.verdict(), found.report(), "", sep="\n")
    try:
        compare("digits", LOSSES, model=in_keras_with_softmax, out=given.out / "refused", **settings)
    except LabError as error:
        print(error)


if __name__ == "__main__":
    main()
