"""Runs jobs one after the other and hands each result over as it is finished."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from losslab.lab.errors import own_words
from losslab.lab.plan import Job

Result = dict[str, Any]


def serial(trial: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
    """Yield (job, result) as they finish.

    A trial that raises is no end: it gives status "error", the reason in one line, and the traceback as error.
    """
    for job in jobs:
        try:
            result = trial(job)
        except Exception as error:
            result = {"status": "error", "reason": own_words(error), "error": traceback.format_exc()}
        yield job, result
