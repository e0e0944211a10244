"""Speed and memory against peers, measured in one run: `python benchmarks/bench.py [--quick] [--only NAME]`.

Prints one table. A full run writes benchmarks/results.json, the table in docs/benchmarks.md and its picture.
Exit codes: 0 measured, 1 a contender gave a wrong result, 2 no such case, 130 interrupted (nothing is written).
"""

import argparse
import importlib
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import report
from case import Case
from files import write_whole
from measure import FULL, QUICK, Effort, measure

FILES = ("overhead", "elementwise", "softmax", "overlap", "linear", "numpy_calls", "growth", "epoch")
MODULES = tuple(f"cases.{name}" for name in FILES)
HERE = Path(__file__).resolve().parent


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    cases = [case for case in _cases(options.cases) if not options.only or options.only in case.name]
    if not cases:
        names = ", ".join(case.name for case in _cases(options.cases))
        print(f"error: no case has {options.only!r} in its name\nfix: one of {names}", file=sys.stderr)
        return 2
    try:
        results = run(cases, QUICK if options.quick else FULL)
    except KeyboardInterrupt:
        print("\ninterrupted: nothing is written", file=sys.stderr)
        return 130
    if options.json:
        write_whole(options.json, report.as_json(results).encode())
    elif not options.quick and not options.only and options.cases == MODULES:
        report.publish(results, HERE / "results.json", HERE.parent / "docs" / "benchmarks.md")
    return int(any(each["status"] == "wrong" for case in results["cases"] for each in case["contenders"]))


def run(cases: Iterable[Case], effort: Effort) -> dict[str, Any]:
    """Measure every case, printing its part of the table as soon as it is there."""
    started, facts = time.time(), machine.facts()
    results: dict[str, Any] = {"quick": effort.quick, "machine": facts, "cases": []}
    print(report.heading(results))
    for case in cases:
        for threads in sorted({min(number, facts["cpus"]) for number in case.threads})[: 1 if effort.quick else None]:
            record = measure(case, threads, effort)
            record["targets"] = [] if effort.quick else report.judged(case.targets, record)
            results["cases"].append(record)
            print(report.section(record), flush=True)
    results["minutes"], results["load_at_the_end"] = round((time.time() - started) / 60, 1), machine.load()
    return results


def _cases(modules: Iterable[str]) -> list[Case]:
    return [replace(case, module=name) for name in modules for case in importlib.import_module(name).CASES]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: whether all works, no claims")
    parser.add_argument("--only", metavar="NAME", help="the cases with this in their name")
    parser.add_argument("--json", metavar="PATH", type=Path, help="write the results there, and nothing else")
    parser.add_argument("--cases", nargs="+", default=MODULES, metavar="MODULE", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
