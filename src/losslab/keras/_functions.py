"""Function forms: `compile` takes them as they are; to load them Keras must know them."""

import losslab

from ._registered import tell_keras


def register_functions() -> None:
    """Make a saved model find every function form as "losslab>huber": else Keras would load its own of that name."""
    for name in losslab.__all__:
        found = getattr(losslab, name)
        if hasattr(found, "loss"):  # what marks a function form
            tell_keras(found, found.__name__)
