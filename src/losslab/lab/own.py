"""The user's own code, by the path under which every process finds it again: package.module:name, or file.py:name.

Nothing is imported but what the user names, on the command line or from Python.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from losslab.lab.errors import LabError, did_you_mean, own_words

_PATH = re.compile(r"(?P<module>[^:]+\.py|[\w.]+):(?P<name>[A-Za-z_]\w*)")


def split_parameters(text: str) -> tuple[str, str]:
    """Split "file.py:MyLoss:gamma=3" into the path and the parameters; the path is "" where there is none."""
    found = _PATH.match(text)
    if found is None or text[found.end() : found.end() + 1] not in ("", ":"):
        return "", text
    return found[0], text[found.end() + 1 :]


def find(path: str) -> Any:
    """Import what a path names.

    Raises:
        LabError: no such file, module or name, or its code raises.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise LabError(
            f"'{path}' is no path to code",
            "it names no module and no name in it",
            "write package.module:name or file.py:name",
        )
    module = _imported(found["module"])
    if not hasattr(module, found["name"]):
        raise LabError(
            f"{found['module']} has no '{found['name']}'",
            "nothing of that name is defined in it",
            did_you_mean(found["name"], _public(module), "name a class or function that it defines"),
        )
    return getattr(module, found["name"])


def path_of(target: Any) -> str:
    """Return the path of a function or class.

    Raises:
        LabError: under its name there is something else, or nothing: no other process could find it.
    """
    module, name = getattr(target, "__module__", None), getattr(target, "__qualname__", "")
    if getattr(sys.modules.get(str(module)), name, None) is not target:
        raise LabError(
            f"{target!r} cannot be found again",
            "every process imports it anew, by its module and its name",
            "define a function or class at the top of a module, and give that",
        )
    return f"{module}:{name}"


def edited(path: str) -> LabError:
    """Return the error for code that is no longer what the comparison began with."""
    return LabError(
        f"{path} was edited while the comparison ran",
        "its runs would be those of two versions",
        "run the command again: the edited version has runs of its own",
    )


def _public(module: ModuleType) -> list[str]:
    return [name for name in vars(module) if not name.startswith("_")]


def _imported(name: str) -> ModuleType:
    try:
        return _from_file(Path(name)) if name.endswith(".py") else _from_path(name)
    except FileNotFoundError as error:
        nearby = [path.name for path in Path(name).parent.glob("*.py")]
        fix = did_you_mean(Path(name).name, nearby, "check the path")
        raise LabError(f"no file {name}", "it is looked for from the current folder", fix) from error
    except LabError:
        raise
    except Exception as error:  # anybody's code
        raise LabError(f"cannot import {name}", own_words(error), "correct it; --debug shows the traceback") from error


def _from_path(name: str) -> ModuleType:
    if os.getcwd() not in sys.path and "" not in sys.path:  # an installed command does not look into its folder
        sys.path.append(os.getcwd())
    return importlib.import_module(name)


def _from_file(path: Path) -> ModuleType:
    """Import a file under a name made of its path; after an edit it is imported anew."""
    content, place = path.read_bytes(), path.resolve()
    name, digest = f"{path.stem}_{_digest(str(place).encode())}", _digest(content)
    known = sys.modules.get(name)
    if known is not None and known.__dict__["__digest__"] == digest:
        return known
    if str(place.parent) not in sys.path:  # for the modules beside it
        sys.path.append(str(place.parent))
    module = ModuleType(name)
    module.__dict__.update(__file__=str(place), __digest__=digest)
    _execute(module, content)
    return module


def _execute(module: ModuleType, content: bytes) -> None:
    """Run a module's code; one that raises leaves what was there before under its name."""
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module  # where pickle and the digests of definitions look for it
    try:
        exec(compile(content, str(module.__file__), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        if before is not None:
            sys.modules[module.__name__] = before
        raise


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
