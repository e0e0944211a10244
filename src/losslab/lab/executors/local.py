"""Jobs in processes of their own on this machine: what kills or blocks one of them costs that job at most.

A pool of the standard library breaks as a whole when one of its processes dies. Here every process has a pipe of its
own; one that dies is replaced, and its job tried once more.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import connection
from types import TracebackType
from typing import Any

from losslab.lab.executors import worker
from losslab.lab.executors.protocol import Trial
from losslab.lab.executors.supervised import PATIENCE, News, Seat, Supervised
from losslab.lab.plan import Job

# Fresh interpreters: a fork of a process whose libraries have threads may hang.
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(eq=False, kw_only=True)
class _Process(Seat):
    """A process and this end of its pipe."""

    process: Any
    pipe: Any


class Local(Supervised[_Process]):
    """Runs jobs in `count` processes, which wait for further jobs until the block ends.

    Args:
        count: how many.
        patience: seconds without an epoch or a result after which a run is stopped.
    """

    def __init__(self, count: int, patience: float = PATIENCE) -> None:
        super().__init__(patience)
        self._count = count
        self._processes: list[_Process] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop(self._processes)

    def _free(self, wanted: int) -> Sequence[_Process]:
        idle = sum(each.job is None for each in self._processes)
        missing = min(self._count - len(self._processes), wanted - idle)
        self._processes += [_begun() for _ in range(missing)]
        return [each for each in self._processes if each.job is None][:wanted]

    def _give(self, seat: _Process, trial: Trial, job: Job) -> None:
        seat.heard = time.monotonic()
        with contextlib.suppress(OSError):  # it died while it was idle, which the pipe is going to tell
            seat.pipe.send((trial, job))

    def _news(self, timeout: float) -> Sequence[News[_Process]]:
        heard = connection.wait([each.pipe for each in self._busy], timeout)
        return [self._said(each) for each in self._busy if each.pipe in heard]

    def _said(self, each: _Process) -> News[_Process]:
        try:
            return (each, *each.pipe.recv())
        except (EOFError, OSError):
            each.process.join()
            self._stop([each])
            return each, "lost", _last_words(each)

    def _stop(self, seats: Sequence[_Process]) -> None:
        self._processes = [each for each in self._processes if each not in seats]
        for each in seats:
            each.process.kill()
            each.process.join()
            each.pipe.close()


def _last_words(each: _Process) -> str:
    """Why a process is no more."""
    code = each.process.exitcode
    how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with exit code {code}"
    memory = "; SIGKILL is what happens where memory runs out" if code == -signal.SIGKILL else ""
    return f"a process {how}{memory}"


def _begun() -> _Process:
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=worker.serve, args=(there,), daemon=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # as the process finds it: Ctrl-C is for this one
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    there.close()
    return _Process(process=process, pipe=here)
