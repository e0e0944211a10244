"""Which engine trains a network: what was asked for, or else the fastest that can."""

from __future__ import annotations

from losslab.lab.backend import backend_of, prefer, use_keras, usual_backend
from losslab.lab.engines import ENGINES
from losslab.lab.errors import LabError, did_you_mean
from losslab.lab.models import BUILT_IN, own
from losslab.lab.network import Network

NAMES = ("auto", "scan", "step", "vmap", "fit", *(name for name in ENGINES if ":" in name), "torch")
_TAKES = {"keras": tuple(ENGINES), "jax": ("scan", "step", "vmap"), "torch": ("torch",)}
_KINDS = {"keras": "Keras model", "jax": "pair of JAX functions", "torch": "PyTorch module"}


def prepare(asked: str) -> str:
    """Return the name of an engine, "auto" included, and let Keras run where it will be needed.

    Raises:
        LabError: no engine has this name.
    """
    if asked not in NAMES:
        raise LabError(
            f"unknown engine '{asked}'",
            f"the engines are {', '.join(NAMES)}",
            did_you_mean(asked, NAMES, "leave --engine out: the fastest that can is chosen"),
        )
    name = f"fit:{usual_backend()}" if asked == "fit" else asked
    prefer(backend_of(name))
    return name


def choose(name: str, network: Network) -> str:
    """Return the engine that trains a network, given what `prepare` returned.

    Raises:
        LabError: the engine cannot train it, or what it needs is not installed.
    """
    kind = "keras" if network.model in BUILT_IN else _kind_of_own(network)
    if name == "auto":
        return "torch" if kind == "torch" else _on_jax(kind, network)
    if name not in _TAKES[kind]:
        raise LabError(
            f"the engine {name} cannot train {network.model}",
            f"it is a {_KINDS[kind]}",
            f"leave --engine out, or give one of {', '.join(_TAKES[kind])}",
        )
    return name


def _kind_of_own(network: Network) -> str:
    made = own.build(network)
    if kind := own.kind(made):
        return kind
    raise LabError(
        f"{network.model} builds an object of type {type(made).__name__}",
        "the lab trains a keras.Model, a torch.nn.Module, or a pair (init, apply) of JAX functions",
        "return one of these",
    )


def _on_jax(kind: str, network: Network) -> str:
    """On a CPU, XLA runs a convolution in a loop 13 times slower than outside, and a pack gains little."""
    use_keras("jax")
    import jax

    from losslab.lab.engines.jax import traced
    from losslab.lab.models import keras as keras_models

    if kind == "keras" and keras_models.trains_itself(network):
        return "fit:jax"
    try:
        program = traced(network)
    except Exception:  # anybody's code; the rehearsal tells what is wrong with it
        return "scan"
    convolves, on_cpu = "conv_general_dilated" in program, jax.default_backend() == "cpu"
    if convolves:
        return "step" if on_cpu else "scan"
    return "scan" if on_cpu or network.model not in BUILT_IN else "vmap"  # a user's may be too large for sixteen
