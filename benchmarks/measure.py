"""A case, measured: each contender checked in a process of its own, then all of them timed in interleaved rounds."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from case import Case, Contender, Role, Size
from process import Worker

Record = dict[str, Any]
Seconds = np.ndarray[Any, Any]  # per call, one for each round
CLOCKS = ("wall", "cpu")
MIB = 2**20


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        quick: whether the small sizes are taken.
        round_seconds: what the calls of one contender in one round take together at least.
        case_seconds: how long the rounds of a case take together, if there are `least` to `most` of them then.
        together: how many workers start at the same time.
    """

    quick: bool
    round_seconds: float
    case_seconds: float
    least: int
    most: int
    together: int


FULL = Effort(quick=False, round_seconds=0.1, case_seconds=10.0, least=5, most=15, together=1)
QUICK = Effort(quick=True, round_seconds=0.01, case_seconds=0.3, least=3, most=5, together=2)


@dataclass
class Entry:
    """A contender: its process, how many calls make a round, what each round took, and its record so far."""

    contender: Contender
    size: Size
    worker: Worker
    record: Record
    calls: int = 1
    rounds: list[Record] = field(default_factory=list)

    @property
    def timed(self) -> bool:
        return bool(self.record["status"] == "timed")

    def ask(self, **request: Any) -> Record | None:
        """What the worker answers; None where it can no longer."""
        return self.heard(self.worker.ask(**request)) if self.timed else None

    def heard(self, said: Record) -> Record | None:
        """The answer, if it is one: "wrong" and "unavailable" end the contender's part."""
        for status in ("wrong", "unavailable"):
            if status in said:
                self.record |= {"status": status, "reason": said[status]}
                return None
        return said

    def seconds(self, clock: str) -> Seconds:
        return np.array([each[clock] for each in self.rounds])


def measure(case: Case, threads: int, effort: Effort) -> Record:
    """What was measured, as plain data; a contender with a wrong result is in it, untimed."""
    with ExitStack() as stack:
        entries = list(_entries(case, threads, effort, stack))
        for entry in entries:
            if entry.contender.role is not Role.CEILING:
                entry.record |= entry.ask(memory=True) or {}
        _take_rounds(entries, effort)
    clock = "cpu" if threads == 1 else "wall"
    timed = [entry for entry in entries if entry.timed]
    for entry in timed:
        _enter_times(entry, clock)
    if not case.grows:
        _compare(entries, clock)
    return {
        "name": case.name,
        "title": _title(case, threads, effort),
        "threads": threads,
        "clock": clock,
        "contenders": [entry.record for entry in entries],
        "slopes": _slopes(case.grows, entries, clock) if case.grows else None,
    }


def _title(case: Case, threads: int, effort: Effort) -> str:
    title = case.title.format(**(case.quick if effort.quick else case.size))
    return f"{title} ({threads} thread{'s' if threads > 1 else ''})"


def quartiles(values: Seconds) -> dict[str, float]:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return {"median": _short(middle), "q1": _short(low), "q3": _short(high)}


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _entries(case: Case, threads: int, effort: Effort, stack: ExitStack) -> Iterator[Entry]:
    """Every contender, started and checked."""
    references = References(case, stack)
    cache = {} if effort.quick else {"TORCHINDUCTOR_CACHE_DIR": _folder(stack)}  # or nothing would be compiled anew
    contenders = [each for each in case.contenders if each.in_quick or not effort.quick]
    for first in range(0, len(contenders), effort.together):
        group = []
        for contender in contenders[first : first + effort.together]:
            size = case.size_of(contender, effort.quick)
            reference = None if contender.role is Role.CEILING else references.folder(size)
            task = _task(case, contender.name, size, threads, reference)
            worker = stack.enter_context(Worker(task, {**cache, **contender.environment}))
            group.append(Entry(contender, size, worker, _blank(contender)))
        for entry in group:
            _settle(entry, effort)
            yield entry


