"""The parent's side of a worker: started, asked, ended."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 900.0  # seconds for one answer: a worker that hangs ends a benchmark, it does not hold it for ever
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
SETTINGS = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "jax",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",  # otherwise a pool of compilers stays beside what is timed
}


class Worker:
    """A process that runs worker.py for one task, to be used in a `with`."""

    def __init__(self, task: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "worker.py", json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **SETTINGS, **_threads(task["threads"]), **environment},
            start_new_session=True,  # Ctrl-C reaches the parent alone, which ends its workers
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def ask(self, **request: Any) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):  # it has died: `answer` says of what
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next answer; {"unavailable": why} from a worker that died or hangs."""
        ready, _, _ = select.select([self._answers], [], [], PATIENCE)
        if not ready:
            return {"unavailable": f"no answer within {PATIENCE:g} s"}
        line = self._answers.readline()
        if line:
            return dict(json.loads(line))
        return {"unavailable": f"its process ended with code {self._process.wait()}: {self._last_words()}"}

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._requests, self._answers, self._errors):
            with contextlib.suppress(BrokenPipeError):  # a request that it did not live to read
                stream.close()


def _threads(number: int) -> dict[str, str]:
    limits = {f"{name}_NUM_THREADS": str(number) for name in THREADS}
    return {**limits, "TF_NUM_INTRAOP_THREADS": str(number), "TF_NUM_INTEROP_THREADS": str(number)}
