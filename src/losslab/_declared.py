"""Declared: an immutable value that is a class and its parameters: a loss, a metric, a regularizer, a constraint."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from ._param import ByClass, check_names, checked_parameters


@dataclass_transform(kw_only_default=True)
@dataclasses.dataclass(kw_only=True, repr=False, eq=False)
class Declared:
    """Parameters and behaviour, never data. Immutable, hashable, comparable, picklable.

    Declare parameters by annotation with `param`; the constructor, its checks, the config and the repr follow. A class
    with an `__init__` of its own works too: the arguments that it was called with are its parameters, and it may assign
    attributes until it returns, with or without `super().__init__()`.
    """

    _has_own_init: ClassVar[bool] = False
    # Of the constructor that is generated; looked up beforehand, because torch.compile cannot follow dataclasses.fields
    _known: ClassVar[tuple[str, ...]] = ()
    _takes_positions: ClassVar[bool] = False
    _given: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = cls.__dict__.get("__init__")
        if own is not None:
            cls._has_own_init = True
            cls.__init__ = _recording(own)  # type: ignore[method-assign]
        dataclasses.dataclass(init=not cls._has_own_init, kw_only=True, repr=False, eq=False)(cls)
        fields = dataclasses.fields(cls)
        cls._known = tuple(field.name for field in fields)
        cls._takes_positions = not all(field.kw_only for field in fields)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Say what is wrong with the arguments before Python does: it knows no nearest name."""
        if not cls._has_own_init:
            if args and not cls._takes_positions:
                raise TypeError(
                    f"{cls.__name__} takes its parameters by name ({', '.join(cls._known)}), got {args[0]!r}"
                )
            if any(name not in cls._known for name in kwargs):
                check_names(cls, list(kwargs), f"{cls.__name__}()")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        self._settle()
        if "_given" not in self.__dict__:
            self._seal()

    def _settle(self) -> None:
        """Convert and check the parameters, in place."""
        for name, value in checked_parameters(self).items():
            setattr(self, name, value)

    def _seal(self) -> None:
        object.__setattr__(self, "_sealed", True)

    def __setattr__(self, name: str, value: Any) -> None:
        if "_sealed" in self.__dict__:
            raise dataclasses.FrozenInstanceError(
                f"cannot assign {name!r}: a {type(self).__name__} is immutable; make another one"
            )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete {name!r}: a {type(self).__name__} is immutable")

    def _parameters(self) -> dict[str, Any]:
        """What the constructor needs to make an equal object."""
        given: dict[str, Any] | None = self.__dict__.get("_given")
        names = [field.name for field in dataclasses.fields(self)]
        if given is None:
            return {name: getattr(self, name) for name in names}
        return {name: getattr(self, name) if name in names else value for name, value in given.items()}

    def _defaults(self) -> dict[str, Any]:
        parameters = inspect.signature(type(self)).parameters.values()
        return {each.name: each.default for each in parameters if each.default is not each.empty}

    def get_config(self) -> dict[str, Any]:
        """All parameters as values that JSON can hold; `from_config` gives an equal object."""
        return {name: _plain_json(value) for name, value in self._parameters().items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        accepted = {each.name: each.kind for each in inspect.signature(cls).parameters.values()}
        if not cls._has_own_init or inspect.Parameter.VAR_KEYWORD in accepted.values():
            return cls(**config)
        # a constructor of its own may lack a field that every object has, such as a loss's reduction
        lacking = {field.name for field in dataclasses.fields(cls)} - accepted.keys()
        later = {name: value for name, value in config.items() if name in lacking}
        return cls(**{name: value for name, value in config.items() if name not in later})._with_fields(later)

    def replace(self, **changes: Any) -> Self:
        """The same with other parameters.

        >>> losslab.Huber(delta=2.0).replace(reduction="sum")
        Huber(reduction='sum', delta=2.0)
        """
        return self.from_config({**self._parameters(), **changes})

    def _with_fields(self, fields: dict[str, Any]) -> Self:
        """Itself with fields that its constructor does not take; only before anybody else has seen it."""
        if fields:
            del self.__dict__["_sealed"]
            self._given.update(fields)
            for name, value in fields.items():
                setattr(self, name, value)
            self._settle()
            self._seal()
        return self

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Declared)
        mine, its = self._parameters(), other._parameters()
        return mine.keys() == its.keys() and all(_equal(mine[name], its[name]) for name in mine)

    def __hash__(self) -> int:
        return hash((type(self), *(_hashable(value) for _, value in sorted(self._parameters().items()))))

    def __repr__(self) -> str:
        defaults = self._defaults()
        changed = {k: v for k, v in self._parameters().items() if k not in defaults or v != defaults[k]}
        return f"{type(self).__name__}({', '.join(f'{k}={_shown(v)}' for k, v in changed.items())})"


def _recording(init: Callable[..., None]) -> Callable[..., None]:
    """An `__init__` that remembers its arguments and seals the object when the outermost one has returned."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def remembered(self: Any, *args: Any, **kwargs: Any) -> None:
        outermost = "_given" not in self.__dict__
        if outermost:
            self._given = _arguments(signature.bind(self, *args, **kwargs))
        init(self, *args, **kwargs)
        if outermost:
            self._settle()
            self._seal()

    return remembered


def _arguments(bound: inspect.BoundArguments) -> dict[str, Any]:
    """Argument -> value, without self, those of **kwargs among the others."""
    bound.apply_defaults()
    given: dict[str, Any] = {}
    for parameter in list(bound.signature.parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise TypeError("a constructor with *args has parameters without names: give each of them one")
        value = bound.arguments[parameter.name]
        given.update(value if parameter.kind is parameter.VAR_KEYWORD else {parameter.name: value})
    return {name: tuple(v) if isinstance(v, list) else _plain(v) for name, v in given.items()}


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's, which JSON and comparison can hold."""
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    return value.item() if isinstance(value, np.generic) else value


def _plain_json(value: Any) -> Any:
    if isinstance(value, ByClass):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except (TypeError, ValueError, RuntimeError):  # tensors, which compare element by element
        return repr(a) == repr(b)


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return None  # equal objects still have equal hashes
    return value


def _shown(value: Any) -> str:
    return value.__name__ if inspect.isroutine(value) else repr(value)
