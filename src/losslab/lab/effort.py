"""What it takes to train with a loss: how many epochs to a target, and how long an epoch lasts.

A run that never reaches the target is counted with all its epochs, not dropped. Every run is followed equally long, so
the Kaplan-Meier estimate is the plain share of the runs, and its restricted mean is the mean of these counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from losslab.lab.measures import Measure
from losslab.lab.pairs import Figure, compared

Record = Mapping[str, Any]

BAND = 1.0
"""In epochs: an epoch more or less is of no practical interest."""


@dataclass(frozen=True)
class Cost:
    """How long an epoch's training takes.

    Attributes:
        seconds: median over the final runs of each run's median epoch, so that compilation, which the first epoch of a
            process pays, does not count; None where it was not recorded.
        ratio: to the baseline's.
    """

    seconds: float | None
    ratio: float | None


@dataclass(frozen=True)
class Effort:
    """What it takes to train with a loss.

    Attributes:
        reached: the first epoch whose validation score is as good as the target, by seed, of the final runs that ended
            well or diverged; None for one that never gets there.
        epochs: the same in numbers, with all epochs for a run that never gets there; compared with the baseline.
        cost: of an epoch.
    """

    reached: dict[int, int | None]
    epochs: Figure
    cost: Cost


def target_of(baseline: Sequence[Record], decides: Measure) -> float | None:
    """Return the baseline's mean validation score after the last epoch, less what may be luck.

    That is the standard deviation between its final runs, and at least the band of practical equality. None without a
    run, or with a single epoch.
    """
    curves = [_curve(record, decides) for record in baseline if record["status"] == "ok"]
    if not curves or len(curves[0]) < 2:
        return None
    last = np.array([curve[-1] for curve in curves])
    luck = max(float(last.std(ddof=1)) if len(last) > 1 else 0.0, decides.band_around(float(last.mean())))
    mean = float(last.mean())
    found = max(mean - luck, min(mean, 0.0)) if decides.higher_is_better else mean + luck
    return found if np.isfinite(found) else None


def efforts(arms: Sequence[Sequence[Record]], target: float | None, epochs: int, decides: Measure) -> list[Effort]:
    """Return the effort of every arm, the baseline first, from its final runs."""
    reached = [{} if target is None else _reached(final, target, decides) for final in arms]
    counted = [{seed: float(epoch or epochs) for seed, epoch in each.items()} for each in reached]
    figures = compared(counted, BAND, higher_is_better=False)
    return [Effort(*each) for each in zip(reached, figures, _costs(arms), strict=True)]


def _reached(final: Sequence[Record], target: float, decides: Measure) -> dict[int, int | None]:
    ended = {record["seed"]: record for record in final if record["status"] in ("ok", "diverged")}
    return {seed: _first_epoch(record, target, decides) for seed, record in ended.items()}


def _first_epoch(record: Record, target: float, decides: Measure) -> int | None:
    if record["status"] == "diverged":
        return None
    curve = _curve(record, decides)
    good = curve >= target if decides.higher_is_better else curve <= target
    return int(good.argmax()) + 1 if good.any() else None


def _curve(record: Record, decides: Measure) -> Any:
    return decides.factor * np.array(record["history"]["val_score"], dtype=float)


def _costs(arms: Sequence[Sequence[Record]]) -> list[Cost]:
    seconds = [_seconds(final) for final in arms]
    return [Cost(each, each / seconds[0] if each and seconds[0] else None) for each in seconds]


def _seconds(final: Sequence[Record]) -> float | None:
    timed = [record["epoch_seconds"] for record in final if record["status"] == "ok" and "epoch_seconds" in record]
    return statistics.median(map(statistics.median, timed)) if timed else None
