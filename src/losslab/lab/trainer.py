"""One job to one result: a network trained with one loss, at one learning rate, from one seed."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
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
        """The measure that decides; NaN for outputs that are no numbers."""
        outputs = np.asarray(outputs)
        return self.task.score(self.loss, (outputs, labels)) if np.isfinite(outputs).all() else math.nan


def run_trial(job: Job, on_epoch: OnEpoch = lambda epoch: None) -> dict[str, Any]:
    """Train and measure one job.

    Args:
        job: as `plan.jobs` makes them.
        on_epoch: called with the number of epochs done, after each.

    Returns:
        status ("ok" or "diverged"), history (per epoch: loss and score, which is the measure that decides, of the
        training examples while they are trained on, and of the validation examples after the epoch), val_score,
        seconds in all, epoch_seconds of each epoch's training; for final runs that did not diverge what
        `Task.measured` says of the test examples.
    """
    started = time.perf_counter()
    prefer(backend_of(job["engine"]))
    spec = spec_from(job["data"])
    digest = job["data"]["digest"]
    loss, dataset = _loss(job), load(spec, digest)
    judge = Judge(task_from(job["task"]), loss)
    network = Network(
        job["model"], dataset.x.shape[1:], judge.task.output(loss, dataset.labels), job["model_definition"]
    )
    program = _program(network, job["engine"], job["optimizer"], loss, job["definition"])
    parts = _placed_split(spec, digest, job["seed"], (job["noise"], job["imbalance"]), program.place)
    train, validation = (_labelled(program, judge, part, dataset) for part in parts[:2])
    state = program.initial(job["seed"], job["lr"])
    untrained = program.loss(program.outputs(state, validation.examples.x), validation.examples.y)
    state, history, seconds = _fit(program, state, train, validation, judge, job, on_epoch)
    status = "diverged" if _diverged(history, untrained, job["epochs"]) else "ok"
    final = job["stage"] == "final" and status == "ok"
    return {
        "status": status,
        "history": history,
        "val_score": history["val_score"][-1],
        "seconds": time.perf_counter() - started,
        "epoch_seconds": seconds,
    } | (_measured(program, state, judge, parts[1:]) if final else {})


def _loss(job: Job) -> losslab.Loss:
    loss: losslab.Loss = own_loss.get(job["loss"])
    if "path" in job["loss"] and fingerprint.of(loss) != job["definition"]:
        raise own.edited(job["loss"]["path"])
    return loss


def _measured(program: Program, state: Any, judge: Judge, parts: Sequence[Part]) -> dict[str, Any]:
    """What there is to say of the test examples, from one pass over them and one over the validation examples."""
    validation, test = ((np.asarray(program.outputs(state, part.x)), part.y) for part in parts)
    return judge.task.measured(judge.loss, validation, test)


def _fit(
    program: Program, state: Any, train: Labelled, validation: Labelled, judge: Judge, job: Job, on_epoch: OnEpoch
) -> tuple[Any, History, list[float]]:
    history: History = {"loss": [], "score": [], "val_loss": [], "val_score": []}
    seconds: list[float] = []
    order = stream(job["seed"], "order")
    batch, examples = job["batch"], len(train.labels)
    for epoch in range(1, job["epochs"] + 1):
        rows = order.permutation(examples)[: examples // batch * batch].reshape(-1, batch).astype(np.int32)
        started = time.perf_counter()
        state, value, outputs = program.epoch(state, train.examples, rows)
        seconds.append(time.perf_counter() - started)  # `value` is a number: the epoch is over, even on a device
        fitted = (value, judge.score(outputs, train.labels[rows.ravel()]))
        for name, number in zip(history, (*fitted, *_held(program, state, validation, judge)), strict=True):
            history[name].append(_number(number))
        on_epoch(epoch)
        if history["loss"][-1] is None:
            break
    return state, history, seconds


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
def _placed_split(
    spec: DataSpec, digest: str, seed: int, disturbance: tuple[float, float], place: Callable[[Any], Any]
) -> tuple[Part, Part, Part]:
    """Return the seed's three parts with their inputs placed. Seed-major jobs ask for each seed once."""
    dataset = load(spec, digest)
    parts = disturbed(split(dataset, seed), len(dataset.labels.classes), *disturbance, seed)
    train, validation, test = (Part(place(part.x), part.y) for part in (parts.train, parts.validation, parts.test))
    return train, validation, test


def _labelled(program: Program, judge: Judge, part: Part, dataset: Dataset) -> Labelled:
    y = judge.task.targets(judge.loss, part.y, dataset.labels)
    return Labelled(Examples(part.x, program.place(y)), part.y)
