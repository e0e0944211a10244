"""Where jobs run: in this process, or in several on this machine. The results are the same."""

from __future__ import annotations

import re

from losslab.lab.errors import LabError
from losslab.lab.executors.local import Local
from losslab.lab.executors.protocol import Executor
from losslab.lab.executors.serial import Serial

__all__ = ["Executor", "executor_for"]

MOST_PROCESSES = 256


def executor_for(text: str) -> Executor:
    """Return the executor that `--executor` names: "serial", or "local:4" for four processes.

    Raises:
        LabError: no executor has that name, or the number is out of range.
    """
    if text == "serial":
        return Serial()
    found = re.fullmatch(r"local:(\d+)", text)
    if not found or not 1 <= int(found[1]) <= MOST_PROCESSES:
        raise LabError(
            f"bad executor '{text}'",
            f"--executor takes serial, or local:N with N processes from 1 to {MOST_PROCESSES}",
            "for example --executor local:4",
        )
    return Local(int(found[1]))
