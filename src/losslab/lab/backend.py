"""Keras on JAX, which is what the engines run on."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from losslab.lab.errors import Exit, LabError
from losslab.lab.interrupt import held_back

LAB_EXTRA = 'pip install "losslab[lab]"'


def use_keras_on_jax() -> None:
    """Make sure that Keras runs on JAX in this process. Call it before the first `import keras`.

    Raises:
        LabError: JAX or Keras is not installed, or Keras was already imported with another backend.
    """
    missing = [name for name in ("jax", "keras") if find_spec(name) is None]
    if missing:
        raise LabError(
            f"{' and '.join(missing)} not installed",
            "the lab trains Keras models on JAX",
            LAB_EXTRA,
            Exit.ENVIRONMENT,
        )
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "jax"
    with held_back():
        import keras

    if keras.backend.backend() != "jax":
        raise LabError(
            f"Keras is already imported on the {keras.backend.backend()} backend",
            "the lab trains on JAX, and Keras cannot change its backend once imported",
            'start a new Python with os.environ["KERAS_BACKEND"] = "jax" set before keras is imported',
            Exit.ENVIRONMENT,
        )
