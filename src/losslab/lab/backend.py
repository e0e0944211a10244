"""The framework that an engine runs on, and Keras on it."""

from __future__ import annotations

import logging
import os
import sys
from importlib.util import find_spec

from losslab.lab.errors import Exit, LabError
from losslab.lab.interrupt import held_back

LAB_EXTRA = 'pip install "losslab[lab]"'
KERAS_BACKENDS = ("jax", "tensorflow", "torch")


def backend_of(engine: str) -> str:
    """Return the framework on which an engine runs: of "fit:torch" and "torch" torch, of "scan" and "step" jax."""
    name = engine.rpartition(":")[2]
    return name if name in KERAS_BACKENDS else "jax"


def prefer(backend: str) -> None:
    """Let Keras, if it is imported later, run on this backend. Call it before anybody's code is imported."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
    if backend == "tensorflow":  # its notes on processors and on tracing would stand between the lines of progress
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


def usual_backend() -> str:
    """Return the backend on which Keras runs here, or on which its user wants it; JAX where nobody says."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    named = os.environ.get("KERAS_BACKEND", "jax")
    return named if named in KERAS_BACKENDS else "jax"


def use_keras(backend: str) -> None:
    """Make sure that Keras runs on this backend in this process.

    Raises:
        LabError: the backend or Keras is not installed, or Keras was already imported with another backend.
    """
    _need(f"the engine trains Keras models on {backend}", backend, "keras")
    prefer(backend)
    with held_back():
        import keras

    if (found := keras.backend.backend()) != backend:
        raise LabError(
            f"Keras is already imported on the {found} backend",
            f"this engine needs it on {backend}, and Keras cannot change its backend once imported",
            f'start a new Python with os.environ["KERAS_BACKEND"] = "{backend}" set before keras is imported; '
            f"or train by Keras' fit on {found}: engine fit, which is slower",
            Exit.ENVIRONMENT,
        )


def use_torch() -> None:
    """Make sure that there is PyTorch.

    Raises:
        LabError: it is not installed.
    """
    _need("the engine trains PyTorch modules", "torch")


def _need(why: str, *packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if not missing:
        return
    extras = "lab" if missing[0] in ("jax", "keras") else f"lab,{missing[0]}"
    raise LabError(f"{' and '.join(missing)} not installed", why, f'pip install "losslab[{extras}]"', Exit.ENVIRONMENT)
