"""The array vocabulary: which operations serve an array is decided by its type, at every call.

NumPy arrays, numbers and lists join whichever tensor framework stands beside them. A framework's file is imported when
the first array of that framework arrives, so the caller has always imported the framework first.
"""

import numbers
from typing import Any

import numpy as np

from ._base import Array, Ops
from ._numpy import NumpyOps

__all__ = ["Array", "Ops", "ops_for", "serve"]

_NUMPY = NumpyOps()

# Array type -> its operations. A plain dict and plain imports: functools.cache with importlib.import_module breaks
# torch.compile(fullgraph=True), and so does walking the base classes of a type of Python's own.
_OPS: dict[type, Ops] = dict.fromkeys((int, float, bool, list, tuple, range, type(None), np.ndarray), _NUMPY)


def ops_for(*arrays: Any) -> Ops:
    """The operations for these arrays.

    Raises:
        TypeError: tensors of two frameworks in one call, or something that is no array.
    """
    found: Ops = _NUMPY
    for array in arrays:
        ops = _OPS.get(type(array)) or _load(type(array))
        if ops is found or ops is _NUMPY:
            continue
        if found is not _NUMPY:
            raise TypeError(
                f"{found.name} and {ops.name} tensors in one call: convert them to one framework first "
                f"(NumPy arrays and lists join either)"
            )
        found = ops
    return found


def serve(cls: type, ops: Ops) -> None:
    """Let `ops` serve the arrays of a class."""
    _OPS[cls] = ops


def _load(cls: type) -> Ops:
    for base in cls.__mro__:  # subclasses of torch.Tensor, JAX tracers and symbolic TensorFlow tensors all end here
        ops = _framework(base.__module__.partition(".")[0])
        if ops is not None:
            _OPS[cls] = ops
            return ops
    if cls.__module__.startswith("keras."):
        raise TypeError(f"{cls.__qualname__} is Keras' wrapper of an array: give the array itself, its .value")
    if issubclass(cls, numbers.Number | list | tuple) or hasattr(cls, "__array__"):
        _OPS[cls] = _NUMPY
        return _NUMPY
    raise TypeError(
        f"{cls.__module__}.{cls.__qualname__} is no array: give a NumPy, PyTorch, JAX or TensorFlow array, or a list"
    )


def _framework(package: str) -> Ops | None:
    if package == "torch":
        from ._torch import TORCH, TYPES

        _OPS.update(dict.fromkeys(TYPES, TORCH))
        return TORCH
    if package in ("jax", "jaxlib"):
        from ._jax import JAX

        return JAX
    if package == "tensorflow":
        from ._tensorflow import TENSORFLOW

        return TENSORFLOW
    return None
