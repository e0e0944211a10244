"""What a process of the local executor does: takes jobs from a pipe and answers with their results."""

from __future__ import annotations

import json
from typing import Any

from losslab.lab.executors.protocol import Trial, failed, guarded


def serve(pipe: Any, trial: Trial) -> None:
    """Run the jobs that come, until the pipe is closed."""
    pipe.send(("ready", None))  # what it imports takes its time
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        result = guarded(trial, job, lambda done: pipe.send(("epoch", done)))
        try:
            json.dumps(result, allow_nan=False)  # the log is JSON, and so is what may travel
        except (TypeError, ValueError) as error:
            result = failed(f"the result is no JSON: {error}", f"{error}\n")
        pipe.send(("result", result))
