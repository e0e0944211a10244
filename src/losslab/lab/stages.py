"""The two stages of a comparison, tuning and final runs, against a store."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from losslab.lab import analysis, plan
from losslab.lab.executors import Executor
from losslab.lab.executors.packed import Packed
from losslab.lab.executors.protocol import Result
from losslab.lab.pack import run_pack
from losslab.lab.plan import Arm, Protocol
from losslab.lab.progress import Silent
from losslab.lab.sinks import Mirrors
from losslab.lab.store import Store
from losslab.lab.tasks import Task
from losslab.lab.trainer import run_trial

Rates = Sequence[tuple[Arm, float]]


@dataclass(frozen=True)
class Session:
    """Where the runs go and how they are trained, on which data for which task, who shows, runs and mirrors them."""

    store: Store
    protocol: Protocol
    job_data: dict[str, Any]
    task: Task
    display: Silent
    executor: Executor
    mirrors: Mirrors

    def run(self, arms: Sequence[Arm]) -> bool:
        """Run what is not yet in the store. Return whether Ctrl-C stopped it."""
        if self.store.torn:
            self.display.note("the last line of runs.jsonl was unfinished and was dropped; that run is repeated")
        try:
            self._execute("final", self._rates(arms), self.protocol.final_seed_list)
        except KeyboardInterrupt:
            self.display.note("interrupted: writing the report of the finished runs; the same command resumes")
            return True
        return False

    def _rates(self, arms: Sequence[Arm]) -> Rates:
        """Return each arm's learning rate; an arm for which none worked is left out."""
        if self.protocol.shared_rate is not None:
            return [(arm, self.protocol.shared_rate) for arm in arms]
        tried: dict[str, list[float]] = {arm.label: [] for arm in arms}
        wanted: Rates = [(arm, rate) for rate in self.protocol.rates for arm in arms]
        for _ in range(1 + plan.MOST_EXTENSIONS):
            self._execute("tune", wanted, self.protocol.tuning_seed_list)
            for arm, rate in wanted:
                tried[arm.label].append(rate)
            further = [(arm, self._beyond(arm, tried[arm.label])) for arm in arms]
            wanted = [(arm, rate) for arm, rate in further if rate is not None]
            if not wanted:
                break
        best = [(arm, self._best(arm, tried[arm.label])) for arm in arms]
        return [(arm, rate) for arm, rate in best if rate is not None]

    def _best(self, arm: Arm, tried: Iterable[float]) -> float | None:
        group = plan.group_of(arm, self.protocol, self.task.describe(), self.job_data["digest"])
        decides = self.task.decides
        own = [r for r in self.store.records.values() if r["group"] == group and r["lr"] in tried]
        return analysis.best_rate(analysis.tuning_rows(own, decides), decides)

    def _beyond(self, arm: Arm, tried: Sequence[float]) -> float | None:
        """Return the rate to try next when the best so far is an end of the grid."""
        best = self._best(arm, tried)
        return None if best is None else plan.neighbour(tried, best)

    def _execute(self, stage: str, rates: Rates, seeds: Iterable[int]) -> None:
        jobs = plan.jobs(stage, rates, seeds, self.protocol, self.task.describe(), self.job_data)
        pending = [job for job in jobs if not self.store.settled(job["id"])]
        self.display.note(f"{stage}: {len(jobs)} runs, {len(jobs) - len(pending)} already there")
        self.display.expect(len(pending))
        for job in jobs:
            self._mirror(job)
        with contextlib.closing(self._runs(pending)) as finished:
            for job, result in finished:
                self.store.append(job | result)
                self.display.finished(job, result)
                self._mirror(job)

    def _mirror(self, job: plan.Job) -> None:
        """Hand a run that is settled to the sinks."""
        if self.store.settled(job["id"]):
            self.mirrors.write(self.store.records[job["id"]])

    def _runs(self, jobs: list[plan.Job]) -> Generator[tuple[plan.Job, Result]]:
        """Run the jobs one by one, or in packs where the engine trains several at once."""
        if self.protocol.engine == "vmap":
            return Packed(self.executor, run_pack, plan.MOST_IN_A_PACK).run(jobs, self.display)
        return self.executor.run(run_trial, jobs, self.display)
