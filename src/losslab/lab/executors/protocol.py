"""What an executor is, and what it is given."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol

from losslab.lab.errors import own_words
from losslab.lab.plan import Job

Result = dict[str, Any]
Trial = Callable[[Job, Callable[[int], None]], Result]
"""(job, what to call with the number of epochs done) -> result: a function of a module, for processes to import."""


class Watch(Protocol):
    """Who is told what goes on while jobs run."""

    def started(self, job: Job) -> None:
        """A run begins."""

    def epoch(self, job: Job, done: int) -> None:
        """A run has done so many epochs."""

    def note(self, text: str) -> None:
        """Something happened that is no result."""


class Executor(Protocol):
    """Runs jobs, of one trial."""

    def close(self) -> None:
        """Let go of what it holds."""

    def run(self, trial: Trial, jobs: Iterable[Job], watch: Watch) -> Generator[tuple[Job, Result]]:
        """Yield (job, result) as they finish, every job once.

        A trial that raises is no end: it gives status "error", the reason in one line, and the traceback as error. So
        does a trial that kills its process, twice, or never returns. Closing the iterator stops what still runs.
        """


def guarded(trial: Trial, job: Job, on_epoch: Callable[[int], None]) -> Result:
    """What a trial gives; status "error" where it raises."""
    try:
        return trial(job, on_epoch)
    except Exception as error:
        return failed(own_words(error), traceback.format_exc())


def failed(reason: str, error: str) -> Result:
    """The result of a run that came to nothing."""
    return {"status": "error", "reason": reason, "error": error}
