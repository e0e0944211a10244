"""A digest of a loss's or a model's definition, so that an edited one is never given the results of the old one."""

from __future__ import annotations

import dis
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

import losslab

_PLAIN = bool | int | float | complex | str | bytes | None | np.generic


def of(loss: losslab.Loss) -> str:
    """Return a digest of the classes of a loss. Its parameters are no part of it.

    Two views of each class go in, because neither sees everything: its source file, which also holds the helpers
    beside it, and its functions with the values that they use, which tell two classes of one file (a factory
    function) or of none (a notebook) apart. The same definition gives the same digest in every process.
    """
    return _short(repr(_definition(loss, set())).encode())


def of_code(target: Any) -> str:
    """Return a digest of a function or class, likewise: its source file, its own code, and the values that it uses."""
    seen: set[int] = set()
    kinds = target.__mro__[:-1] if isinstance(target, type) else ()
    parts = [_members(kind, seen) for kind in kinds if kind.__module__ == target.__module__]
    return _short(repr((target.__qualname__, _source(target), parts or _described(target, seen))).encode())


def _definition(loss: losslab.Loss, seen: set[int]) -> Any:
    seen.add(id(type(loss)))
    classes = [(kind.__qualname__, _source(kind), _members(kind, seen)) for kind in type(loss).__mro__[:-1]]
    return loss.targets.name, loss.outputs.name, classes


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _source(kind: type | FunctionType) -> str:
    # Not of __main__: such a script also says how many seeds to run, and more seeds must not repeat the first ones.
    path = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if path is None or kind.__module__ == "__main__":
        return ""
    try:
        return _short(Path(path).read_bytes())
    except OSError:
        return ""


def _members(kind: type, seen: set[int]) -> list[Any]:
    members = sorted(vars(kind).items())
    return [(name, _described(value, seen)) for name, value in members if _is_definition(name, value)]


def _is_definition(name: str, value: Any) -> bool:
    """Tell what a class says from what Python and caches put beside it, some of which moves without an edit."""
    if isinstance(value, FunctionType | property | classmethod | staticmethod):
        return True
    return not name.startswith("__") and _is_value(value)


def _is_value(value: Any) -> bool:
    return isinstance(value, _PLAIN | np.ndarray) or (isinstance(value, tuple | list) and all(map(_is_value, value)))


def _described(value: Any, seen: set[int]) -> Any:
    """Return plain data that tells values apart and holds no memory address and no order of a set."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, tuple):
        return [_described(item, seen) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(repr(_described(item, seen)) for item in value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.dtype.str, value.shape, _short(value.tobytes())
    if isinstance(value, CodeType):
        return value.co_code.hex(), value.co_names, _described(value.co_consts, seen)
    if isinstance(value, losslab.Loss):
        return repr(value), "seen" if id(type(value)) in seen else _definition(value, seen)
    if id(value) in seen:  # functions that call each other, a list that holds itself
        return "seen"
    seen.add(id(value))
    return _described_object(value, seen)


def _described_object(value: Any, seen: set[int]) -> Any:
    if isinstance(value, FunctionType):
        return _function(value, seen)
    if isinstance(value, property):
        return _described((value.fget, value.fset), seen)
    if isinstance(value, classmethod | staticmethod):
        return _described(value.__func__, seen)
    if isinstance(value, list):
        return _described(tuple(value), seen)
    if isinstance(value, dict):
        return _described(tuple(value.items()), seen)
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _function(function: FunctionType, seen: set[int]) -> Any:
    closure = [_described(_contents(cell), seen) for cell in function.__closure__ or ()]
    used = sorted(set(_names(function.__code__)) & function.__globals__.keys())
    values = [(name, _described_global(function, function.__globals__[name], seen)) for name in used]
    defaults = (function.__defaults__, function.__kwdefaults__)
    return _described(function.__code__, seen), _described(defaults, seen), closure, values


def _described_global(function: FunctionType, value: Any, seen: set[int]) -> Any:
    """Follow helpers of the function's own module, and no further: another package's are as stable as its version."""
    foreign = isinstance(value, FunctionType) and value.__module__ != function.__module__
    return value.__name__ if foreign else _described(value, seen)


def _names(code: CodeType) -> Iterator[str]:
    """Global names that the code and the functions inside it look up; attributes are no globals."""
    yield from (step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that was never set
        return None
