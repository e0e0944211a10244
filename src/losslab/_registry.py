"""Names: a registry for each kind of thing that has them, and that of the losses."""

import ast
import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from ._param import check_names

T = TypeVar("T", bound=Callable[..., Any])

PACKAGE = "losslab"


class UnknownNameError(ValueError):
    """Nothing of this kind has this name. `suggestions` holds the nearest names that exist."""

    __module__ = PACKAGE  # tracebacks name what a user can catch

    def __init__(self, message: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.suggestions = list(suggestions)


class UnknownLossError(UnknownNameError):
    """No loss has this name. `suggestions` holds the nearest names that exist."""

    __module__ = PACKAGE


def snake_case(name: str) -> str:
    """
    >>> snake_case("KLDivergence"), snake_case("MeanSquaredError")
    ('kl_divergence', 'mean_squared_error')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Registry:
    """The names of one kind of thing.

    Args:
        kind: what the names mean, for messages: "loss".
        module: where people find its `names` and `register`, for messages.
        unknown: the error for a name that nothing has.
    """

    def __init__(self, kind: str, module: str, unknown: type[UnknownNameError] = UnknownNameError) -> None:
        self.kind, self.module, self.unknown = kind, module, unknown
        # Every name that resolves -> (canonical name, object). Names, class names and aliases alike.
        self.known: dict[str, tuple[str, Any]] = {}
        # Classes that a config may name, though they are no entry of the catalogue
        self.unlisted: dict[str, tuple[str, Any]] = {}
        # How a registered callable that is no class becomes an object: (callable, parameters) -> object
        self.wrap: Callable[[Any, dict[str, Any]], Any] = self._as_it_is
        # Called with whatever is registered: an adapter that has to know it hangs in here when it is imported
        self.on_register: list[Callable[[Any], None]] = []

    def register(self, target: T | None = None, /, *, name: str | None = None, aliases: Sequence[str] = ()) -> Any:
        """Make a class, or any callable, known to `get` by its name. Also a decorator.

        Args:
            target: the class or callable, for a loss (y_true, y_pred) -> values; as a decorator, the name or nothing.
            name: by default the class or function name in snake_case; a class resolves by its own name too.
            aliases: further names, beside the `aliases` that a class declares.

        Raises:
            ValueError: a name that another has. The same definition run again (a notebook cell) replaces itself.

        >>> @losslab.register
        ... class FourthPower(losslab.ElementLoss):
        ...     def formula(self, ops, y_true, y_pred):
        ...         return (y_pred - y_true) ** 4
        >>> losslab.get("fourth_power")
        FourthPower()
        """
        if target is None or isinstance(target, str):
            return lambda later: self.register(later, name=name or target, aliases=aliases)
        if not callable(target):
            raise TypeError(f"{target!r} is no {self.kind}: register a class or a callable")
        own = getattr(target, "__name__", type(target).__name__)
        canonical = name or snake_case(own)
        declared = vars(target).get("aliases", ()) if isinstance(target, type) else ()  # a parent's names stay with it
        words = [canonical, *([own] if isinstance(target, type) else []), *declared, *aliases]
        for word in words:
            self._check_free(word, target)
        self.known.update((word, (canonical, target)) for word in words)
        for listener in self.on_register:
            listener(target)
        return target

    def names(self) -> list[str]:
        """The canonical names of all, sorted."""
        return sorted({canonical for canonical, _ in self.known.values()})

    def aliases_of(self, name: str) -> list[str]:
        """Every other name that resolves to the same, in the order of their registration.

        Raises:
            UnknownNameError: nothing has this name.
        """
        canonical, _ = self._lookup(name)
        return [word for word, (owner, _) in self.known.items() if owner == canonical and word != canonical]

    def name_of(self, target: Any) -> str | None:
        """The canonical name under which this class or callable is registered, or None."""
        return next((canonical for canonical, known in self.known.values() if known is target), None)

    def target_of(self, name: str) -> Any:
        """The class or callable that is registered under this name.

        Raises:
            UnknownNameError: nothing has this name.
        """
        return self._lookup(name)[1]

    def get(self, identifier: Any) -> Any:
        """The object that `identifier` means.

        Args:
            identifier: a name ("mse"), a name with parameters ("huber:delta=2"), a config dict from `serialize`, a
                class, an instance, any callable (returned as it is), or None (returned as None).

        Raises:
            UnknownNameError: no such name (UnknownLossError for a loss); the message suggests the nearest.
            TypeError: a parameter that it lacks, or something that means nothing of the kind.
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
            return self._from_string(identifier)
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, type):
            identifier = identifier()
        if callable(identifier):
            return identifier
        raise TypeError(
            f"{identifier!r} means no {self.kind}: give a name, a config dict, a class, an instance, a callable or None"
        )

    def serialize(self, target: Any) -> dict[str, Any]:
        """An object as a dict that JSON can hold; `deserialize` gives an equal one.

        Raises:
            TypeError: something without `get_config`.
            ValueError: a class that is not registered, or whose name is another's: nothing could find it again.

        >>> losslab.serialize(losslab.Huber(delta=2.0))["config"]["delta"]
        2.0
        """
        if not hasattr(target, "get_config"):
            raise TypeError(f"{target!r} has no get_config(): only a losslab {self.kind} can be serialized")
        name = type(target).__name__
        if (self._find(name) or (name, None))[1] is not type(target):
            raise ValueError(
                f"{name} is not the class that is registered under this name: add @{self.module}.register to it"
            )
        return {"class_name": f"{PACKAGE}>{name}", "config": target.get_config()}

    def deserialize(self, config: dict[str, Any]) -> Any:
        """The object that a dict from `serialize` describes. Nothing in it is executed.

        Raises:
            ValueError: not of that form.
            UnknownNameError, TypeError: an unknown class or parameter.
        """
        given = config if isinstance(config, dict) else {}
        name, parameters = given.get("class_name"), given.get("config", {})
        words = isinstance(parameters, dict) and all(isinstance(word, str) for word in parameters)
        if not isinstance(name, str) or not words:
            raise ValueError(f"a {self.kind} config is {{'class_name': …, 'config': {{…}}}}, got {config!r}")
        return self._make(name, parameters)

    def _as_it_is(self, target: Any, parameters: dict[str, Any]) -> Any:
        if parameters:
            raise TypeError(f"{self.name_of(target)} is a plain callable and takes no parameters by name")
        return target

    def _check_free(self, word: str, target: Any) -> None:
        holder = self.known.get(word)
        if holder is not None and not _same_definition(holder[1], target):
            raise ValueError(f"the name {word!r} belongs to {holder[1]!r} already: register under another name")

    def _lookup(self, name: str) -> tuple[str, Any]:
        found = self._find(name)
        if found is None:
            suggestions = self._near(name.removeprefix(f"{PACKAGE}>").lower())
            hint = " or ".join(repr(word) for word in suggestions)
            fix = f"did you mean {hint}?" if hint else f"see {self.module}.names()"
            raise self.unknown(f"unknown {self.kind} {name!r}: {fix}", suggestions)
        return found

    def _find(self, name: str) -> tuple[str, Any] | None:
        bare = name.removeprefix(f"{PACKAGE}>")
        return self.known.get(bare) or self.unlisted.get(bare)

    def _near(self, bare: str) -> list[str]:
        by_lower = {known.lower(): known for known in sorted(self.known)}
        inside = [word for word in self.names() if len(bare) > 2 and bare in word]
        near = [by_lower[word] for word in difflib.get_close_matches(bare, by_lower, n=3)]
        return list(dict.fromkeys(inside + near))[:3]

    def _from_string(self, text: str) -> Any:
        name, colon, rest = text.strip().partition(":")
        return self._make(name.strip(), _parse_parameters(text, rest) if colon else {})

    def _make(self, name: str, parameters: dict[str, Any]) -> Any:
        canonical, target = self._lookup(name)
        if not isinstance(target, type):
            return self.wrap(target, parameters)
        check_names(target, list(parameters), canonical)
        make = getattr(target, "from_config", None)
        return make(parameters) if make else cast(Any, target)(**parameters)


def _same_definition(a: Any, b: Any) -> bool:
    """The same object, or the same place in the source, run again; all lambdas of a function share one place."""
    place = getattr(a, "__qualname__", "<lambda>")
    if "<lambda>" in place:
        return a is b
    return (a.__module__, place) == (getattr(b, "__module__", None), getattr(b, "__qualname__", None))


def _parse_parameters(text: str, rest: str) -> dict[str, Any]:
    """ "gamma=3:alpha=[1, 2]" or "gamma=3,alpha=0.5" -> a dict of values."""
    parameters: dict[str, Any] = {}
    for part in re.split(r"[:,](?![^\[({]*[\])}])", rest):
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


LOSSES = Registry("loss", "losslab", UnknownLossError)
register, names, aliases_of = LOSSES.register, LOSSES.names, LOSSES.aliases_of
get, serialize, deserialize = LOSSES.get, LOSSES.serialize, LOSSES.deserialize
