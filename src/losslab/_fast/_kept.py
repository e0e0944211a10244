"""What is made once for a loss and kept: compiled code."""

import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .._domain import Domain
from .._frozen import FrozenDict
from ._formula import is_formula
from ._surroundings import Surroundings

T = TypeVar("T")

_PLAIN = (bool, int, float, str, type(None), Domain)
_MOST = 64  # losses of one class: a parameter that changes at every step is not worth compiling


class Kept(Generic[T]):
    """Loss -> what `make` made of it: one for all losses that are equal, and None where nothing can be kept.

    Nothing is kept for a loss that is no formula, whose parameters or surroundings can change unseen, or of whose class
    there are too many already.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._surroundings: dict[type, Surroundings] = {}
        self._made: dict[type, dict[str, T | None]] = {}
        self._of_object: dict[int, tuple[weakref.ref[Any], T | None]] = {}

    def of(self, loss: Any) -> T | None:
        if not is_formula(loss):
            return None
        cls = type(loss)
        surroundings = self._surroundings.get(cls)
        if surroundings is None or not surroundings.unchanged():
            self._begin(cls)
        found = self._of_object.get(id(loss))  # hashing and comparing losses would cost more than calling them
        if found is None or found[0]() is not loss:
            found = self._enter(loss, self._find(loss))
        return found[1]

    def refuse(self, loss: Any) -> None:
        """From now on nothing is kept for losses equal to this one."""
        self._made[type(loss)][_state(loss)] = None
        self._enter(loss, None)

    def _begin(self, cls: type) -> None:
        for key in [key for key, (ref, _) in list(self._of_object.items()) if type(ref()) is cls]:
            del self._of_object[key]
        self._surroundings[cls], self._made[cls] = Surroundings(cls), {}

    def _enter(self, loss: Any, made: T | None) -> tuple[weakref.ref[Any], T | None]:
        key = id(loss)
        entry = weakref.ref(loss, lambda _: self._of_object.pop(key, None)), made
        self._of_object[key] = entry
        return entry

    def _find(self, loss: Any) -> T | None:
        made = self._made[type(loss)]
        if not self._surroundings[type(loss)].fixed or not _is_plain(_attributes(loss)):
            return None
        state = _state(loss)
        if state not in made and len(made) < _MOST:
            made[state] = self._make(loss)
        return made.get(state)


def _attributes(loss: Any) -> tuple[tuple[str, Any], ...]:
    """All that a formula can read of its loss."""
    return tuple(sorted((name, value) for name, value in vars(loss).items() if name != "_given"))


def _state(loss: Any) -> str:
    """A text that tells True, 1 and 1.0 apart, 0.0 and -0.0 too."""
    return repr(_attributes(loss))


def _is_plain(value: Any) -> bool:
    """Whether a value cannot change, and its text tells all of it."""
    if isinstance(value, tuple):
        return all(_is_plain(item) for item in value)
    if isinstance(value, FrozenDict):
        return _is_plain(tuple(value.items()))
    return isinstance(value, _PLAIN)
