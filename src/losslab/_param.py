"""Parameters of a loss: declared once with their bounds, checked when a loss is made, described in every message."""

import dataclasses
import difflib
import inspect
import math
import numbers
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from ._frozen import FrozenDict

_BOUNDS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "gt": (">", lambda value, bound: value > bound),
    "ge": (">=", lambda value, bound: value >= bound),
    "lt": ("<", lambda value, bound: value < bound),
    "le": ("<=", lambda value, bound: value <= bound),
}

_MISFIT = object()


class ByClass(FrozenDict):
    """{class: number}: Keras' form of class weights; 1 for a class that it does not name."""

    @classmethod
    def of(cls, value: Any) -> Any:
        """The same from any dict; JSON has made texts of its keys."""
        if not isinstance(value, dict) or not value:
            return _MISFIT
        keys = [int(key) if isinstance(key, str) and key.isdecimal() else key for key in value]
        weights = [_convert_number(float, number) for number in value.values()]
        if _MISFIT in weights or not all(isinstance(key, int | np.integer) and key >= 0 for key in keys):
            return _MISFIT
        return cls(zip(map(int, keys), weights, strict=True))

    def for_classes(self, classes: int) -> tuple[float, ...]:
        return tuple(self.get(each, 1.0) for each in range(classes))


def param(
    default: Any,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    doc: str = "",
) -> Any:
    """Declare a parameter of a loss; its type is the annotation.

    Args:
        default: the value where none is given.
        gt, ge, lt, le: bounds (>, >=, <, <=) on a number, or on every number of a tuple.
        doc: what it means and its unit, for the docs.

    >>> class Power(losslab.ElementLoss):
    ...     exponent: float = losslab.param(2.0, gt=0, doc="no unit")
    ...     def formula(self, ops, y_true, y_pred):
    ...         return ops.abs(y_pred - y_true) ** self.exponent
    >>> Power(exponent=3)
    Power(exponent=3.0)
    >>> Power(exponent=-1)
    Traceback (most recent call last):
    ValueError: Power: exponent must be a number > 0, got -1
    """
    bounds = {"gt": gt, "ge": ge, "lt": lt, "le": le}
    given = {word: bound for word, bound in bounds.items() if bound is not None}
    return dataclasses.field(default=default, metadata={"doc": doc, "bounds": given})


def checked_parameters(owner: Any) -> dict[str, Any]:
    """The parameters of a loss converted to the types that it declares.

    Raises:
        TypeError: a value of another type.
        ValueError: a number out of bounds or not finite, a word that is no choice.
    """
    return {rule.name: _checked(owner, rule, getattr(owner, rule.name)) for rule in _rules(type(owner))}


@dataclasses.dataclass(frozen=True)
class _Rule:
    """What one parameter may be."""

    name: str
    kinds: tuple[Any, ...]
    bounds: dict[str, float]


def _rules(cls: Any) -> tuple[_Rule, ...]:
    """Worked out once per class, at the first construction: by then every annotation resolves."""
    rules: tuple[_Rule, ...] | None = cls.__dict__.get("_parameter_rules")
    if rules is None:
        hints = _type_hints(cls)
        rules = tuple(
            _Rule(f.name, _kinds(hints[f.name]), f.metadata.get("bounds", {})) for f in dataclasses.fields(cls)
        )
        cls._parameter_rules = rules
    return rules


def _type_hints(cls: Any) -> dict[str, Any]:
    try:
        return get_type_hints(cls)
    except NameError as error:
        raise TypeError(
            f"{cls.__name__}: its annotations name {error.name!r}, which its module does not define: "
            f"define it at the top of the module, or leave out `from __future__ import annotations`"
        ) from error


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def check_names(
    cls: type, names: list[str], caller: str, but: tuple[str, ...] = (), also: tuple[str, ...] = ()
) -> None:
    """Refuse a parameter that `cls` lacks, with the nearest name that it has, without those of `but`, with `also`."""
    if not names:
        return
    accepted = inspect.signature(cls).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted):
        return  # only the class itself knows
    known = [*also, *(parameter.name for parameter in accepted if parameter.name not in but)]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
            raise TypeError(f"{caller} has no parameter {name!r}: {hint}")


def requirements(cls: Any) -> dict[str, str]:
    """Parameter -> what it may be, in words."""
    return {rule.name: _requirement(rule.kinds, rule.bounds) for rule in _rules(cls)}


def _requirement(kinds: tuple[Any, ...], bounds: dict[str, float]) -> str:
    """What a parameter may be, in words: "a number > 0"."""
    limits = " and ".join(f"{_BOUNDS[word][0]} {bound:g}" for word, bound in bounds.items())
    return " or ".join(f"{_words(kind)} {limits}".rstrip() if _is_numeric(kind) else _words(kind) for kind in kinds)


def _checked(owner: Any, rule: _Rule, value: Any) -> Any:
    for kind in rule.kinds:
        converted = _convert(kind, value)
        if converted is not _MISFIT and _within(converted, rule.bounds):
            return converted
    # the right kind of thing with a wrong value (a number out of bounds, an unknown word) is a ValueError
    fits = any(_convert(kind, value) is not _MISFIT for kind in rule.kinds) or isinstance(value, str | float)
    error = ValueError if fits else TypeError
    wanted = _requirement(rule.kinds, rule.bounds)
    raise error(f"{type(owner).__name__}: {rule.name} must be {wanted}, got {value!r}")


def _convert(kind: Any, value: Any) -> Any:
    if kind is NoneType:
        return None if value is None else _MISFIT
    if kind is bool:
        return bool(value) if isinstance(value, bool | np.bool_) else _MISFIT
    if kind is str:
        return value if isinstance(value, str) else _MISFIT
    if get_origin(kind) is Literal:
        return value if isinstance(value, str) and value in get_args(kind) else _MISFIT
    if get_origin(kind) is tuple:
        return _convert_tuple(get_args(kind), value)
    if kind is ByClass:
        return ByClass.of(value)
    return _convert_number(kind, value)


def _convert_number(kind: Any, value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return _MISFIT
    if kind is int and isinstance(value, numbers.Integral):
        return int(value)
    if kind is float and isinstance(value, numbers.Real) and math.isfinite(value):
        return float(value)
    return _MISFIT


def _convert_tuple(kinds: tuple[Any, ...], value: Any) -> Any:
    if hasattr(value, "tolist"):  # an array of any framework
        value = value.tolist()
    if not isinstance(value, list | tuple) or len(value) == 0:
        return _MISFIT
    if kinds[-1] is not Ellipsis and len(kinds) != len(value):
        return _MISFIT
    converted = tuple(_convert(kinds[0], item) for item in value)
    return _MISFIT if any(item is _MISFIT for item in converted) else converted


def _within(value: Any, bounds: dict[str, float]) -> bool:
    items = value.values() if isinstance(value, ByClass) else value if isinstance(value, tuple) else (value,)
    numeric = [item for item in items if isinstance(item, int | float)]
    return all(_BOUNDS[word][1](item, bound) for item in numeric for word, bound in bounds.items())


def _is_numeric(kind: Any) -> bool:
    return kind in (int, float, ByClass) or get_origin(kind) is tuple


def _words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        return "a list of numbers" if kinds[-1] is Ellipsis else f"a list of {len(kinds)} numbers"
    names = {
        ByClass: "a dict {class: number}",
        float: "a number",
        int: "an integer",
        bool: "True or False",
        str: "a string",
        NoneType: "None",
    }
    return names.get(kind, str(kind))
