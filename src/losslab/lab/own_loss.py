"""The user's own loss, registered or not, by its path: package.module:MyLoss, file.py:MyLoss:gamma=3."""

from __future__ import annotations

from typing import Any

import losslab
from losslab._registry import Registry
from losslab.lab import own
from losslab.lab.errors import LabError


def get(given: Any) -> Any:
    """Return what `losslab.get` returns, and the loss that a path or a config with a path means.

    Raises:
        LabError: nothing is found there.
        TypeError, ValueError: parameters that it does not take.
    """
    if isinstance(given, dict) and "path" in given:
        plain = {key: value for key, value in given.items() if key != "path"}
        return _registry_of(type_at(given["path"]), plain["class_name"]).deserialize(plain)
    path, parameters = path_in(given)
    return _at(path, parameters) if path else losslab.get(given)


def path_in(given: Any) -> tuple[str, str]:
    """Return path and parameters of "file.py:MyLoss:gamma=3"; the path is "" where a loss is named as others are."""
    path, parameters = own.split_parameters(given) if isinstance(given, str) else ("", "")
    return ("", "") if not path or _is_known(path.partition(":")[0]) else (path, parameters)


def serialized(loss: losslab.Loss, path: str) -> dict[str, Any]:
    """Return the config from which a run makes a loss again that stands at a path."""
    return {"class_name": type(loss).__name__, "config": loss.get_config(), "path": path}


def type_at(path: str) -> type:
    """Return the class at a path, or that of the loss at a path."""
    found = own.find(path)
    return found if isinstance(found, type) else type(found)


def _at(path: str, parameters: str) -> Any:
    found = own.find(path)
    if isinstance(found, type):
        return _registry_of(found, found.__name__).get(f"{found.__name__}:{parameters}".rstrip(":"))
    if parameters:
        raise LabError(
            f"{path} takes no parameters", f"it is {found!r}, which is made already", f"write {path}, or name its class"
        )
    return found


def _registry_of(kind: type, name: str) -> Registry:
    """A registry that knows this class alone: parameters are read and checked as those of every loss."""
    registry = Registry("loss", "losslab", losslab.UnknownLossError)
    registry.register(kind, name=name)
    return registry


def _is_known(name: str) -> bool:
    try:
        losslab.aliases_of(name)
    except losslab.UnknownLossError:
        return False
    return True
