"""What the executors share whose runs are elsewhere: one job a seat, who is silent for too long, who is tried again."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from losslab.lab.errors import Exit, LabError
from losslab.lab.executors.protocol import Result, Trial, Watch, failed
from losslab.lab.plan import Job

PATIENCE = 600.0
"""Seconds without an epoch or a result after which a run is taken to hang; what a new process imports has as long."""
_TRIES = 2


@dataclass(eq=False)
class Seat:
    """Where one job at a time runs.

    Attributes:
        job: what it works on.
        tries: how often that job was begun, this time included.
        heard: when it last said something; None while it waits for its turn on a cluster, which costs no patience.
        ready: whether its trial has told of an epoch, of the 0th when it has imported what it needs.
    """

    job: Job | None = None
    tries: int = 0
    heard: float | None = None
    ready: bool = False


S = TypeVar("S", bound=Seat)
News = tuple[S, str, Any]
"""A seat and what it says: "here"; "epoch" and how many are done; "result"; "lost" and why."""


class Supervised(ABC, Generic[S]):
    """Gives jobs to seats and listens to them. A subclass knows what a seat is.

    Args:
        patience: seconds without an epoch or a result after which a run is stopped.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._busy: list[S] = []
        self._seen = time.monotonic()

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of everything."""

    @abstractmethod
    def _free(self, wanted: int) -> Sequence[S]:
        """Seats without a job, `wanted` at most."""

    @abstractmethod
    def _give(self, seat: S, trial: Trial, job: Job) -> None:
        """Have a seat begin."""

    @abstractmethod
    def _news(self, timeout: float) -> Sequence[News[S]]:
        """Wait, at most so many seconds, for what the busy seats say."""

    @abstractmethod
    def _stop(self, seats: Sequence[S]) -> None:
        """End what these run, and the seats with it."""

    def run(self, trial: Trial, jobs: Iterable[Job], watch: Watch) -> Generator[tuple[Job, Result]]:
        """Yield (job, result) as they finish."""
        waiting = deque((job, 1) for job in jobs)
        self._seen = time.monotonic()
        try:
            while waiting or self._busy:
                self._fill(trial, waiting, watch)
                news = self._news(self._left())
                told = {seat for seat, _, _ in news}
                late = [seat for seat in self._busy if seat not in told and self._end(seat) <= time.monotonic()]
                for seat, kind, content in news:
                    yield from self._hear(seat, kind, content, waiting, watch)
                yield from self._give_up(late)
        finally:
            self._stop(self._busy)
            self._busy.clear()

    def _fill(self, trial: Trial, waiting: deque[tuple[Job, int]], watch: Watch) -> None:
        for seat in self._free(len(waiting)) if waiting else ():
            job, tries = waiting.popleft()
            seat.job, seat.tries, seat.ready = job, tries, False
            self._busy.append(seat)
            watch.started(job)
            self._give(seat, trial, job)
        if self._busy:
            self._seen = time.monotonic()
        elif time.monotonic() > self._seen + self._patience:
            raise LabError(
                f"nowhere to run for {self._patience:g} s",
                "the cluster has no worker that takes a run",
                "start workers; the same command resumes, and finished runs are kept",
                Exit.ENVIRONMENT,
            )

    def _left(self) -> float:
        """Seconds until one of them will have been silent for too long."""
        return max(0.0, min(map(self._end, self._busy), default=float("inf")) - time.monotonic())

    def _end(self, seat: S) -> float:
        """When it will have been silent for too long."""
        if seat.heard is None:
            return float("inf")
        return seat.heard + (self._patience if seat.ready else PATIENCE)

    def _hear(
        self, seat: S, kind: str, content: Any, waiting: deque[tuple[Job, int]], watch: Watch
    ) -> Generator[tuple[Job, Result]]:
        """Take what a seat said; a result ends its job, its loss the seat."""
        job = seat.job
        if job is None or seat not in self._busy:  # the last words of one that was given up
            return
        seat.heard, seat.ready = time.monotonic(), seat.ready or kind != "here"
        if kind == "epoch":
            watch.epoch(job, content)
        elif kind == "result":
            self._leave(seat)
            yield job, content
        elif kind == "lost":
            self._leave(seat)
            if seat.tries >= _TRIES:
                yield job, failed(content, f"{content}\n")
            else:
                watch.note(f"{content}; its run is tried once more")
                waiting.appendleft((job, seat.tries + 1))

    def _leave(self, seat: S) -> None:
        self._busy.remove(seat)
        seat.job = None

    def _give_up(self, late: Sequence[S]) -> Generator[tuple[Job, Result]]:
        """Stop those that hang."""
        if not late:
            return
        reason = f"no epoch was finished in {self._patience:g} s: the run was stopped"
        ended = [seat.job for seat in late if seat.job is not None]
        self._stop(late)
        for seat in late:
            self._leave(seat)
        yield from ((job, failed(reason, f"{reason}\n")) for job in ended)
