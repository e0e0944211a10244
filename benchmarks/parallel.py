"""Classes split over two processes, losslab.parallel against PyTorch: `python benchmarks/parallel.py [--tiny]`.

The processes are gloo's, on this machine, with one thread and half of the classes each. Value and gradients are
compared with those of all classes in float64 first: what is wrong is not timed. A round takes one step of each
contender, forward and backward; its CPU time, the mean of the processes, is divided by losslab's in the same round.
Memory is the peak beyond the inputs, gradients included, of the process that takes more.
Exit codes: 0 measured, 1 a contender gave a wrong result.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import definitions
import machine
import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from case import Arrays
from cases.inputs import classified, last_layer
from check import mistake, write_reference
from measure import quartiles
from memory import peak_extra
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Shard
from torch.distributed.tensor.parallel import loss_parallel

Tensor = torch.Tensor
Loss = Callable[..., Tensor]
Record = dict[str, Any]

PROCESSES = 2
SIZE, TINY = {"n": 2048, "d": 512, "v": 32000}, {"n": 8, "d": 4, "v": 10}
RTOL = 1e-4
SPLIT = {"y_pred": 1, "weight": 0}  # the axis of the classes, where an array has one


@dataclass(frozen=True)
class Part:
    """What a process knows beside its arrays."""

    rank: int
    mesh: DeviceMesh
    labels: Tensor
    classes: int


def ours(part: Part, y_pred: Tensor) -> Tensor:
    from losslab import parallel

    return parallel.cross_entropy(part.labels, y_pred, classes=part.classes)


def torchs(part: Part, y_pred: Tensor) -> Tensor:
    whole = DTensor.from_local(y_pred, part.mesh, [Shard(1)], run_check=False)
    return F.cross_entropy(whole, part.labels).full_tensor()


def gathering(part: Part, y_pred: Tensor) -> Tensor:
    """All logits on every process; the others' are constants, whose gradient is taken where they are."""
    parts = [torch.empty_like(y_pred, requires_grad=False) for _ in range(PROCESSES)]
    dist.all_gather(parts, y_pred.detach())
    parts[part.rank] = y_pred
    return F.cross_entropy(torch.cat(parts, dim=1), part.labels)


def our_linear(part: Part, hidden: Tensor, weight: Tensor) -> Tensor:
    from losslab import parallel

    return parallel.linear_cross_entropy(hidden, weight, part.labels, classes=part.classes)


def of_product(loss: Loss) -> Loss:
    """The loss of logits, of hidden states, whose gradient is summed over the processes on its way back."""

    def linear(part: Part, hidden: Tensor, weight: Tensor) -> Tensor:
        hidden.register_hook(_sum)
        return loss(part, hidden @ weight.T)

    return linear


def _sum(gradient: Tensor) -> Tensor:
    total = gradient.clone()
    dist.all_reduce(total)
    return total


LOGITS: dict[str, Loss] = {
    "losslab.parallel.cross_entropy": ours,
    "F.cross_entropy under loss_parallel()": torchs,
    "all_gather, F.cross_entropy": gathering,
}
HIDDEN: dict[str, Loss] = {
    "losslab.parallel.linear_cross_entropy": our_linear,
    **{f"hidden @ weight.T, {name}": of_product(loss) for name, loss in LOGITS.items()},
}


@dataclass(frozen=True)
class Problem:
    """What is asked; the first of the contenders is what ratios are against."""

    name: str
    inputs: Callable[..., Arrays]
    reference: Callable[[Arrays], Arrays]
    contenders: Mapping[str, Loss]


PROBLEMS = (
    Problem("logits {n}x{v}", lambda n, d, v: classified(n, v), definitions.cross_entropy, LOGITS),
    Problem("hidden {n}x{d}, classes {v}", last_layer, definitions.linear_cross_entropy, HIDDEN),
)