class References:
    """The float64 references of a case, each computed when its sizes are first asked for."""

    def __init__(self, case: Case, stack: ExitStack) -> None:
        self._case, self._stack, self._folders = case, stack, dict[str, str]()

    def folder(self, size: Size) -> str:
        """Where the reference for these sizes lies."""
        if repr(size) not in self._folders:
            folder = self._folders[repr(size)] = _folder(self._stack)
            with Worker(_task(self._case, None, size, 2, folder), {}) as worker:
                said = worker.answer()
            if "ready" not in said:
                raise RuntimeError(f"{self._case.name}: no reference to check against: {said['unavailable']}")
        return self._folders[repr(size)]


def _task(case: Case, contender: str | None, size: Size, threads: int, reference: str | None) -> Record:
    """What a worker is told; without a contender it writes the reference."""
    task = {"module": case.module, "case": case.name, "contender": contender}
    return task | {"size": dict(size), "threads": threads, "reference": reference}


def _folder(stack: ExitStack) -> str:
    return stack.enter_context(tempfile.TemporaryDirectory(prefix="losslab-bench-"))


def _blank(contender: Contender) -> Record:
    missing = ("reason", "first_call", "extra_bytes", "extra_by", "gradient_bytes", "wall", "cpu", "ratio", "rate")
    return {"name": contender.name, "role": str(contender.role), "status": "timed", **dict.fromkeys(missing)}


def _settle(entry: Entry, effort: Effort) -> None:
    """Enter what a worker says of itself once it has started: ready, wrong or not available."""
    said = entry.heard(entry.worker.answer())
    if said is not None:
        entry.record |= {name: said[name] for name in ("first_call", "gradient_bytes")}
        entry.calls = max(1, math.ceil(effort.round_seconds / said["seconds"]))


def _take_rounds(entries: list[Entry], effort: Effort) -> None:
    """In each round every contender has its turn: noise hits all alike."""
    number, spent = 0, 0.0
    while number < effort.most and (number < effort.least or spent < effort.case_seconds):
        for entry in entries:
            said = entry.ask(calls=entry.calls)
            if said is not None:
                entry.rounds.append(said)
                spent += said["wall"] * entry.calls
        number += 1


def _enter_times(entry: Entry, clock: str) -> None:
    entry.record |= {each: quartiles(entry.seconds(each)) for each in CLOCKS}
    entry.record["rounds"] = len(entry.rounds)
    rate = entry.contender.rate
    if rate is not None:
        done = rate.amount(**entry.size) / entry.record[clock]["median"]
        entry.record["rate"] = f"{done:.3g} {rate.unit}"


def _compare(entries: list[Entry], clock: str) -> None:
    """Each contender's time over the first of ours, round by round: what disturbs a round disturbs both."""
    ours = next(entry for entry in entries if entry.contender.role is Role.OURS)
    for entry in entries:
        if ours.timed and entry.timed:
            entry.record["ratio"] = quartiles(entry.seconds(clock) / ours.seconds(clock))


def _slopes(axis: str, entries: list[Entry], clock: str) -> dict[str, dict[str, float] | None]:
    """How time, memory, and memory beyond the gradients (at least 1 MiB) grow; None where a size is missing."""
    slopes: dict[str, dict[str, float] | None] = dict.fromkeys(("time", "memory", "beyond"))
    if not all(entry.timed for entry in entries):
        return slopes
    sizes = [entry.size[axis] for entry in entries]
    slopes["time"] = quartiles(slope(sizes, np.array([entry.seconds(clock) for entry in entries])))
    held = [(entry.record["extra_bytes"], entry.record["gradient_bytes"]) for entry in entries]
    if all(extra is not None for extra, _ in held):
        slopes["memory"] = quartiles(slope(sizes, np.array([max(extra, MIB) for extra, _ in held])))
        slopes["beyond"] = quartiles(slope(sizes, np.array([max(extra - own, MIB) for extra, own in held])))
    return slopes


def slope(sizes: Sequence[float], values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The slope of log(value) over log(size): 1 where twice the size takes twice the value."""
    return np.atleast_1d(np.polyfit(np.log(sizes), np.log(values), 1)[0])
