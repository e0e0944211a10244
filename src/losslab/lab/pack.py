"""Several jobs of one loss to their results, trained together: those of `trainer.run_trial`, but for rounding."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from losslab.lab import trainer
from losslab.lab.engines.program import Examples
from losslab.lab.plan import Job
from losslab.lab.split import Part
from losslab.lab.streams import stream

Parts = tuple[Part, Part, Part]


def run_pack(pack: Job, on_epoch: Callable[[int], None] = lambda epoch: None) -> dict[str, Any]:
    """Train and measure the jobs in `pack["jobs"]`, all of one loss and one stage.

    Returns:
        status "ok", and the results in the order of the jobs. The seconds of all are shared among them.
    """
    jobs = pack["jobs"]
    prepared = trainer.prepare(jobs[0])
    on_epoch(0)
    parts = {job["seed"]: _parts(prepared, job) for job in jobs}
    alike = defaultdict(list)  # rarely more than one group: a seed may hold a whole week more
    for job in jobs:
        alike[tuple(len(part.y) for part in parts[job["seed"]])].append(job)
    found: dict[str, Any] = {}
    for members in alike.values():
        results = _Together(prepared, members, parts).train(on_epoch)
        found |= {job["id"]: result for job, result in zip(members, results, strict=True)}
    return {"status": "ok", "results": [found[job["id"]] for job in jobs]}


def _parts(prepared: trainer.Prepared, job: Job) -> Parts:
    return trainer.placed_split(prepared.spec, job["data"]["digest"], job["seed"], trainer.disturbance(job), np.asarray)


class _Held(NamedTuple):
    """Inputs and labels of every seed, on the device, and the labels as the data set has them."""

    x: Any
    y: Any
    labels: list[Any]


class _Together:
    """Jobs whose seeds have equally many examples; a member is a job's place in the program."""

    def __init__(self, prepared: trainer.Prepared, jobs: Sequence[Job], parts: dict[int, Parts]) -> None:
        self._program: Any = prepared.program
        self._judge, self._jobs = prepared.judge, jobs
        seeds = list(dict.fromkeys(job["seed"] for job in jobs))
        self._of = np.array([seeds.index(job["seed"]) for job in jobs])
        self._orders = [stream(seed, "order") for seed in seeds]
        self._train, self._validation, self._test = (
            self._stacked(prepared, [parts[seed][place] for seed in seeds]) for place in range(3)
        )
        # One seed's examples after the other's, and where each member's begin, for its rows (steps, batch).
        self._examples = Examples(*(values.reshape(-1, *values.shape[2:]) for values in self._train[:2]))
        self._first = (self._of * len(self._train.labels[0])).astype(np.int32)[:, None, None]

    def train(self, on_epoch: Callable[[int], None]) -> list[dict[str, Any]]:
        """Return the members' results."""
        started = time.perf_counter()
        state = self._program.initials([job["seed"] for job in self._jobs], [job["lr"] for job in self._jobs])
        untrained = self._applied(state, self._train, trainer.MOST_UNTRAINED)[1]
        histories, seconds = [trainer.new_history() for _ in self._jobs], list[float]()
        for epoch in range(1, self._jobs[0]["epochs"] + 1):
            state = self._epoch(state, histories, seconds)
            on_epoch(epoch)
            if all(map(_ended, histories)):
                break
        results = self._results(state, histories, untrained)
        spent = (time.perf_counter() - started) / len(results)
        return [
            each | {"seconds": spent, "epoch_seconds": seconds[: len(history["loss"])]}
            for each, history in zip(results, histories, strict=True)
        ]

    def _epoch(self, state: Any, histories: list[trainer.History], seconds: list[float]) -> Any:
        """Train an epoch and add it to the curves of the members that still have numbers."""
        batch, examples = self._jobs[0]["batch"], len(self._train.labels[0])
        drawn = [trainer.next_rows(order, examples, batch) for order in self._orders]
        rows = np.stack([drawn[seed] for seed in self._of])
        started = time.perf_counter()
        state, losses, outputs = self._program.epochs(state, self._examples, rows + self._first)
        losses, outputs = np.asarray(losses), np.asarray(outputs)
        seconds.append((time.perf_counter() - started) / len(self._jobs))
        held, held_losses = self._applied(state, self._validation)
        for member, history in enumerate(histories):
            if not _ended(history):
                seed = self._of[member]
                fitted = self._judge.score(outputs[member], self._train.labels[seed][rows[member].ravel()])
                score = self._judge.score(held[member], self._validation.labels[seed])
                trainer.add(history, float(losses[member]), fitted, float(held_losses[member]), score)
        return state

    def _applied(self, state: Any, part: _Held, most: int | None = None) -> tuple[Any, Any]:
        """Return the members' outputs and losses for a part's first examples, at most so many."""
        outputs = self._program.predictions(state, part.x[:, :most], self._of)
        return np.asarray(outputs), np.asarray(self._program.losses(outputs, part.y[:, :most], self._of))

    def _results(self, state: Any, histories: list[trainer.History], untrained: Any) -> list[dict[str, Any]]:
        final = self._jobs[0]["stage"] == "final"
        outputs = [
            np.asarray(self._program.predictions(state, part.x, self._of)) if final else None
            for part in (self._validation, self._test)
        ]
        return [
            trainer.result(job, histories[member], float(untrained[member]), partial(self._measured, outputs, member))
            for member, job in enumerate(self._jobs)
        ]

    def _measured(self, outputs: list[Any], member: int) -> dict[str, Any]:
        held, test = (
            (found[member], part.labels[self._of[member]])
            for found, part in zip(outputs, (self._validation, self._test), strict=True)
        )
        return self._judge.task.measured(self._judge.loss, held, test)

    def _stacked(self, prepared: trainer.Prepared, parts: list[Part]) -> _Held:
        x, y = np.stack([part.x for part in parts]), np.stack([trainer.targets(prepared, part) for part in parts])
        return _Held(self._program.place(x), self._program.place(y), [part.y for part in parts])


def _ended(history: trainer.History) -> bool:
    """Tell whether the last loss is no number: such a run goes no further."""
    return bool(history["loss"]) and history["loss"][-1] is None
