"""What is registered with losslab, now and later: Keras must know it before it loads a model that holds it."""

import difflib
from collections.abc import Callable
from typing import Any

import keras

PACKAGE = "losslab"


def follow(module: Any, kind: type, tell: Callable[[Any], Any]) -> None:
    """Call `tell` with every class of this kind that the module's `register` knows, and with each that it will."""

    def listener(target: Any) -> None:
        if _is_class(target, kind):
            tell(target)

    for cls in registered(module, kind):
        tell(cls)
    _registry(module).on_register.append(listener)


def registered(module: Any, kind: type) -> list[Any]:
    """The classes of this kind that the module's `register` knows now, each once."""
    targets = [target for _, target in _registry(module).known.values()]
    return list(dict.fromkeys(target for target in targets if _is_class(target, kind)))


def tell_keras(target: Any, name: str) -> Any:
    """Register a class or function with Keras as "losslab>" and the name, and return it."""
    return keras.saving.register_keras_serializable(PACKAGE, name)(target)


def check_free(module: Any, cls: type, name: str) -> None:
    """Refuse a name that the Keras form of another class has: a saved model would come back with the wrong one.

    A class that is registered with losslab has its name: `register` has seen to it that no other has.

    Raises:
        ValueError: the name is another's, and `cls` is not registered.
    """
    holder = getattr(keras.saving.get_registered_object(f"{PACKAGE}>{name}"), "core_class", cls)
    if _place(holder) != _place(cls) and _registry(module).name_of(cls) is None:
        raise ValueError(f"Keras knows {_place(holder)} as '{PACKAGE}>{name}' already: give {_place(cls)} another name")


def no_attribute(module: str, name: str, known: list[str], kind: str) -> AttributeError:
    """The error for a name that a module lacks, with the nearest that it has."""
    by_lower = {word.lower(): word for word in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    hint = f"did you mean {by_lower[near[0]]!r}?" if near else f"no {kind} of this name is registered with losslab"
    return AttributeError(f"{module} has no {name!r}: {hint}")


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _is_class(target: Any, kind: type) -> bool:
    return isinstance(target, type) and issubclass(target, kind)


def _registry(module: Any) -> Any:
    """The registry whose method is the module's `register`."""
    return module.register.__self__
