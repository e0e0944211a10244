"""Blocks shared out between threads.

They are Python's threads: NumPy lets go of the interpreter while it computes, and blocks need not wait for each other.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_PER_THREAD = 1 << 19  # elements for which a thread pays


def in_threads(work: Callable[[Sequence[Any]], T], blocks: Sequence[Any], size: int) -> list[T]:
    """What `work` makes of each thread's part of the blocks, which hold `size` elements together."""
    threads = min(_cores(), max(1, size // _PER_THREAD))
    if threads == 1:
        return [work(blocks)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, (blocks[i::threads] for i in range(threads))))


def _cores() -> int:
    """As many as the process may use; OMP_NUM_THREADS limits it, as it does elsewhere."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, int(limit)) if limit.isdigit() and int(limit) else available
