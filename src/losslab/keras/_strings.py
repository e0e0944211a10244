"""Names of losslab's losses as strings that Keras understands."""

import keras
import keras.src.losses

import losslab

from ._losses import wrap
from ._registered import PACKAGE


def register_strings() -> None:
    """Let `compile(loss="losslab>focal")` and `keras.losses.get` find every losslab loss by name and alias.

    Keras has no public way to do this: it is done where Keras keeps its own names, and only when you ask. Call it
    again after `losslab.register`, and before a model is loaded that was compiled with such a string.

    Raises:
        RuntimeError: this version of Keras keeps its names elsewhere.

    >>> import keras, losslab.keras
    >>> losslab.keras.register_strings()
    >>> keras.losses.get("losslab>logcosh")
    losslab.keras.wrap(LogCosh())
    """
    known = getattr(keras.src.losses, "ALL_OBJECTS_DICT", {})  # private
    for name in losslab.names():
        loss = wrap(name)
        known.update({f"{PACKAGE}>{word}": loss for word in (name, *losslab.aliases_of(name))})
    _check_found(f"{PACKAGE}>{losslab.names()[0]}")


def _check_found(name: str) -> None:
    try:
        keras.losses.get(name)
    except ValueError as error:
        raise RuntimeError(
            f"Keras {keras.__version__} does not look for names of losses where losslab put them: "
            f"give compile the object, losslab.keras.wrap({name.partition('>')[2]!r})"
        ) from error
