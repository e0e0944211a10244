"""Names of losses: register, get, serialize, deserialize."""

import ast
import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from ._param import check_names

T = TypeVar("T", bound=Callable[..., Any])

PACKAGE = "losslab"

# Every name that resolves -> (canonical name, object). Names, class names and aliases alike.
_KNOWN: dict[str, tuple[str, Any]] = {}


class UnknownLossError(ValueError):
    """No loss has this name. `suggestions` holds the nearest names that exist."""

    __module__ = PACKAGE  # tracebacks name what a user can catch

    def __init__(self, name: str) -> None:
        bare = name.removeprefix(f"{PACKAGE}>").lower()
        by_lower = {known.lower(): known for known in sorted(_KNOWN)}
        inside = [word for word in names() if len(bare) > 2 and bare in word]
        near = [by_lower[word] for word in difflib.get_close_matches(bare, by_lower, n=3)]
        self.suggestions = list(dict.fromkeys(inside + near))[:3]
        hint = " or ".join(repr(word) for word in self.suggestions)
        super().__init__(f"unknown loss {name!r}: " + (f"did you mean {hint}?" if hint else "see losslab.names()"))


def snake_case(name: str) -> str:
    """
    >>> snake_case("KLDivergence"), snake_case("MeanSquaredError")
    ('kl_divergence', 'mean_squared_error')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def register(target: T | None = None, /, *, name: str | None = None, aliases: Sequence[str] = ()) -> Any:
    """Make a loss known to `get` by its name: a class, or any callable (y_true, y_pred) -> values. Also a decorator.

    Args:
        target: the class or callable; None to use it as `@register(name=…)`.
        name: by default the class or function name in snake_case; a class resolves by its own name too.
        aliases: further names, beside the `aliases` that a class declares.

    Raises:
        ValueError: a name that another loss has. The same definition run again (a notebook cell) replaces itself.

    >>> @losslab.register
    ... class FourthPower(losslab.ElementLoss):
    ...     def formula(self, ops, y_true, y_pred):
    ...         return (y_pred - y_true) ** 4
    >>> losslab.get("fourth_power")
    FourthPower()
    """
    if target is None:
        return lambda later: register(later, name=name, aliases=aliases)
    own = getattr(target, "__name__", type(target).__name__)
    canonical = name or snake_case(own)
    declared = vars(target).get("aliases", ()) if isinstance(target, type) else ()  # a parent's names stay with it
    words = [canonical, *([own] if isinstance(target, type) else []), *declared, *aliases]
    for word in words:
        _check_free(word, target)
    _KNOWN.update((word, (canonical, target)) for word in words)
    return target


def names() -> list[str]:
    """The canonical names of all losses, sorted."""
    return sorted({canonical for canonical, _ in _KNOWN.values()})


def aliases_of(name: str) -> list[str]:
    """Every other name that resolves to the same loss, in the order of their registration.

    Raises:
        UnknownLossError: no loss has this name.
    """
    canonical, _ = _lookup(name)
    return [word for word, (owner, _) in _KNOWN.items() if owner == canonical and word != canonical]


def get(identifier: Any) -> Any:
    """The loss that `identifier` means.

    Args:
        identifier: a name ("mse"), a name with parameters ("huber:delta=2"), a config dict from `serialize`, a class,
            an instance, any callable (returned as it is), or None (returned as None).

    Raises:
        UnknownLossError: no such name; the message suggests the nearest.
        TypeError: a parameter that the loss lacks, or something that means no loss.
        ValueError: a parameter out of its bounds.

    >>> losslab.get("huber:delta=2")
    Huber(delta=2.0)
    >>> losslab.get("meen_squared_error")
    Traceback (most recent call last):
    losslab.UnknownLossError: unknown loss 'meen_squared_error': did you mean 'mean_squared_error'...
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        return _from_string(identifier)
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type):
        identifier = identifier()
    if callable(identifier):
        return identifier
    raise TypeError(
        f"{identifier!r} means no loss: give a name, a config dict, a Loss class or instance, a callable or None"
    )


def serialize(loss: Any) -> dict[str, Any]:
    """A loss as a dict that JSON can hold; `deserialize` gives an equal loss.

    Raises:
        TypeError: a loss without `get_config`.
        ValueError: a class that is not registered, or whose name is another's: nothing could find it again.

    >>> losslab.serialize(losslab.Huber(delta=2.0))["config"]["delta"]
    2.0
    """
    if not hasattr(loss, "get_config"):
        raise TypeError(f"{loss!r} has no get_config(): only a losslab.Loss can be serialized")
    name = type(loss).__name__
    if _KNOWN.get(name, (name, None))[1] is not type(loss):
        raise ValueError(f"{name} is not the class that is registered under this name: add @losslab.register to it")
    return {"class_name": f"{PACKAGE}>{name}", "config": loss.get_config()}


def deserialize(config: dict[str, Any]) -> Any:
    """The loss that a dict from `serialize` describes. Nothing in it is executed.

    Raises:
        ValueError: not of that form.
        UnknownLossError, TypeError: an unknown class or parameter.
    """
    given = config if isinstance(config, dict) else {}
    name, parameters = given.get("class_name"), given.get("config", {})
    if not isinstance(name, str) or not isinstance(parameters, dict) or not all(isinstance(k, str) for k in parameters):
        raise ValueError(f"a loss config is {{'class_name': …, 'config': {{…}}}}, got {config!r}")
    return _make(name, parameters)


def _check_free(word: str, target: Any) -> None:
    holder = _KNOWN.get(word)
    if holder is not None and not _same_definition(holder[1], target):
        raise ValueError(f"the name {word!r} belongs to {holder[1]!r} already: register under another name")


def _same_definition(a: Any, b: Any) -> bool:
    """The same object, or the same place in the source, run again; all lambdas of a function share one place."""
    place = getattr(a, "__qualname__", "<lambda>")
    if "<lambda>" in place:
        return a is b
    return (a.__module__, place) == (getattr(b, "__module__", None), getattr(b, "__qualname__", None))


def _lookup(name: str) -> tuple[str, Any]:
    found = _KNOWN.get(name.removeprefix(f"{PACKAGE}>"))
    if found is None:
        raise UnknownLossError(name)
    return found


def _from_string(text: str) -> Any:
    name, colon, rest = text.strip().partition(":")
    return _make(name.strip(), _parse_parameters(text, rest) if colon else {})


def _parse_parameters(text: str, rest: str) -> dict[str, Any]:
    """ "gamma=3:alpha=[1, 2]" or "gamma=3,alpha=0.5" -> a dict of values."""
    parameters: dict[str, Any] = {}
    for part in re.split(r"[:,](?![^\[(]*[\])])", rest):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{text!r}: after the colon stands name=value, got {part!r}")
        if key.strip() in parameters:
            raise ValueError(f"{text!r}: {key.strip()} is given twice")
        parameters[key.strip()] = _literal(value.strip())
    return parameters


def _literal(value: str) -> Any:
    words = {"true": True, "false": False, "none": None}
    if value.lower() in words:
        return words[value.lower()]
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


def _make(name: str, parameters: dict[str, Any]) -> Any:
    canonical, target = _lookup(name)
    if not isinstance(target, type):
        if parameters:
            raise TypeError(f"{canonical} is a plain callable and takes no parameters by name")
        return target
    check_names(target, list(parameters), canonical)
    return cast(Any, target)(**parameters)
