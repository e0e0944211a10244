"""Finished runs to numbers and sentences. Pure functions: nothing here reads, writes or draws.

Accuracies and differences are in percent and percentage points.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from losslab.lab.measures import ACCURACY, MEASURES, Measure
from losslab.lab.pairs import MOST_PAIRS, Contrast, contrasts, share_interval

Record = Mapping[str, Any]


@dataclass(frozen=True)
class TuningRow:
    """Validation accuracy at the last epoch for one learning rate; None for runs that diverged or failed."""

    rate: float
    accuracies: tuple[float | None, ...]

    @property
    def score(self) -> float:
        """Mean over the tuning seeds; a run that diverged counts 0."""
        return sum(value or 0.0 for value in self.accuracies) / len(self.accuracies)


@dataclass(frozen=True)
class Figure:
    """One measure of an arm.

    Attributes:
        values: by seed, of the final runs that did not diverge and have it.
        mean: over the seeds; None without any.
        sd: between seeds; None below two.
        contrast: to the baseline; None for the baseline itself and where no pair is complete.
    """

    values: dict[int, float]
    mean: float | None
    sd: float | None
    contrast: Contrast | None


@dataclass(frozen=True)
class ArmResult:
    """One loss's results.

    Attributes:
        rate: the learning rate of the final runs; None if no tuning run succeeded.
        counts: number of final runs that were planned, ok, diverged, error, and of tuning runs: tuning_error.
        figures: by the key of the measure.
        verdict: the accuracy's, or "baseline", "no pair" (no seed succeeded in both), "no result".
        sentence: the verdict in words.
    """

    label: str
    rate: float | None
    tuning: tuple[TuningRow, ...]
    counts: dict[str, int]
    figures: dict[str, Figure]
    verdict: str
    sentence: str

    @property
    def accuracy(self) -> Figure:
        """What the verdict is about."""
        return self.figures[ACCURACY.key]


@dataclass(frozen=True)
class Summary:
    """All arms of a comparison; the first is the baseline."""

    arms: tuple[ArmResult, ...]
    test_noise: float | None
    """Standard error of one accuracy that comes from the finite number of test examples."""

    @property
    def complete(self) -> bool:
        """Whether every planned final run succeeded and no tuning run failed (one that diverged is a result)."""
        return all(arm.counts["ok"] == arm.counts["planned"] and not arm.counts["tuning_error"] for arm in self.arms)


def summarize(config: Record, records: Iterable[Record]) -> Summary:
    """Return the summary of the runs that belong to `config` (as `config.json` holds it)."""
    records, protocol = list(records), config["protocol"]
    runs = [_runs([r for r in records if r["group"] == arm["group"]], protocol) for arm in config["arms"]]
    figures = {measure.key: _figures(measure, [each.final for each in runs]) for measure in MEASURES}
    arms: list[ArmResult] = []
    for place, (arm, each) in enumerate(zip(config["arms"], runs, strict=True)):
        own = {key: found[place] for key, found in figures.items()}
        arms.append(_arm(arm["label"], each, own, arms[0] if arms else None))
    mean = arms[0].accuracy.mean
    noise = None if mean is None else math.sqrt(mean * (100 - mean) / config["data"]["test_examples"])
    return Summary(tuple(arms), noise)


@dataclass(frozen=True)
class _Runs:
    """The runs of an arm that count."""

    rate: float | None
    tuning: tuple[TuningRow, ...]
    final: list[Record]
    counts: dict[str, int]


def _runs(own: Sequence[Record], protocol: Record) -> _Runs:
    tuning = tuning_rows(own)
    rate = protocol["shared_rate"] or best_rate(tuning)
    final = final_runs(own, rate, protocol["seeds"])
    return _Runs(rate, tuning, final, _counts(own, final, protocol))


def _figures(measure: Measure, arms: Sequence[Sequence[Record]]) -> list[Figure]:
    """The measure of every arm, each but the first compared with that."""
    found = [{r["seed"]: measure.of(r) for r in final if r["status"] == "ok"} for final in arms]
    values = [{seed: value for seed, value in each.items() if value is not None} for each in found]
    compared = contrasts(values[0], values[1:], measure.band, measure.higher_is_better)
    return [_figure(each, contrast) for each, contrast in zip(values, [None, *compared], strict=True)]


def _figure(values: dict[int, float], contrast: Contrast | None) -> Figure:
    numbers = list(values.values())
    mean = float(np.mean(numbers)) if numbers else None
    return Figure(values, mean, float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None, contrast)


def _arm(label: str, runs: _Runs, figures: dict[str, Figure], baseline: ArmResult | None) -> ArmResult:
    accuracy = figures[ACCURACY.key]
    contrast = accuracy.contrast
    verdict = contrast.verdict if contrast else "no result"
    if not contrast and accuracy.values:
        verdict = "baseline" if baseline is None else "no pair"
    worked = runs.rate is not None or not runs.tuning
    sentence = _sentence(label, accuracy.mean, runs.counts, worked, baseline, contrast)
    return ArmResult(label, runs.rate, runs.tuning, runs.counts, figures, verdict, sentence)


def _counts(own: Sequence[Record], final: Sequence[Record], protocol: Record) -> dict[str, int]:
    counts = {status: sum(record["status"] == status for record in final) for status in ("ok", "diverged", "error")}
    tuning = [] if protocol["shared_rate"] else [record for record in own if record["stage"] == "tune"]
    failed = sum(record["status"] == "error" for record in tuning)
    return {"planned": protocol["seeds"], **counts, "tuning_error": failed}


def tuning_rows(records: Iterable[Record]) -> tuple[TuningRow, ...]:
    """Return one row per learning rate, in increasing order."""
    found: dict[float, dict[int, float | None]] = {}
    for record in records:
        if record["stage"] == "tune":
            accuracy = 100 * record["val_accuracy"] if record["status"] == "ok" else None
            found.setdefault(record["lr"], {})[record["seed"]] = accuracy
    return tuple(TuningRow(rate, tuple(found[rate][seed] for seed in sorted(found[rate]))) for rate in sorted(found))


def best_rate(rows: Sequence[TuningRow]) -> float | None:
    """Return the rate with the best mean validation accuracy (the smallest of equals), None if no run succeeded."""
    best = max(rows, key=lambda row: row.score, default=None)
    return best.rate if best is not None and best.score > 0 else None


def final_runs(records: Iterable[Record], rate: float | None, seeds: int) -> list[Record]:
    """Return the final runs at the chosen rate, by seed."""
    wanted = [r for r in records if r["stage"] == "final" and r["lr"] == rate and r["seed"] < seeds]
    return sorted(wanted, key=lambda record: record["seed"])


def _sentence(
    label: str,
    mean: float | None,
    counts: Mapping[str, int],
    worked: bool,
    baseline: ArmResult | None,
    contrast: Contrast | None,
) -> str:
    troubles = _troubles(counts)
    if mean is None:
        return f"{label}: {troubles if worked else 'no learning rate worked in tuning'}."
    note = f" ({troubles})" if troubles else ""
    if baseline is None:
        return f"{label} is the baseline: {mean:.2f} % test accuracy{note}."
    if contrast is None:
        return f"{label} reaches {mean:.2f} % test accuracy; no seed to compare it on{note}."
    return f"{_contrast_words(label, baseline.label, contrast)}{note}."


def _contrast_words(label: str, baseline: str, contrast: Contrast) -> str:
    seeds = f"{contrast.seeds} seed{'s' if contrast.seeds > 1 else ''}"
    if contrast.low is None or contrast.high is None:
        return f"{label} minus {baseline}: {signed(contrast.mean)} points on {seeds}; no interval from one pair"
    interval = f"95 % interval {signed(contrast.low)} to {signed(contrast.high)}, p {contrast.p:.2g}, {seeds}"
    if contrast.low == contrast.high == 0:
        return f"{label} and {baseline} are practically equal: the same accuracy on every one of {seeds}"
    if contrast.verdict in ("better", "worse"):
        return f"{label} is {contrast.verdict} than {baseline} by {abs(contrast.mean):.2f} points ({interval})"
    if contrast.verdict == "practically equal":
        inside = f"{interval}, within ±{ACCURACY.band}"
        return f"{label} and {baseline} are practically equal: {signed(contrast.mean)} points ({inside})"
    needed = f"about {contrast.needed}" if contrast.needed else f"more than {MOST_PAIRS}"
    return (
        f"Not enough seeds to tell {label} from {baseline}: {signed(contrast.mean)} points ({interval}); "
        f"{needed} seeds would settle it"
    )


def signed(number: float, digits: int = 2) -> str:
    """Return +0.31 or -0.31, and never -0.00."""
    return f"{round(number, digits) + 0.0:+.{digits}f}"


def _troubles(counts: Mapping[str, int]) -> str:
    planned = counts["planned"]
    missing = planned - counts["ok"] - counts["diverged"] - counts["error"]
    numbered = {"diverged": counts["diverged"], "failed": counts["error"], "not run": missing}
    told = [f"{word} {count}/{planned}" for word, count in numbered.items() if count]
    if counts["diverged"]:
        low, high = share_interval(counts["diverged"], planned - missing)
        told[0] += f", 95 % interval {100 * low:.0f} to {100 * high:.0f} %"
    return ", ".join(told + ([f"failed in tuning {counts['tuning_error']}"] if counts["tuning_error"] else []))
