"""One job after the other, in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import partial
from types import TracebackType

from losslab.lab.executors.protocol import Result, Trial, Watch, guarded
from losslab.lab.plan import Job


class Serial:
    """Runs jobs here."""

    def __enter__(self) -> Serial:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def run(self, trial: Trial, jobs: Iterable[Job], watch: Watch) -> Generator[tuple[Job, Result]]:
        """Yield (job, result) in the order of the jobs."""
        for job in jobs:
            watch.started(job)
            yield job, guarded(trial, job, partial(watch.epoch, job))
