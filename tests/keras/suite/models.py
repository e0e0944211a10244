"""A small model and data for any loss, by its domains."""

import math

import keras
import numpy as np

import losslab
import losslab.keras
from losslab.testing import FRAMEWORKS, Case

from ...catalogue import DEFAULTS, OWN

FEATURES = 5

# Domain of the predictions -> the layer that brings numbers into it; none for all others
INTO = {
    "probability": lambda: keras.layers.Activation("sigmoid"),
    "distribution": lambda: keras.layers.Activation("softmax"),
    "rate": lambda: keras.layers.Activation("softplus"),
    "non_negative": lambda: keras.layers.Activation("softplus"),
    "embedding": lambda: keras.layers.UnitNormalization(),
}

# Name of an output -> its loss
TRAINABLE = {f"{loss.name}_{number}": loss for number, loss in enumerate(DEFAULTS + OWN)}


def example(loss):
    """Labels and predictions that `loss` takes, in float32 and integers."""
    y_true, y_pred = Case(loss, FRAMEWORKS["numpy"], "float32").draw()
    return y_true if y_true.dtype.kind == "i" else y_true.astype("float32"), y_pred.astype("float32")


def labels(loss):
    return example(loss)[0]


ROWS = len(labels(losslab.MeanSquaredError()))


def inputs():
    return np.random.default_rng(0).normal(size=(ROWS, FEATURES)).astype("float32")


def weights(*shape):
    """Weights of which one is 0."""
    drawn = np.random.default_rng(1).uniform(0.1, 2.0, shape).astype("float32")
    drawn.flat[1] = 0.0
    return drawn


def head(loss):
    """Layers from features to predictions that `loss` takes."""
    case = Case(loss, FRAMEWORKS["numpy"], "float32")
    shape = case.shape()[1:]
    layers = [keras.layers.Dense(math.prod(shape)), keras.layers.Reshape(shape)]
    if loss.outputs.name in INTO:
        layers.append(INTO[loss.outputs.name]())
    return [*layers, keras.layers.Permute((2, 1))] if case.axis == 1 else layers


def model_for(loss, compiled=None):
    """A model of one dense layer, compiled with the Keras form of `loss`, or with `compiled`."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((FEATURES,)), *head(loss)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=compiled or losslab.keras.wrap(loss))
    return model


def sequences(steps=4, padding=2):
    """(ROWS, steps, FEATURES) of which the last `padding` steps are 0, and the mask that says so."""
    drawn = np.random.default_rng(3).normal(size=(ROWS, steps, FEATURES)).astype("float32")
    drawn[:, steps - padding :] = 0.0
    return drawn, np.broadcast_to(np.arange(steps) < steps - padding, (ROWS, steps))


def sequence_model(activation, loss):
    """A model that masks padding, with three numbers per step."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Masking(), keras.layers.Dense(3, activation=activation)]
    model = keras.Sequential([keras.Input((4, FEATURES)), *layers])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    return model
