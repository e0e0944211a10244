"""One job to one result: a network trained with one loss, at one learning rate, from one seed."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import losslab
from losslab.lab import fingerprint, own, own_loss
from losslab.lab.backend import backend_of, prefer
from losslab.lab.data import Dataset, DataSpec, load, spec_from
from losslab.lab.engines import ENGINES
from losslab.lab.engines.program import Examples, Program
from losslab.lab.network import Network
from losslab.lab.plan import DIVERGED_ABOVE, Job
from losslab.lab.split import Part, disturbed, split
from losslab.lab.streams import stream
from losslab.lab.tasks import Task, task_from

MOST_UNTRAINED = 10_000
"""Training examples on which the loss of the untrained network is measured."""

OnEpoch = Callable[[int], None]
History = dict[str, list[float | None]]


class Labelled(NamedTuple):
    """Examples as an engine takes them, and their labels as the data set has them."""

    examples: Examples
    labels: Any


class Judge(NamedTuple):
    """What a task makes of the outputs of a network under one loss."""

    task: Task
    loss: losslab.Loss

    def score(self, outputs: Any, labels: Any) -> float:
        """The measure that decides; NaN where it is undefined, and for outputs that are no numbers."""
        outputs = np.asarray(outputs)
        found = self.task.score(self.loss, (outputs, labels)) if np.isfinite(outputs).all() else None
        return math.nan if found is None else found


def run_trial(job: Job, on_epoch: OnEpoch = lambda epoch: None) -> dict[str, Any]:
    """Train and measure one job.

    Args:
        job: as `plan.jobs` makes them.
        on_epoch: called with the number of epochs done, after each; with 0 when all is imported and loaded.

    Returns:
        status ("ok" or "diverged"), history (per epoch: loss and score, which is the measure that decides, of the
        training examples while they are trained on, and of the validation examples after the epoch), val_score,
        seconds in all, epoch_seconds of each epoch's training; for final runs that did not diverge what
        `Task.measured` says of the test examples.
    """
    started = time.perf_counter()
    prepared = prepare(job)
    on_epoch(0)
    program, judge = prepared.program, prepared.judge
    parts = placed_split(prepared.spec, job["data"]["digest"], job["seed"], disturbance(job), program.place)
    train, validation = (_labelled(prepared, part) for part in parts[:2])
    state = program.initial(job["seed"], job["lr"])
    x, y = (values[:MOST_UNTRAINED] for values in train.examples)
    untrained = program.loss(program.outputs(state, x), y)
    state, history, seconds = _fit(program, state, train, validation, judge, job, on_epoch)

    def measured() -> dict[str, Any]:
        held, test = ((np.asarray(program.outputs(state, part.x)), part.y) for part in parts[1:])
        return judge.task.measured(judge.loss, held, test)

    return result(job, history, untrained, measured) | {
        "seconds": time.perf_counter() - started,
        "epoch_seconds": seconds,
    }


class Prepared(NamedTuple):
    """What a job is trained with, whatever its seed and rate."""

    spec: DataSpec
    dataset: Dataset
    judge: Judge
    program: Program


def prepare(job: Job) -> Prepared:
    """Return what a job is trained with. The next job of its loss gets the same program."""
    prefer(backend_of(job["engine"]))
    spec = spec_from(job["data"])
    loss, dataset = _loss(job), load(spec, job["data"]["digest"])
    judge = Judge(task_from(job["task"]), loss)
    network = Network(
        job["model"], dataset.x.shape[1:], judge.task.output(loss, dataset.labels), job["model_definition"]
    )
    program = _program(network, job["engine"], job["optimizer"], loss, job["definition"])
    return Prepared(spec, dataset, judge, program)


def result(job: Job, history: History, untrained: float, measured: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what is known of a run after its last epoch; a final run that did not diverge is measured."""
    status = "diverged" if _diverged(history, untrained, job["epochs"]) else "ok"
    found = {"status": status, "history": history, "val_score": history["val_score"][-1]}
    return found | (measured() if job["stage"] == "final" and status == "ok" else {})


