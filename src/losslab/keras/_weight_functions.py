"""Regularizers and constraints: Keras' layers take losslab's as they are; to load them it must know their classes."""

import keras

from losslab import constraints, regularizers

PACKAGE = "losslab"


def register_weight_functions() -> None:
    """Make a saved model find every regularizer and constraint of losslab, as "losslab>L2".

    One of your own needs `@keras.saving.register_keras_serializable()`, as anything does that Keras should load.
    """
    for module in (regularizers, constraints):
        for name in module.__all__:
            found = getattr(module, name)
            if isinstance(found, type):
                keras.saving.register_keras_serializable(PACKAGE)(found)
