"""Where jobs run: in this process, in several on this machine, or on a cluster. The results are the same."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from losslab.lab.errors import LabError
from losslab.lab.executors.dask import Dask
from losslab.lab.executors.local import Local
from losslab.lab.executors.protocol import Executor
from losslab.lab.executors.ray import PLACES, Ray
from losslab.lab.executors.serial import Serial

__all__ = ["Executor", "executor_for"]

MOST_PROCESSES = 256


def executor_for(text: str) -> Executor:
    """Return the executor that `--executor` names; it connects when it is entered.

    Raises:
        LabError: no executor has that name, a number is out of range, or a package is not installed.
    """
    try:
        found = _parsed(text)
    except ValueError:  # of a port or a number
        found = None
    if found is None:
        raise LabError(
            f"bad executor '{text}'",
            f"--executor takes serial, local:N with N processes from 1 to {MOST_PROCESSES}, dask://HOST:PORT, or "
            "ray://HOST:PORT, ray://auto or ray://local, with ?gpus=G from 0 to 1",
            "for example --executor local:4",
        )
    return found


def _parsed(text: str) -> Executor | None:
    if text == "serial":
        return Serial()
    if found := re.fullmatch(r"local:(\d+)", text):
        return Local(int(found[1])) if 1 <= int(found[1]) <= MOST_PROCESSES else None
    if found := re.fullmatch(r"dask://(.+)", text):
        return Dask(found[1]) if _is_address(found[1]) else None
    if found := re.fullmatch(r"ray://([^?]+)(?:\?gpus=([\d.]+))?", text):
        share = float(found[2] or 0)
        return Ray(found[1], share) if (found[1] in PLACES or _is_address(found[1])) and share <= 1 else None
    return None


def _is_address(text: str) -> bool:
    parts = urlsplit(f"//{text}")
    return bool(parts.netloc == text and parts.hostname and parts.port)
