"""Blocks shared out between threads.

They are Python's threads: NumPy lets go of the interpreter while it computes, and blocks need not wait for each other.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_PER_THREAD = 1 << 19  # elements for which a thread pays
_LIMIT: ContextVar[int | None] = ContextVar("limit", default=None)


@contextlib.contextmanager
def at_most(threads: int) -> Iterator[None]:
    """No more threads inside the block."""
    token = _LIMIT.set(threads)
    try:
        yield
    finally:
        _LIMIT.reset(token)


def in_threads(work: Callable[[Sequence[Any]], T], blocks: Sequence[Any], size: int) -> list[T]:
    """What `work` makes of each thread's part of the blocks, which hold `size` elements together."""
    threads = min(_LIMIT.get() or _cores(), _cores(), max(1, size // _PER_THREAD))
    if threads == 1:
        return [work(blocks)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, (blocks[i::threads] for i in range(threads))))


def _cores() -> int:
    """As many as the process may use; OMP_NUM_THREADS limits it, as it does elsewhere."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, int(limit)) if limit.isdigit() and int(limit) else available