def own(arrays: Arrays, rank: int) -> Arrays:
    """What a process has of arrays of all classes."""
    cut = {name: x.shape[SPLIT[name]] // PROCESSES for name, x in arrays.items() if name in SPLIT}
    where = {name: slice(rank * size, (rank + 1) * size) for name, size in cut.items()}
    of = {name: (slice(None),) * SPLIT[name] + (each,) for name, each in where.items()}
    return {name: x[of[name]].copy() if name in of else x for name, x in arrays.items()}


def step(loss: Loss, part: Part, inputs: Mapping[str, Tensor]) -> dict[str, Any]:
    """Forward and backward."""
    leaves = {name: x.detach().requires_grad_() for name, x in inputs.items()}
    value = loss(part, **leaves)
    value.backward()
    return {"value": value.detach(), **{name: x.grad for name, x in leaves.items()}}


def measured(problem: Problem, part: Part, inputs: Mapping[str, Tensor], right: Path, rounds: int) -> list[Record]:
    """What became of each contender, the same on every process."""
    records, steps = [], {}
    for name, loss in problem.contenders.items():
        wrong = from_all(mistake(step(loss, part, inputs), right, RTOL))
        record: Record = {"contender": name, "wrong": next(filter(None, wrong), None), "seconds": []}
        records.append(record)
        if record["wrong"] is None:
            steps[name] = lambda loss=loss: step(loss, part, inputs)
            peaks = from_all(peak_extra(steps[name]))
            record["peak"] = None if None in peaks else max(peaks)
    for _ in range(rounds):  # a round takes one step of each: what slows the machine slows all
        for record in records:
            if record["contender"] in steps:
                record["seconds"].append(cpu_seconds(steps[record["contender"]]))
    return records


def cpu_seconds(run: Callable[[], object]) -> float:
    """The mean of the processes."""
    dist.barrier()
    start = time.process_time()
    run()
    return sum(from_all(time.process_time() - start)) / PROCESSES


def from_all(x: Any) -> list[Any]:
    """What each process has."""
    found = [None] * PROCESSES
    dist.all_gather_object(found, x)
    return found


def work(rank: int, folder: Path, size: Mapping[str, int], rounds: int) -> None:
    """One of the processes; the first writes what was measured."""
    gc.freeze()  # a collection would copy what is shared with the other processes since the fork
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder / 'meeting'}", rank=rank, world_size=PROCESSES)
    mesh, results = init_device_mesh("cpu", (PROCESSES,)), {}
    for problem in PROBLEMS:
        tensors = {name: torch.from_numpy(x) for name, x in own(problem.inputs(**size), rank).items()}
        labels = tensors.pop("labels") if "labels" in tensors else tensors.pop("y_true")
        part, name = Part(rank, mesh, labels, size["v"]), problem.name.format(**size)
        with loss_parallel():  # which DTensors see, and nothing else
            results[name] = measured(problem, part, tensors, folder / problem.name / str(rank), rounds)
    if rank == 0:
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    dist.destroy_process_group()


def refer(problem: Problem, folder: Path, size: Mapping[str, int]) -> None:
    """Write what each process must come to."""
    reference = problem.reference(problem.inputs(**size))
    for rank in range(PROCESSES):
        (folder / problem.name / str(rank)).mkdir(parents=True)
        write_reference(folder / problem.name / str(rank), own(reference, rank))


def run(size: Mapping[str, int], rounds: int) -> dict[str, list[Record]]:
    """The records of every problem's contenders."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for problem in PROBLEMS:
            refer(problem, folder, size)
        # forked, so that what is imported here is imported once
        torch.multiprocessing.start_processes(work, (folder, size, rounds), PROCESSES, start_method="fork")
        return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))


def line(record: Record, first: Record) -> str:
    """A row of the table."""
    name = f"  {record['contender']:56s}"
    if record["wrong"] is not None:
        return f"{name} wrong: {record['wrong']}"
    peak = "-" if record["peak"] is None else f"{record['peak'] / 2**20:.0f}"
    seconds = quartiles(torch.tensor(record["seconds"]).numpy())
    ratio = quartiles((torch.tensor(record["seconds"]) / torch.tensor(first["seconds"])).numpy())
    spread = f"{ratio['median']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})"
    return f"{name} {seconds['median']:9.3f} {spread:>22s} {peak:>8s}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small arrays: whether all works, no figure means anything")
    parser.add_argument("--rounds", type=int, default=15, help="steps of each contender")
    options = parser.parse_args(arguments)
    print(json.dumps(machine.facts(), indent=1))
    results = run(TINY if options.tiny else SIZE, options.rounds)
    for name, records in results.items():
        print(f"\n{name:58s} {'CPU, s':>9s} {'of the first':>22s} {'MiB':>8s}")
        print(*(line(record, records[0]) for record in records), sep="\n")
    return int(any(record["wrong"] is not None for records in results.values() for record in records))


if __name__ == "__main__":
    sys.exit(main())
