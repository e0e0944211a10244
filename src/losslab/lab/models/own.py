"""The user's own model: a function that builds it, named by its path."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from losslab.lab import fingerprint, own
from losslab.lab.errors import LabError, own_words
from losslab.lab.network import Network
from losslab.lab.streams import stream

Builder = Callable[..., Any]


def named(model: str | Builder) -> tuple[str, str]:
    """Return the path of a builder, given it or its path, and the digest of its definition.

    Raises:
        LabError: there is none, or no other process could find it.
    """
    path = model if isinstance(model, str) else own.path_of(model)
    return path, fingerprint.of_code(_builder(path))


def build(network: Network, seed: int = 0) -> Any:
    """Return what the builder makes, with the initial weights of a seed.

    Raises:
        LabError: it raises, or was edited since the comparison began.
    """
    builder = _builder(network.model)
    if fingerprint.of_code(builder) != network.definition:
        raise own.edited(network.model)
    try:
        with _seeded(int(stream(seed, "init").integers(2**31))):
            return _called(builder, network)
    except Exception as error:  # anybody's code
        raise LabError(
            f"{network.model} builds no model for inputs {network.shape} and {network.outputs} outputs",
            own_words(error),
            "it is called with (shape, outputs), or with fewer arguments where it takes fewer; --debug shows more",
        ) from error


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let every generator that an initializer may ask begin at a seed; Keras' ask Python's for theirs."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
    try:
        yield
    finally:  # they are the script's
        random.setstate(python)
        np.random.set_state(numpy)


def kind(model: Any) -> str:
    """Return what a model is: "keras", "torch", or "jax" for a pair of functions; "" for anything else."""
    if _is_a(model, "keras", "Model"):  # first, because on PyTorch it is a module too
        return "keras"
    if _is_a(model, "torch.nn", "Module"):
        return "torch"
    pair = isinstance(model, tuple) and len(model) == 2 and all(map(callable, model))
    return "jax" if pair else ""


def _is_a(model: Any, module: str, name: str) -> bool:
    """Tell whether it is an instance of a framework's class, without importing the framework."""
    return module in sys.modules and isinstance(model, getattr(sys.modules[module], name))


def _builder(path: str) -> Builder:
    found = own.find(path)
    if not isinstance(found, type) and not inspect.isfunction(found):
        raise LabError(
            f"{path} is an object of type {type(found).__name__}",
            "a model is built anew for every seed",
            "name the function that builds it: def build(shape, outputs)",
        )
    return found


def _called(builder: Builder, network: Network) -> Any:
    """Call a builder with what it asks for: by name where it calls it shape or outputs, else by position."""
    given = {"shape": network.shape, "outputs": network.outputs}
    parameters = inspect.signature(builder).parameters.values()
    named = {each.name: given[each.name] for each in parameters if each.name in given}
    if named:
        return builder(**named)
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return builder(*given.values())
    return builder(*list(given.values())[: sum(each.default is each.empty for each in parameters)])


def last_activation(model: Any) -> str:
    """Name the activation that a model's last layer declares, in small letters; "" where it declares none."""
    if kind(model) == "torch":
        return type(list(model.modules())[-1]).__name__.lower()
    if kind(model) != "keras" or not model.layers:
        return ""
    last = model.layers[-1]
    if kind(last) == "keras":
        return last_activation(last)
    return getattr(getattr(last, "activation", last), "__name__", type(last).__name__).lower()
