"""Packages that only some requests need."""

from __future__ import annotations

from importlib.util import find_spec

from losslab.lab.errors import Exit, LabError


def needs(package: str, extra: str, what: str) -> None:
    """Raise LabError unless `package` is installed, which `what` cannot do without and the `extra` installs."""
    if find_spec(package) is None:
        raise LabError(
            f"{package} is not installed", f"{what} needs it", f'pip install "losslab[{extra}]"', Exit.ENVIRONMENT
        )
