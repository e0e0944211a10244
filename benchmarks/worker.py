"""The process in which one contender lives: it builds, checks itself, and then answers requests for measurements.

A process each, because one library's threads, allocator and settings are not another's, and because what the first
contender had freed would hide what the second one takes. Requests and answers are lines of JSON.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes where errors go
    task = json.loads(sys.argv[1])
    _keep_to(task["threads"])
    if task["contender"] is None:
        _refer(task, answers)
    else:
        _compete(task, answers)


def _keep_to(threads: int) -> None:
    """Run on so many CPUs: the limit that every library's thread pool respects."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def _refer(task: Mapping[str, Any], answers: TextIO) -> None:
    from check import write_reference

    case = _find(task)
    write_reference(Path(task["reference"]), case.reference(case.inputs(**task["size"])))
    _say(answers, ready=True)


def _compete(task: Mapping[str, Any], answers: TextIO) -> None:
    case = _find(task)
    contender = next(each for each in case.contenders if each.name == task["contender"])
    try:
        call = contender.build(case.inputs(**task["size"]))
        started = time.perf_counter()
        result = call.run()
        first_call = time.perf_counter() - started
    except Exception as error:  # whatever a library raises: the reason is shown, and the others go on
        _say(answers, unavailable=_reason(error))
        raise
    gradient_bytes = sum(value.nbytes for name, value in result.items() if name != "value")
    wrong = _mistake(task, result, case.rtol)
    del result
    wrong = wrong or _mistake(task, call.run(), case.rtol)  # a call that writes into its inputs is right once
    if wrong is not None:
        _say(answers, wrong=wrong)
        return
    _say(answers, ready=True, first_call=first_call, seconds=_timed(call.run, 1)["wall"], gradient_bytes=gradient_bytes)
    for line in sys.stdin:
        request = json.loads(line)
        _say(answers, **(_timed(call.run, request["calls"]) if "calls" in request else _memory(call)))


def _find(task: Mapping[str, Any]) -> Any:
    cases = importlib.import_module(task["module"]).CASES
    return next(case for case in cases if case.name == task["case"])


def _mistake(task: Mapping[str, Any], result: Mapping[str, Any], rtol: float) -> str | None:
    """What is wrong with a result, where there is a reference for it."""
    if task["reference"] is None:
        return None
    from check import mistake

    return mistake(result, Path(task["reference"]), rtol)


def _timed(run: Callable[[], object], calls: int) -> dict[str, float]:
    """Seconds per call, by the clock on the wall and by what the process used of its CPUs."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        run()
    return {"wall": (time.perf_counter() - wall) / calls, "cpu": (time.process_time() - cpu) / calls}


def _memory(call: Any) -> dict[str, Any]:
    from memory import peak_extra

    if call.planned_bytes is not None:
        return {"extra_bytes": call.planned_bytes(), "extra_by": "compiler"}
    return {"extra_bytes": peak_extra(call.run), "extra_by": "kernel"}


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _say(answers: TextIO, **what: Any) -> None:
    answers.write(json.dumps(what) + "\n")


if __name__ == "__main__":
    main()
