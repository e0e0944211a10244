"""What a process of the local executor does: takes jobs from a pipe and answers with their results."""

from __future__ import annotations

from typing import Any

from losslab.lab.executors.protocol import Trial, guarded


def serve(pipe: Any, trial: Trial) -> None:
    """Run the jobs that come, until the pipe is closed."""
    pipe.send(("ready", None))  # what it imports takes its time
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(("result", guarded(trial, job, lambda done: pipe.send(("epoch", done)))))
