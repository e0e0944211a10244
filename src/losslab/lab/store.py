"""The run folder: an append-only log of finished runs, and files that are written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from losslab.lab import schema
from losslab.lab.errors import Exit, LabError

LOG = "runs.jsonl"
LOCK = ".lock"
LEVELS = "levels.json"
SETTLED = ("ok", "diverged")
_UNFINISHED = ".unfinished-"

Record = dict[str, Any]


class Store:
    """A run folder opened for writing by this process alone.

    Attributes:
        folder: the folder.
        records: finished runs by id.
        torn: whether the log ended in an unfinished line, which was dropped.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: dict[str, Record] = {}
        self.torn = False
        self._log: IO[bytes] | None = None
        self._open_files = ExitStack()

    def __enter__(self) -> Store:
        with ExitStack() as opened:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = opened.enter_context((self.folder / LOCK).open("w"))
            except OSError as error:
                raise _unwritable(self.folder, error) from error
            self._take(lock)
            for left in self.folder.rglob(f"{_UNFINISHED}*"):  # by a process that was killed
                left.unlink(missing_ok=True)
            self.records, self.torn, length = read_log(self.folder)
            self._log = opened.enter_context((self.folder / LOG).open("ab"))
            self._log.truncate(length)
            self._open_files = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open_files.close()

    def _take(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LabError(
                f"{self.folder} is in use",
                "another losslab process is writing to it, and only one may",
                "wait for it, or choose another folder with --out",
                Exit.ENVIRONMENT,
            ) from error

    def append(self, record: Record) -> None:
        """Add one finished run, on disk before this returns."""
        assert self._log is not None, "open the store with `with`"
        self._log.write(json.dumps(record, allow_nan=False).encode() + b"\n")
        self._log.flush()
        os.fsync(self._log.fileno())
        self.records[record["id"]] = record

    def settled(self, job_id: str) -> bool:
        """Tell whether a run needs no repeating: it finished, well or by diverging."""
        return job_id in self.records and self.records[job_id]["status"] in SETTLED


def read_log(folder: Path) -> tuple[dict[str, Record], bool, int]:
    """Return the finished runs by id (the last line of an id wins), whether the last line was torn, the sound length.

    Raises:
        LabError: a line before the last is damaged.
    """
    path = folder / LOG
    content = path.read_bytes() if path.exists() else b""
    sound = content.rfind(b"\n") + 1
    records = {}
    for number, line in enumerate(content[:sound].splitlines(), start=1):
        record, fault = _parsed(line)
        if fault:
            raise LabError(
                f"line {number} of {path} is damaged",
                f"it is not a finished run as losslab writes them: {fault}",
                f"delete that line and rerun the command, for example: sed -i {number}d {path}",
            )
        records[record["id"]] = record
    return records, sound < len(content), sound


def _parsed(line: bytes) -> tuple[Any, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return None, str(error)
    return record, schema.fault_of_run(record)


def check_writable(folder: Path) -> None:
    """Raise LabError unless `folder` is, or can become, a folder that this process may write. Creates nothing."""
    parent = folder.absolute()
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise _unwritable(folder, f"{parent} is a file")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise _unwritable(folder, f"no permission to write in {parent}")


def _unwritable(folder: Path, reason: object) -> LabError:
    return LabError(f"cannot write to {folder}", str(reason), "choose another folder with --out DIR", Exit.ENVIRONMENT)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: to a temporary neighbour first, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{_UNFINISHED}{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_config(folder: Path) -> dict[str, Any]:
    """Read what a run folder's comparison was asked to do. Raises LabError: it is not there or damaged."""
    return _read_json(folder / "config.json", schema.CONFIG)


def read_environment(folder: Path) -> dict[str, Any]:
    """Read what a run folder's comparison ran on. Raises LabError: it is not there or damaged."""
    return _read_json(folder / "env.json", schema.ENVIRONMENT)


def read_levels(folder: Path) -> dict[str, Any]:
    """Read which levels a folder holds comparisons of. Raises LabError: it is not there or damaged."""
    return _read_json(folder / LEVELS, schema.LEVELS)


def _read_json(path: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Read a JSON file of a run folder.

    Raises:
        LabError: it is not there or damaged.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if fault := schema.fault(content, wanted):
            raise ValueError(fault)
    except FileNotFoundError as error:
        raise LabError(
            f"no run in {path.parent}", f"there is no {path.name} in it", "give the folder that losslab compare wrote"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise LabError(
            f"cannot read {path}",
            f"it is not as losslab writes it: {type(error).__name__}: {error}",
            "rerun the comparison, which writes it again",
        ) from error
    return content
