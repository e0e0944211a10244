"""Cross-entropy of logits and of hidden states on a GPU, against peers: `python benchmarks/gpu.py [--only NAME]`.

Value and gradients are compared with float64 first: what is wrong is not timed. Prints one table and writes JSON.
`--kernels` times losslab's own kernels alone, over what they can be compiled with. `--interpret --tiny` runs all of
this on a CPU, in Triton's interpreter, with small arrays: to try the script, no figure means anything.
Exit codes: 0 measured, 1 a contender gave a wrong result or losslab none, 2 no such problem, 4 no GPU.
"""

import argparse
import itertools
import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from gpu_contenders import Contender, Loss, of_hidden, of_logits
from gpu_device import Cpu, Device, Gpu
from gpu_problem import PROBLEMS, TINY, Problem, reference

Tensor = torch.Tensor
Record = dict[str, Any]

PACKAGES = ("torch", "triton", "losslab", "liger-kernel", "quack-kernels", "cut-cross-entropy", "nvidia-cutlass-dsl")
MODES = {"forward": None, "g=1": 1.0, "g=0.5": 0.5}  # with the gradient for this upstream one
WARM_UP = 3
BLOCKS, WARPS, STAGES = (2048, 4096, 8192), (4, 8, 16), (1, 2, 3)


@dataclass
class Runner:
    """A contender with its arrays; of the first it has a copy where it overwrites it."""

    loss: Loss
    arrays: tuple[Tensor, ...]
    original: Tensor | None

    @classmethod
    def of(cls, contender: Contender, arrays: tuple[Tensor, ...]) -> "Runner":
        first, *others = arrays
        if contender.overwrites:
            return cls(contender.make(), (first.clone(), *others), first)
        return cls(contender.make(), arrays, None)

    def call(self, mode: str) -> tuple[Callable[[], Tensor], list[Tensor]]:
        """What is timed, and the arrays that will have the gradients; every call needs its own."""
        upstream, (*inputs, labels) = MODES[mode], self.arrays
        if self.original is not None:
            inputs[0].copy_(self.original)
        inputs = [x.detach().requires_grad_(upstream is not None) for x in inputs]

        def call() -> Tensor:
            with torch.set_grad_enabled(upstream is not None):
                loss = self.loss(*inputs, labels)
            if upstream is not None:
                loss.backward(torch.full_like(loss, upstream))
            return loss.detach()

        return call, inputs

    def errors(self, value: float, gradients: list[Tensor]) -> tuple[float, float]:
        """Relative: of the value with and without gradients, and of the worst gradient under an upstream 0.5."""
        call, inputs = self.call("g=0.5")
        found = [float(call())]
        pairs = zip(inputs, gradients, strict=True)
        worst = [float((x.grad.float() / 0.5 - expected).norm() / expected.norm()) for x, expected in pairs]
        found.append(float(self.call("forward")[0]()))  # last: a gradient may lie where the logits were
        errors = max(abs(each - value) / abs(value) for each in found), max(worst)
        return errors if math.isfinite(sum((*errors, *found, *worst))) else (math.inf, math.inf)


def checked(
    contender: Contender, problem: Problem, arrays: tuple[Tensor, ...], value: float, gradients: list[Tensor]
) -> tuple[Record, Runner | None]:
    """The record of a contender so far, and its runner where its result is right."""
    record: Record = {"problem": problem.name, "contender": contender.name}
    try:
        runner = Runner.of(contender, arrays)
        of_value, of_gradient = runner.errors(value, gradients)
    except ImportError as error:
        return record | {"status": f"not here: {error}"}, None
    except Exception as error:  # a peer may refuse a shape, a dtype or this GPU in any way
        return record | {"status": _failed(error)}, None
    right = of_value <= problem.tolerance[0] and of_gradient <= problem.tolerance[1]
    record |= {"error of value": of_value, "error of gradient": of_gradient, "status": "right" if right else "wrong"}
    return record, runner if right else None


def measured(problem: Problem, device: Device, rounds: int) -> list[Record]:
    """What each contender gave, checked and, where right, timed."""
    arrays = problem.arrays(device.name)
    value, gradients = reference(arrays)
    contenders = of_hidden(device.compiler) if problem.width else of_logits(device.compiler)
    found = [checked(contender, problem, arrays, value, gradients) for contender in contenders]
    del gradients
    runners = [(record, runner) for record, runner in found if runner is not None]
    for mode in MODES:
        for record, runner in runners:
            record[mode] = {"peak": None, "seconds": []}
            attempt(record, lambda: _warm(record[mode], runner, mode, device))  # noqa: B023
        for _ in range(rounds):  # a round takes one call of each: what slows the machine slows all
            for record, runner in runners:
                attempt(record, lambda: record[mode]["seconds"].append(device.seconds(runner.call(mode)[0])))  # noqa: B023
    return [record for record, _ in found]


def attempt(record: Record, step: Callable[[], object]) -> None:
    """Memory may run out where the check still had enough."""
    if record["status"] != "right":
        return
    try:
        step()
    except Exception as error:
        record["status"] = _failed(error)


def _warm(record: Record, runner: Runner, mode: str, device: Device) -> None:
    for _ in range(WARM_UP):
        record["peak"] = device.peak(runner.call(mode)[0])


