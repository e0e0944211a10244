"""What a formula reads beside its arguments and its parameters. Compiled code has read it once and for all."""

from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, MutableSet
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_FIXED = (bool, int, float, complex, str, bytes, type(None), np.generic, type, ModuleType, BuiltinFunctionType)
_CONTAINERS = (MutableMapping, MutableSequence, MutableSet, np.ndarray)


class Surroundings:
    """The names that the Python of a class looks up: in its module, its closures, the class itself, and in modules and
    other classes that these names stand for.

    A notebook rebinds them between two calls: a constant, a helper function, the formula, a setting of a module. What
    losslab itself defines stays as it is; what the functions of a module look up in their turn is not followed.

    Attributes:
        fixed: False where a name stands for something that can change in place, such as a list or an array.
    """

    def __init__(self, cls: type) -> None:
        self.fixed = True
        self._reads: list[tuple[Callable[[], Any], Any]] = []
        self._followed: set[FunctionType] = set()
        classes = [base for base in cls.__mro__ if base is not object and not is_own(base)]
        for base in classes:
            for name, value in vars(base).items():
                if not name.startswith("__") and any(_functions_of(value)):  # a constructor has run
                    self._watch(partial(vars(base).get, name))
        names = {name for function in self._followed for name in _names(function.__code__)}
        for base in classes:
            for name in names & vars(base).keys():
                self._watch(partial(vars(base).get, name))

    def unchanged(self) -> bool:
        """Whether every name still stands for the same object."""
        return all(read() is value for read, value in self._reads)

    def _watch(self, read: Callable[[], Any]) -> None:
        value = read()
        self._reads.append((read, value))
        functions = list(_functions_of(value))
        for function in functions:
            self._follow(function)
        self.fixed = self.fixed and (bool(functions) or _is_settled(value))

    def _watch_inside(self, value: Any, names: set[str]) -> None:
        """The attributes of a module or class that code may look up: its names do not tell whose they are."""
        if isinstance(value, ModuleType | type) and not is_own(value):
            for name in names & vars(value).keys():
                inside = vars(value)[name]
                self._reads.append((partial(vars(value).get, name), inside))
                self.fixed = self.fixed and not isinstance(inside, _CONTAINERS)

    def _follow(self, function: FunctionType) -> None:
        if function in self._followed or is_own(function):
            return
        self._followed.add(function)
        for part in ("__code__", "__defaults__", "__kwdefaults__"):
            self._reads.append((partial(getattr, function, part), getattr(function, part)))
        names = set(_names(function.__code__))
        for name in names:
            self._watch(partial(function.__globals__.get, name))
            self._watch_inside(function.__globals__.get(name), names)
        for cell in function.__closure__ or ():
            self._watch(partial(_content, cell))


def is_own(definition: Any) -> bool:
    """Whether losslab defines a class or function, or a module is its."""
    module = definition.__name__ if isinstance(definition, ModuleType) else definition.__module__
    return str(module).partition(".")[0] == "losslab"


def _is_settled(value: Any) -> bool:
    """Whether a value cannot change in place."""
    if isinstance(value, tuple | frozenset):
        return all(_is_settled(item) for item in value)
    return isinstance(value, _FIXED) or is_own(type(value))


def _functions_of(value: Any) -> Iterator[FunctionType]:
    """A function, or the one behind a property, a static method or a class method."""
    for function in (value, getattr(value, "fget", None), getattr(value, "__func__", None)):
        if isinstance(function, FunctionType):
            yield function


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function and the functions inside it look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing has been assigned to the name yet
        return None