def disturbance(job: Job) -> tuple[float, float]:
    """Return a job's noise and imbalance."""
    return job["noise"], job["imbalance"]


def _loss(job: Job) -> losslab.Loss:
    loss: losslab.Loss = own_loss.get(job["loss"])
    if "path" in job["loss"] and fingerprint.of(loss) != job["definition"]:
        raise own.edited(job["loss"]["path"])
    return loss


def _fit(
    program: Program, state: Any, train: Labelled, validation: Labelled, judge: Judge, job: Job, on_epoch: OnEpoch
) -> tuple[Any, History, list[float]]:
    history, seconds = new_history(), list[float]()
    order = stream(job["seed"], "order")
    for epoch in range(1, job["epochs"] + 1):
        rows = next_rows(order, len(train.labels), job["batch"])
        started = time.perf_counter()
        state, value, outputs = program.epoch(state, train.examples, rows)
        seconds.append(time.perf_counter() - started)  # `value` is a number: the epoch is over, even on a device
        fitted = (value, judge.score(outputs, train.labels[rows.ravel()]))
        add(history, *fitted, *_held(program, state, validation, judge))
        on_epoch(epoch)
        if history["loss"][-1] is None:
            break
    return state, history, seconds


def new_history() -> History:
    """Return the curves of a run that has not begun."""
    return {"loss": [], "score": [], "val_loss": [], "val_score": []}


def add(history: History, *numbers: float) -> None:
    """Add an epoch's numbers to the curves, in their order."""
    for name, number in zip(history, numbers, strict=True):
        history[name].append(_number(number))


def next_rows(order: np.random.Generator, examples: int, batch: int) -> Any:
    """Draw the order of an epoch: row numbers (steps, batch); an incomplete last batch is left out."""
    return order.permutation(examples)[: examples // batch * batch].reshape(-1, batch).astype(np.int32)


def _held(program: Program, state: Any, held: Labelled, judge: Judge) -> tuple[float, float]:
    """Return the loss and the score of examples that are not trained on."""
    outputs = program.outputs(state, held.examples.x)
    return program.loss(outputs, held.examples.y), judge.score(outputs, held.labels)


def _number(value: float) -> float | None:
    """Return a float that JSON can hold: None where it is not finite."""
    return value if math.isfinite(value) else None


def _diverged(history: History, untrained: float, epochs: int) -> bool:
    last = history["loss"][-1]
    if last is None or len(history["loss"]) < epochs:
        return True
    return last > untrained + DIVERGED_ABOVE * abs(untrained)


@functools.lru_cache(maxsize=64)
def _program(network: Network, engine: str, optimizer_name: str, loss: losslab.Loss, definition: str) -> Program:
    """Build the network and its compiled functions once for all seeds and rates of a loss.

    `definition` is only a key of the cache: a formula whose helper or constant was edited is compiled again.
    """
    return ENGINES[engine](network, optimizer_name, loss)


@functools.lru_cache(maxsize=1)
def placed_split(
    spec: DataSpec, digest: str, seed: int, disturbance: tuple[float, float], place: Callable[[Any], Any]
) -> tuple[Part, Part, Part]:
    """Return the seed's three parts with their inputs placed. Seed-major jobs ask for each seed once."""
    dataset = load(spec, digest)
    parts = disturbed(split(dataset, seed), len(dataset.labels.classes), *disturbance, seed)
    train, validation, test = (Part(place(part.x), part.y) for part in (parts.train, parts.validation, parts.test))
    return train, validation, test


def _labelled(prepared: Prepared, part: Part) -> Labelled:
    return Labelled(Examples(part.x, prepared.program.place(targets(prepared, part))), part.y)


def targets(prepared: Prepared, part: Part) -> Any:
    """Return the loss's y_true for a part's labels."""
    return prepared.judge.task.targets(prepared.judge.loss, part.y, prepared.dataset.labels)
