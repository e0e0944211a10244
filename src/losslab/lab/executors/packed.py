"""Jobs in packs: what another executor runs as one is several jobs of one loss, trained as one program."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Generator, Iterable

from losslab.lab.executors.protocol import Executor, Result, Trial, Watch
from losslab.lab.plan import Job


class Packed:
    """Runs packs where `within` runs jobs.

    Args:
        within: the executor that runs the packs.
        trial: (pack, what to call with the epochs done) -> {"status": "ok", "results": [...]}, for `pack["jobs"]`.
        most: how many jobs a pack holds.
    """

    def __init__(self, within: Executor, trial: Trial, most: int) -> None:
        self._within, self._trial, self._most = within, trial, most

    def run(self, jobs: Iterable[Job], watch: Watch) -> Generator[tuple[Job, Result]]:
        """Yield (job, result) as their packs finish; what ends a pack without results is the result of each."""
        together = defaultdict(list)
        for job in jobs:
            together[job["group"], job["stage"]].append(job)
        packs = [
            {"jobs": members[start : start + self._most]}
            for members in together.values()
            for start in range(0, len(members), self._most)
        ]
        with contextlib.closing(self._within.run(self._trial, packs, _Members(watch))) as finished:
            for pack, found in finished:
                results = found["results"] if found["status"] == "ok" else [found] * len(pack["jobs"])
                yield from zip(pack["jobs"], results, strict=True)


class _Members:
    """Tells of every job of a pack what is told of the pack."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def started(self, job: Job) -> None:
        for member in job["jobs"]:
            self._watch.started(member)

    def epoch(self, job: Job, done: int) -> None:
        for member in job["jobs"]:
            self._watch.epoch(member, done)

    def note(self, text: str) -> None:
        self._watch.note(text)
