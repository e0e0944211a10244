"""Jobs in processes of their own on this machine: what kills or blocks one of them costs that job at most.

A pool of the standard library breaks as a whole when one of its processes dies. Here every process has a pipe of its
own; one that dies is replaced, and its job tried once more.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any

from losslab.lab.executors import worker
from losslab.lab.executors.protocol import Result, Trial, Watch, failed
from losslab.lab.plan import Job

# Fresh interpreters: a fork of a process whose libraries have threads may hang.
_CONTEXT = multiprocessing.get_context("spawn")
_TRIES = 2
_PATIENCE = 600.0
"""Seconds without an epoch or a result after which a run is taken to hang; what a new process imports has as long."""


@dataclass
class _Process:
    """A process, this end of its pipe, and what it works on."""

    process: Any
    pipe: Any
    job: Job | None = None
    heard: float = field(default_factory=time.monotonic)
    ready: bool = False

    def give(self, job: Job) -> None:
        self.job, self.heard = job, time.monotonic()
        self.pipe.send(job)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Local:
    """Runs jobs in `count` processes.

    Args:
        count: how many.
        patience: seconds without an epoch or a result after which a run is stopped.
    """

    def __init__(self, count: int, patience: float = _PATIENCE) -> None:
        self._count, self._patience = count, patience
        self._processes: list[_Process] = []

    def close(self) -> None:
        """Stop the processes, which otherwise wait for further jobs."""
        while self._processes:
            self._processes.pop().stop()

    def run(self, trial: Trial, jobs: Iterable[Job], watch: Watch) -> Generator[tuple[Job, Result]]:
        """Yield (job, result) as they finish."""
        waiting = deque((job, 1) for job in jobs)
        processes, tries = self._processes, dict[int, int]()
        processes += [_begun(trial) for _ in range(min(self._count, len(waiting)) - len(processes))]
        try:
            while waiting or any(each.job is not None for each in processes):
                for place, each in enumerate(processes):
                    if each.job is None and waiting:
                        job, tries[place] = waiting.popleft()
                        watch.started(job)
                        each.give(job)
                for place in self._heard_from(processes):
                    yield from self._next(processes, place, trial, waiting, tries, watch)
        finally:
            for each in [each for each in processes if each.job is not None]:
                processes.remove(each)
                each.stop()

    def _heard_from(self, processes: list[_Process]) -> list[int]:
        """Wait until a process says something, dies, or has been silent for too long; return those."""
        busy = {each.pipe: place for place, each in enumerate(processes) if each.job is not None}
        ends = {place: self._end(processes[place]) for place in busy.values()}
        heard = connection.wait(list(busy), timeout=max(0.0, min(ends.values()) - time.monotonic()))
        late = [place for place, end in ends.items() if time.monotonic() >= end]
        return [busy[pipe] for pipe in heard if pipe in busy] or late

    def _end(self, each: _Process) -> float:
        """When it will have been silent for too long."""
        return each.heard + (self._patience if each.ready else _PATIENCE)

    def _next(
        self,
        processes: list[_Process],
        place: int,
        trial: Trial,
        waiting: deque[tuple[Job, int]],
        tries: dict[int, int],
        watch: Watch,
    ) -> Generator[tuple[Job, Result]]:
        """Take what a process said; a result ends its job, an end of the pipe its process."""
        each = processes[place]
        job = each.job
        assert job is not None
        try:
            if not each.pipe.poll():
                raise TimeoutError
            kind, content = each.pipe.recv()
        except (EOFError, OSError, TimeoutError) as error:
            reason = self._end_of(each, isinstance(error, TimeoutError))
            processes[place] = _begun(trial)
            if tries[place] < _TRIES and not isinstance(error, TimeoutError):
                watch.note(f"{reason}; its run is tried once more")
                waiting.appendleft((job, tries[place] + 1))
            else:
                yield job, failed(reason, f"{reason}\n")
            return
        each.heard, each.ready = time.monotonic(), True
        if kind == "epoch":
            watch.epoch(job, content)
        elif kind == "result":
            each.job = None
            yield job, content

    def _end_of(self, each: _Process, hangs: bool) -> str:
        """Why a process is no more."""
        if hangs:
            each.stop()
            return f"no epoch was finished in {self._patience:g} s: the run was stopped"
        each.process.join()
        code = each.process.exitcode
        each.pipe.close()
        how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with exit code {code}"
        memory = "; SIGKILL is what happens where memory runs out" if code == -signal.SIGKILL else ""
        return f"a process {how}{memory}"


def _begun(trial: Trial) -> _Process:
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=worker.serve, args=(there, trial), daemon=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # as the process finds it: Ctrl-C is for this one
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    there.close()
    return _Process(process, here)
