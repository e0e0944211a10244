"""Hands finished runs to sinks. Whatever one of them does, the comparison goes on as if it were not there."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol

from losslab.lab.errors import own_words
from losslab.lab.store import Record

_WAITING = 10.0
"""Seconds that the end of a comparison waits for what is not yet written."""


class Sink(Protocol):
    """A place that finished runs are written to."""

    def write(self, record: Record) -> None:
        """Write a run, unless it is there already."""


Begin = Callable[[], Sink]


class Mirrors:
    """Gives every run to each sink, inside a `with` block, which waits for them when it ends.

    Args:
        sinks: what begins them, by the names to tell them by.
        note: called with a line when one is dropped.
        waiting: how many seconds to wait for all of them.
    """

    def __init__(self, sinks: Mapping[str, Begin], note: Callable[[str], None], waiting: float = _WAITING) -> None:
        self._mirrors = [_Mirror(name, begin) for name, begin in sinks.items()]
        self._note, self._waiting = note, waiting

    def __enter__(self) -> Mirrors:
        return self

    def write(self, record: Record) -> None:
        """Have a run written, some time."""
        self._drop_the_failed()
        for mirror in self._mirrors:
            mirror.records.put(record)

    def _drop_the_failed(self) -> None:
        for mirror in [mirror for mirror in self._mirrors if mirror.failure]:
            self._mirrors.remove(mirror)
            self._note(f"--sink {mirror.name} is left out from here on: {mirror.failure}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end = time.monotonic() + self._waiting
        for mirror in self._mirrors:
            mirror.records.put(None)
        for mirror in self._mirrors:
            mirror.join(max(0.0, end - time.monotonic()))
            if mirror.is_alive():
                mirror.failure = f"it had not taken all runs {self._waiting:g} s after the last"
        self._drop_the_failed()


class _Mirror(threading.Thread):
    """A sink in a thread: one that is slow, or never answers, holds up nothing but itself."""

    def __init__(self, name: str, begin: Begin) -> None:
        super().__init__(name=name, daemon=True)
        self.records: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self.failure = ""
        self._begin = begin
        self.start()

    def run(self) -> None:
        """Write what comes, until None."""
        try:
            sink = self._begin()
            while (record := self.records.get()) is not None:
                sink.write(record)
        except BaseException as error:  # a library may even exit
            self.failure = own_words(error)
