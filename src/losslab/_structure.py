"""Structures: arrays in dicts and lists, as the outputs of a model, its labels and weights come; paired by key."""

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

Path = tuple[Any, ...]


def is_structure(x: Any) -> bool:
    """A dict, or a list that holds arrays or dicts; a list of numbers, or of such lists, is an array itself."""
    if isinstance(x, list | tuple):
        return any(each is None or _is_array(each) or is_structure(each) for each in x)
    return isinstance(x, Mapping)


def _is_array(x: Any) -> bool:
    return hasattr(x, "shape") and not isinstance(x, np.generic)


def keys_of(structure: Any) -> list[Any]:
    return list(structure) if isinstance(structure, Mapping) else list(range(len(structure)))


def listed(keys: Any) -> str:
    return ", ".join(map(repr, keys))


def about(path: Path) -> str:
    """The beginning of a message about an output."""
    return f"output {path_text(path)!r}: " if path else ""


def path_text(path: Path) -> str:
    return "/".join(map(str, path))


def spread(given: Any, holder: Any, what: str, path: Path) -> dict[Any, Any]:
    """Key of `holder` -> what is given for it; None where a dict gives nothing.

    Raises:
        ValueError: a list for a dict or the reverse, another length, a key that `holder` lacks.
    """
    keys, named = keys_of(holder), isinstance(holder, Mapping)
    if isinstance(given, Mapping) != named:
        kinds = ("a list", f"a dict ({listed(keys)})") if named else ("a dict", f"a list of {len(keys)}")
        raise ValueError(
            f"{about(path)}{what} is {kinds[0]}, but the outputs are {kinds[1]}: nothing says which belongs to "
            f"which; give {what} as {kinds[1].partition(' (')[0].partition(' of')[0]}"
        )
    if named:
        _check_keys(list(given), keys, what, path)
        return {key: given.get(key) for key in keys}
    if len(given) != len(keys):
        advice = "; several losses on one output are a list inside the list" if what == "loss" else ""
        raise ValueError(f"{about(path)}{what} has {len(given)} entries, but {len(keys)} are needed{advice}")
    return dict(zip(keys, given, strict=True))


def _check_keys(given: list[Any], keys: list[Any], what: str, path: Path) -> None:
    for key in given:
        if key not in keys:
            near = difflib.get_close_matches(str(key), [str(known) for known in keys], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the outputs are {listed(keys)}"
            raise ValueError(f"{about(path)}{what} names {key!r}, which is no output: {hint}")
