"""Progress on stderr: a live bar in a terminal, one plain line per finished run elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from losslab.lab.plan import Job
from losslab.lab.tasks import task_from


class Silent:
    """Shows nothing; what a live display derives from."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def note(self, text: str) -> None:
        """Say something about the comparison as a whole."""

    def expect(self, runs: int) -> None:
        """Announce that `runs` more runs are to come."""

    def started(self, job: Job) -> None:
        """A run begins."""

    def epoch(self, job: Job, done: int) -> None:
        """A run has done so many epochs."""

    def finished(self, job: Job, result: dict[str, Any]) -> None:
        """A run ended."""


class Lines(Silent):
    """One plain line per finished run."""

    def __init__(self) -> None:
        self._done = self._total = 0

    def note(self, text: str) -> None:
        """Print the note."""
        print(text, file=sys.stderr, flush=True)

    def expect(self, runs: int) -> None:
        """Raise the total."""
        self._total += runs

    def finished(self, job: Job, result: dict[str, Any]) -> None:
        """Print what ran and how it ended."""
        self._done += 1
        self.note(f"[{self._done}/{self._total}] {_what(job)} {_outcome(job, result)}")


class Bar(Silent):
    """An overall bar with the time left, and what is running now."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.percentage:>3.0f} %"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("loading", total=0)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print the note above the bar."""
        self._progress.console.print(text, highlight=False, markup=False)

    def expect(self, runs: int) -> None:
        """Lengthen the bar."""
        self._progress.update(self._task, total=(self._progress.tasks[0].total or 0) + runs)

    def started(self, job: Job) -> None:
        """Show what runs now."""
        self._progress.update(self._task, description=_what(job))

    def epoch(self, job: Job, done: int) -> None:
        """Show the epoch."""
        self._progress.update(self._task, description=f"{_what(job)} epoch {done}/{job['epochs']}")

    def finished(self, job: Job, result: dict[str, Any]) -> None:
        """Advance; a final run that did not go well is worth a line."""
        self._progress.advance(self._task)
        if result["status"] == "error" or (result["status"] == "diverged" and job["stage"] == "final"):
            self.note(f"{_what(job)} {_outcome(job, result)}")


def for_stderr() -> Silent:
    """Choose the live bar where stderr is a terminal, plain lines otherwise."""
    return Bar() if sys.stderr.isatty() else Lines()


def _what(job: Job) -> str:
    return f"{job['stage']} {job['label']} lr {job['lr']:g} seed {job['seed']}"


def _outcome(job: Job, result: dict[str, Any]) -> str:
    if result["status"] == "error":
        return f"failed: {result['reason']}"
    if result["status"] == "diverged":
        return f"diverged ({result['seconds']:.1f} s)"
    decides, name = task_from(job["task"]).decides, "test" if "measures" in result else "validation"
    score = result["measures"][decides.key] if name == "test" else result["val_score"]
    value = "undefined" if score is None else f"{decides.factor * score:.{decides.digits}f}{decides.unit}"
    return f"{name} {decides.name} {value} ({result['seconds']:.1f} s)"
