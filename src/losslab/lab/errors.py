"""What the lab says when it cannot go on, and the exit codes of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the `losslab` command."""

    OK = 0
    FINDING = 1
    USAGE = 2
    RUNS_FAILED = 3
    ENVIRONMENT = 4
    INTERRUPTED = 130


class LabError(Exception):
    """A problem that the person at the keyboard can fix, told in three lines.

    Args:
        what: what went wrong, with the actual values.
        why: the cause.
        fix: what to type or change.
        exit_code: the command's exit code.
    """

    def __init__(self, what: str, why: str, fix: str, exit_code: Exit = Exit.USAGE) -> None:
        super().__init__(what, why, fix)
        self.exit_code = exit_code

    def __str__(self) -> str:
        what, why, fix = (" ".join(str(part).split()) for part in self.args)
        return f"error: {what}\nwhy:   {why}\nfix:   {fix}"


INTERRUPTED = LabError("interrupted", "Ctrl-C", "the same command resumes", Exit.INTERRUPTED)


def own_words(error: BaseException) -> str:
    """Return an exception as its raiser meant it: the type and the first line of its message.

    What follows may be advice of a framework that passed it on, and so may the last line of the traceback.
    """
    if isinstance(error, LabError):
        return f"{error.args[0]}: {error.args[1]}"
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Name the known words nearest to a mistyped one, or say `otherwise` when nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
