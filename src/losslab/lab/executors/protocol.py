"""What an executor is, and what it is given."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
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
    """Runs jobs, of one trial, inside a `with` block, which connects and lets go of what is held."""

    def __enter__(self) -> Executor: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def run(self, trial: Trial, jobs: Iterable[Job], watch: Watch) -> Generator[tuple[Job, Result]]:
        """Yield (job, result) as they finish, every job once.

        A trial that raises, or gives what is no JSON, is no end: it gives status "error", the reason in one line, and
        the traceback as error. So does a trial that kills its process, twice, or never returns. Closing the iterator
        stops what still runs.
        """


def guarded(trial: Trial, job: Job, on_epoch: Callable[[int], None]) -> Result:
    """What a trial gives; status "error" where it raises, or gives what the log cannot hold and no pipe may carry."""
    try:
        result = trial(job, on_epoch)
    except Exception as error:
        return failed(own_words(error), traceback.format_exc())
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        return failed(f"the result is no JSON: {error}", f"{error}\n")
    return result


def failed(reason: str, error: str) -> Result:
    """The result of a run that came to nothing."""
    return {"status": "error", "reason": reason, "error": error}
