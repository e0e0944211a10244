"""Function forms: `compile` takes them as they are; to load them Keras must know them."""

import keras

import losslab

PACKAGE = "losslab"


def register_functions() -> None:
    """Make a saved model find every function form as "losslab>huber": else Keras would load its own of that name."""
    for name in losslab.__all__:
        found = getattr(losslab, name)
        if hasattr(found, "loss"):  # what marks a function form
            keras.saving.register_keras_serializable(PACKAGE)(found)
