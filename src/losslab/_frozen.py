"""FrozenDict: a dict that nobody can change, as a parameter of an immutable object."""

from typing import Any, NoReturn


class FrozenDict(dict[Any, Any]):
    """A dict that refuses every change; it compares, prints and pickles as a dict does."""

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("this dict belongs to an immutable object: make another object with the dict that you want")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)  # by itself, pickle would set the items one by one

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))  # keys alone: values may have no hash, and equal dicts still have equal ones
