"""What the Keras classes of losses and of metrics share: each is generated from a losslab class."""

import inspect
from typing import Any, ClassVar, Self, TypeVar

T = TypeVar("T")

_OURS = {"core", "dtype"}


class Generated:
    """The part of a Keras class that knows the losslab class: its parameters in, its config out."""

    core_class: ClassVar[type[Any]]

    @classmethod
    def make_core(cls, *args: Any, **parameters: Any) -> Any:
        """The losslab object with these parameters. Raises: as the losslab class."""
        if parameters.get("name", "") is None:  # how Keras says that none is given
            del parameters["name"]
        return cls.core_class(*args, **parameters)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        parameters = {name: value for name, value in config.items() if name != "dtype"}
        return cls(core=cls.core_class.from_config(parameters), dtype=config.get("dtype"))  # type: ignore[call-arg]


def generated(base: type[T], cls: type, module: str) -> type[T]:
    """A subclass of `base` with the name, the documentation and the parameters of the losslab class `cls`."""
    taken = sorted(_OURS & inspect.signature(cls).parameters.keys())

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if taken:  # told here: whoever only registers the class may have no use for Keras
            raise TypeError(
                f"{cls.__name__} has a parameter {taken[0]!r}, which the Keras form needs itself: rename it"
            )
        base.__init__(self, *args, **kwargs)

    # On the constructor: on the class it would be taken for that of calling an instance, too
    init.__signature__ = _signature(cls)  # type: ignore[attr-defined]
    body = {"__module__": module, "__doc__": cls.__doc__, "__init__": init, "core_class": cls}
    return type(cls.__name__, (base,), body)


def _signature(cls: type) -> inspect.Signature:
    """Self, the parameters of the losslab class, its own before those that all have, and `dtype`."""
    by_name = inspect.Parameter.KEYWORD_ONLY
    taken = [
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),
        *(each for each in inspect.signature(cls).parameters.values() if each.name not in _OURS),
        inspect.Parameter("dtype", by_name, default=None),
    ]
    last = ("reduction", "name", "dtype")
    return inspect.Signature(sorted(taken, key=lambda each: (each.kind, each.kind is by_name and each.name in last)))