def _failed(error: Exception) -> str:
    return f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def kernels(device: Device, problem: Problem, rounds: int) -> Iterator[Record]:
    """The bytes per second of losslab's two kernels, over what they can be compiled with."""
    from losslab._linear import _triton_rows as rows
    from losslab._linear._options import RowOptions

    options, (logits, labels) = RowOptions(), problem.arrays(device.name)
    scale, result = torch.ones(problem.rows, device=device.name), torch.empty_like(logits)
    lse = rows.statistics(logits, labels, options)[0]
    calls = {
        "statistics": (1, lambda: rows.statistics(logits, labels, options)),
        "gradient": (2, lambda: rows.write_gradient(result, logits, labels, lse, scale, options, problem.classes)),
    }
    kept = rows._BLOCK, rows._WARPS, rows._STAGES
    for setting in itertools.product(BLOCKS, WARPS, STAGES):
        rows._BLOCK, rows._WARPS, rows._STAGES = setting
        for name, (passes, call) in calls.items():
            call()
            seconds = statistics.median(device.seconds(call) for _ in range(rounds))
            rate = passes * logits.nbytes / seconds
            yield {"problem": problem.name, "kernel": name, "setting": setting, "bytes per second": rate}
    rows._BLOCK, rows._WARPS, rows._STAGES = kept


def line(record: Record, problem: Problem, ceilings: dict[str, float]) -> str:
    """A row of the table."""
    name = f"  {record['contender']:36s}"
    if record["status"] != "right":
        errors = [f"{key} {record[key]:.1e}" for key in ("error of value", "error of gradient") if key in record]
        return f"{name} {', '.join([record['status'], *errors])}"
    cells = [f"{_milliseconds(record, mode):11.3f} {_mebibytes(record[mode]['peak']):>8s}" for mode in MODES]
    unit, amount = problem.floor
    times = f"{_milliseconds(record, 'g=1') / 1e3 * ceilings[unit] / amount:8.2f}" if ceilings else f"{'-':>8s}"
    return f"{name} {' '.join(cells)} {times} {record['error of gradient']:9.1e}"


def heading() -> str:
    cells = " ".join(f"{mode + ', ms':>11s} {'MiB':>8s}" for mode in MODES)
    return f"\n  {'':36s} {cells} {'x floor':>8s} {'error':>9s}"


def _milliseconds(record: Record, mode: str) -> float:
    return 1e3 * statistics.median(record[mode]["seconds"])


def _mebibytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 2**20:.0f}"


def facts(device: Device) -> Record:
    """What a reader needs to judge the figures."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"device": device.facts(), "ceilings": device.ceilings(), "versions": versions}


def compare(problems: Sequence[Problem], device: Device, rounds: int) -> Record:
    """Every contender on every problem, printed as soon as it is there."""
    results: Record = {"facts": facts(device), "problems": []}
    print(json.dumps(results["facts"], indent=1), heading(), sep="\n")
    for problem in problems:
        records = measured(problem, device, rounds)
        results["problems"].append(asdict(problem) | {"dtype": str(problem.dtype), "contenders": records})
        rows = [line(record, problem, results["facts"]["ceilings"]) for record in records]
        print(problem.name, *rows, sep="\n", flush=True)
    return results


def sweep(problems: Sequence[Problem], device: Device, rounds: int) -> Record:
    """losslab's kernels on every problem of logits."""
    results: Record = {"facts": facts(device), "problems": [], "kernels": []}
    print(json.dumps(results["facts"], indent=1))
    for problem in problems:
        if problem.width:
            continue
        print(problem.name)
        for record in kernels(device, problem, rounds):
            results["kernels"].append(record)
            rate = record["bytes per second"] / 1e9
            print(
                f"  {record['kernel']:12s} block, warps, stages {record['setting']!s:14s} {rate:9.1f} GB/s", flush=True
            )
    return results


def _spoilt(record: Record) -> bool:
    """Wrong, or ours and not even that: a peer may decline."""
    return record["status"] == "wrong" or (record["contender"].startswith("losslab") and record["status"] != "right")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", default="", help="the problems with this in their name")
    parser.add_argument("--rounds", type=int, default=15, help="calls of each contender in each mode")
    parser.add_argument("--kernels", action="store_true", help="losslab's kernels alone")
    parser.add_argument("--interpret", action="store_true", help="on a CPU, in Triton's interpreter")
    parser.add_argument("--tiny", action="store_true", help="small arrays")
    parser.add_argument("--json", metavar="PATH", type=Path, default=Path(__file__).parent / "gpu.json")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if options.interpret:
        os.environ["TRITON_INTERPRET"] = "1"
    elif not torch.cuda.is_available():
        fix = "run it where there is one, or with --interpret --tiny to try the script"
        print(f"error: PyTorch {torch.__version__} sees no GPU\nfix: {fix}", file=sys.stderr)
        return 4
    offered = TINY if options.tiny else PROBLEMS
    problems = [problem for problem in offered if options.only in problem.name]
    if not problems:
        names = ", ".join(problem.name for problem in offered)
        print(f"error: no problem has {options.only!r} in its name\nfix: one of {names}", file=sys.stderr)
        return 2
    run = sweep if options.kernels else compare
    results = run(problems, Cpu() if options.interpret else Gpu(), options.rounds)
    options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(any(_spoilt(each) for problem in results["problems"] for each in problem["contenders"]))


if __name__ == "__main__":
    sys.exit(main())
