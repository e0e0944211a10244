"""Runs jobs one after the other and hands each result over as it is finished."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from losslab.lab.plan import Job

Result = dict[str, Any]


def serial(trial: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
    """Yield (job, result) as they finish. A trial that raises gives status "error" and its traceback, not an end."""
    for job in jobs:
        try:
            result = trial(job)
        except Exception:
            result = {"status": "error", "error": traceback.format_exc()}
        yield job, result
