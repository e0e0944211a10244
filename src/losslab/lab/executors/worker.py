"""What a process of the local executor does: takes jobs from a pipe and answers with their results."""

from __future__ import annotations

import multiprocessing
import os
import threading
from typing import Any

from losslab.lab.executors.protocol import guarded


def serve(pipe: Any) -> None:
    """Run the jobs that come, until the pipe is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            trial, job = pipe.recv()
        except EOFError:
            return
        pipe.send(("result", guarded(trial, job, lambda done: pipe.send(("epoch", done)))))


def _end_with_parent() -> None:
    """End at once: nobody waits any more for a run that may take hours, or hang."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
