"""Jobs on the workers of a Dask cluster, one at a time on each.

A task is tied to its worker and tried again from here. Left to itself the scheduler would blame every task that it had
assigned to a worker for that worker's death, and give up on a harmless one after a few.
"""

from __future__ import annotations

import contextlib
import queue
import time
import traceback
from asyncio import CancelledError
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from losslab.lab.errors import Exit, LabError, own_words
from losslab.lab.executors import remote
from losslab.lab.executors.protocol import Trial, failed
from losslab.lab.executors.supervised import PATIENCE, News, Seat, Supervised
from losslab.lab.extras import needs
from losslab.lab.interrupt import held_back
from losslab.lab.plan import Job

_CONNECTING = 10
_RESTARTING = 10
_FETCHING = 60
_LOOKING = 1.0
"""Seconds between two looks at which workers are there: of one that is gone nothing is told."""


@dataclass(eq=False, kw_only=True)
class _Worker(Seat):
    """A worker of the cluster and its task."""

    address: str
    task: Any = None


class Dask(Supervised[_Worker]):
    """Runs jobs on the cluster of a scheduler.

    Args:
        address: HOST:PORT of the scheduler.
        patience: seconds without an epoch or a result after which a run is stopped, and its worker started anew.
    """

    def __init__(self, address: str, patience: float = PATIENCE) -> None:
        super().__init__(patience)
        needs("distributed", "dask", "--executor dask://")
        self._address = f"tcp://{address}"
        self._client: Any = None
        self._topic = f"losslab-{uuid4()}"
        self._numbers = count()
        self._seats: dict[int, _Worker] = {}
        self._told: queue.SimpleQueue[tuple[int, str, Any]] = queue.SimpleQueue()
        self._blocked: set[str] = set()
        self._looked = time.monotonic()

    def __enter__(self) -> Self:
        with held_back():
            import distributed

        try:
            self._client = distributed.Client(self._address, timeout=_CONNECTING, set_as_default=False, name="losslab")
        except (OSError, ValueError) as error:
            raise LabError(
                f"no Dask scheduler at {self._address}",
                own_words(error),
                "start one with `dask scheduler`, and workers with `dask worker HOST:PORT --nthreads 1`",
                Exit.ENVIRONMENT,
            ) from error
        self._client.subscribe_topic(self._topic, lambda event: self._told.put(tuple(event[1])))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _free(self, wanted: int) -> Sequence[_Worker]:
        taken = {each.address for each in self._busy} | self._blocked
        return [_Worker(address=address) for address in self._workers() if address not in taken][:wanted]

    def _workers(self) -> set[str]:
        self._looked = time.monotonic()
        try:
            return set(self._client.nthreads())
        except OSError as error:
            raise LabError(
                f"the Dask scheduler at {self._address} is gone",
                own_words(error),
                "start it again; the same command resumes, and finished runs are kept",
                Exit.ENVIRONMENT,
            ) from error

    def _give(self, seat: _Worker, trial: Trial, job: Job) -> None:
        number = next(self._numbers)
        self._seats[number] = seat
        seat.task = self._client.submit(
            remote.in_dask,
            remote.order(trial, job),
            self._topic,
            number,
            key=f"{self._topic}-{number}",
            workers=[seat.address],
            pure=False,
        )
        seat.task.add_done_callback(lambda task: self._told.put((number, "ended", None)))

    def _news(self, timeout: float) -> Sequence[News[_Worker]]:
        told = []
        with contextlib.suppress(queue.Empty):
            told.append(self._told.get(timeout=min(timeout, _LOOKING)))
            while True:
                told.append(self._told.get_nowait())
        news = [self._said(*each) for each in told if each[0] in self._seats]  # one that was cancelled may speak on
        if not told or time.monotonic() > self._looked + _LOOKING:
            there = self._workers()
            gone = [each for each in self._busy if each.address not in there]
            for each in gone:
                each.task.cancel()
            news += [(each, "lost", _lost(each)) for each in gone]
        return news

    def _said(self, number: int, kind: str, content: Any) -> News[_Worker]:
        if kind != "ended":
            return self._seats[number], kind, content
        seat = self._seats.pop(number)
        return (seat, *_outcome(seat))

    def _stop(self, seats: Sequence[_Worker]) -> None:
        """Start their workers anew: a task that runs cannot be ended otherwise."""
        begun = [each for each in seats if each.task is not None]
        for each in begun:
            each.task.cancel()
        addresses = [each.address for each in begun]
        try:
            if addresses and self._client.status == "running":
                self._client.restart_workers(addresses, timeout=_RESTARTING, raise_for_error=False)
        except ValueError:  # no nanny is there to start one again: it is left alone with what it runs
            self._blocked.update(addresses)


def _outcome(seat: _Worker) -> tuple[str, Any]:
    """What a task came to that has ended."""
    from distributed import KilledWorker

    if seat.task.status == "finished":
        with contextlib.suppress(Exception, CancelledError):
            return "result", seat.task.result(timeout=_FETCHING)
    if seat.task.status == "error" and not isinstance(error := seat.task.exception(), KilledWorker):
        return "result", failed(own_words(error), "".join(traceback.format_exception(error)))
    return "lost", _lost(seat)


def _lost(seat: _Worker) -> str:
    return f"the Dask worker {seat.address} was lost"
