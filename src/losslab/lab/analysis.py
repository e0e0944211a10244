"""Finished runs to numbers and sentences. Pure functions: nothing here reads, writes or draws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from losslab.lab.effort import Effort, efforts, target_of
from losslab.lab.measures import Measure
from losslab.lab.pairs import MOST_PAIRS, Contrast, Figure, compared, share_interval
from losslab.lab.plan import MOST_EXTENSIONS, neighbour
from losslab.lab.sensitivity import rates_near_best
from losslab.lab.tasks import task_from

Record = Mapping[str, Any]


@dataclass(frozen=True)
class TuningRow:
    """What the validation examples gave at the last epoch, for one learning rate.

    Attributes:
        rate: the learning rate.
        values: the measure that decides, by tuning seed; None where it is undefined, and for runs that did not succeed.
        losses: the loss, by tuning seed; None for runs that diverged or failed.
    """

    rate: float
    values: tuple[float | None, ...]
    losses: tuple[float | None, ...]

    @property
    def succeeded(self) -> int:
        """How many runs did not diverge or fail."""
        return sum(loss is not None for loss in self.losses)

    @property
    def mean(self) -> float | None:
        """Of the measure, over the runs that have it; None without any."""
        return _mean(self.values)

    @property
    def loss(self) -> float | None:
        """Mean loss over the runs that succeeded; None without any."""
        return _mean(self.losses)


def _mean(values: Iterable[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


@dataclass(frozen=True)
class ArmResult:
    """One loss's results.

    Attributes:
        rate: the learning rate of the final runs; None if no tuning run succeeded.
        rates: lowest and highest of those about as good as the best in tuning; None without tuning.
        counts: number of final runs that were planned, ok, diverged, error, and of tuning runs: tuning_error.
        figures: by the key of the measure; the first decides.
        verdict: the first figure's, or "baseline", "no pair" (no seed succeeded in both), "no result".
        sentence: the verdict in words.
        effort: what it takes to train with the loss.
    """

    label: str
    rate: float | None
    rates: tuple[float, float] | None
    tuning: tuple[TuningRow, ...]
    counts: dict[str, int]
    figures: dict[str, Figure]
    verdict: str
    sentence: str
    effort: Effort

    @property
    def deciding(self) -> Figure:
        """What the verdict is about."""
        return next(iter(self.figures.values()))


@dataclass(frozen=True)
class Summary:
    """All arms of a comparison; the first is the baseline.

    Attributes:
        measures: what the arms are compared by; the first decides.
        test_noise: standard error of one accuracy that comes from the finite number of test examples; None for other
            measures.
        target: the validation score that runs are timed to, as `effort.target_of` sets it; None without a curve.
    """

    arms: tuple[ArmResult, ...]
    measures: tuple[Measure, ...]
    test_noise: float | None
    target: float | None

    @property
    def decides(self) -> Measure:
        """The measure that the verdicts are about."""
        return self.measures[0]

    @property
    def complete(self) -> bool:
        """Whether every planned final run succeeded and no tuning run failed (one that diverged is a result)."""
        return all(arm.counts["ok"] == arm.counts["planned"] and not arm.counts["tuning_error"] for arm in self.arms)


def summarize(config: Record, records: Iterable[Record]) -> Summary:
    """Return the summary of the runs that belong to `config` (as `config.json` holds it)."""
    records, protocol, measures = list(records), config["protocol"], task_from(config["task"]).measures
    decides = measures[0]
    runs = [_runs([r for r in records if r["group"] == arm["group"]], protocol, decides) for arm in config["arms"]]
    figures = {measure.key: _figures(measure, [each.final for each in runs]) for measure in measures}
    target = target_of(runs[0].final, decides)
    taken = efforts([each.final for each in runs], target, protocol["epochs"], decides)
    arms: list[ArmResult] = []
    for place, (arm, each) in enumerate(zip(config["arms"], runs, strict=True)):
        own = {key: found[place] for key, found in figures.items()}
        arms.append(_arm(arm["label"], each, own, taken[place], arms[0] if arms else None, decides))
    noise = _test_noise(decides, arms[0].deciding.mean, config["data"]["test_examples"])
    return Summary(tuple(arms), measures, noise, target)


def _test_noise(decides: Measure, mean: float | None, examples: int) -> float | None:
    return math.sqrt(mean * (100 - mean) / examples) if decides.key == "accuracy" and mean is not None else None


@dataclass(frozen=True)
class _Runs:
    """The runs of an arm that count."""

    rate: float | None
    tuning: tuple[TuningRow, ...]
    final: list[Record]
    counts: dict[str, int]


def _runs(own: Sequence[Record], protocol: Record, decides: Measure) -> _Runs:
    tuning = tried(tuning_rows(own, decides), protocol["rates"], decides)
    rate = protocol["shared_rate"] or best_rate(tuning, decides)
    final = final_runs(own, rate, protocol["seeds"])
    return _Runs(rate, tuning, final, _counts(own, final, protocol))


def _figures(measure: Measure, arms: Sequence[Sequence[Record]]) -> list[Figure]:
    """The measure of every arm, each but the first compared with that."""
    found = [{r["seed"]: measure.of(r) for r in final if r["status"] == "ok"} for final in arms]
    values = [{seed: value for seed, value in each.items() if value is not None} for each in found]
    band = measure.band_around(float(np.mean(list(values[0].values()))) if values[0] else None)
    return compared(values, band, measure.higher_is_better)


def _arm(
    label: str,
    runs: _Runs,
    figures: dict[str, Figure],
    effort: Effort,
    baseline: ArmResult | None,
    decides: Measure,
) -> ArmResult:
    deciding = figures[decides.key]
    contrast = deciding.contrast
    verdict = contrast.verdict if contrast else "no result"
    if not contrast and deciding.values:
        verdict = "baseline" if baseline is None else "no pair"
    worked = runs.rate is not None or not runs.tuning
    sentence = _sentence(label, deciding, runs.counts, worked, baseline, decides)
    rates = rates_near_best(_means(runs.tuning), decides)
    return ArmResult(label, runs.rate, rates, runs.tuning, runs.counts, figures, verdict, sentence, effort)


def _counts(own: Sequence[Record], final: Sequence[Record], protocol: Record) -> dict[str, int]:
    counts = {status: sum(record["status"] == status for record in final) for status in ("ok", "diverged", "error")}
    tuning = [] if protocol["shared_rate"] else [record for record in own if record["stage"] == "tune"]
    failed = sum(record["status"] == "error" for record in tuning)
    return {"planned": protocol["seeds"], **counts, "tuning_error": failed}


def tuning_rows(records: Iterable[Record], decides: Measure) -> tuple[TuningRow, ...]:
    """Return one row per learning rate, in increasing order."""
    found: dict[float, dict[int, tuple[float | None, float | None]]] = {}
    for record in records:
        if record["stage"] == "tune":
            ok = record["status"] == "ok"
            score, loss = (record["val_score"], record["history"]["val_loss"][-1]) if ok else (None, None)
            value = None if score is None else decides.factor * score
            found.setdefault(record["lr"], {})[record["seed"]] = value, loss
    return tuple(_row(rate, [found[rate][seed] for seed in sorted(found[rate])]) for rate in sorted(found))


def _row(rate: float, found: Sequence[tuple[float | None, float | None]]) -> TuningRow:
    return TuningRow(rate, tuple(value for value, _ in found), tuple(loss for _, loss in found))


def tried(rows: Sequence[TuningRow], grid: Sequence[float], decides: Measure) -> tuple[TuningRow, ...]:
    """Return the rows of a grid and of what extended it, and not of another grid that was tried in the same folder."""
    rates = list(grid)
    for _ in range(MOST_EXTENSIONS):
        best = best_rate([row for row in rows if row.rate in rates], decides)
        further = None if best is None else neighbour(rates, best)
        rates += [] if further is None else [further]
    return tuple(row for row in rows if row.rate in rates)


def best_rate(rows: Sequence[TuningRow], decides: Measure) -> float | None:
    """Return the rate of the best mean among those with the most runs that succeeded; None if no run did.

    Of equal ones that with the lowest validation loss, which is one loss's own here: so too where the measure is
    undefined, as where validation examples have but one class.
    """
    sign = 1 if decides.higher_is_better else -1

    def merit(row: TuningRow) -> tuple[float, float]:
        mean, loss = row.mean, row.loss
        return -math.inf if mean is None else sign * mean, -math.inf if loss is None else -loss

    found = max(_sound(rows), key=merit, default=None)
    return None if found is None else found.rate


def _sound(rows: Sequence[TuningRow]) -> list[TuningRow]:
    """The rates at which the most runs succeeded."""
    most = max((row.succeeded for row in rows), default=0)
    return [row for row in rows if row.succeeded == most > 0]


def _means(rows: Sequence[TuningRow]) -> dict[float, float]:
    return {row.rate: row.mean for row in _sound(rows) if row.mean is not None}


def final_runs(records: Iterable[Record], rate: float | None, seeds: int) -> list[Record]:
    """Return the final runs at the chosen rate, by seed."""
    wanted = [r for r in records if r["stage"] == "final" and r["lr"] == rate and r["seed"] < seeds]
    return sorted(wanted, key=lambda record: record["seed"])


def _sentence(
    label: str,
    deciding: Figure,
    counts: Mapping[str, int],
    worked: bool,
    baseline: ArmResult | None,
    decides: Measure,
) -> str:
    troubles = _troubles(counts)
    if deciding.mean is None:
        return f"{label}: {troubles if worked else 'no learning rate worked in tuning'}."
    note = f" ({troubles})" if troubles else ""
    reached = f"{deciding.mean:.{decides.digits}f}{decides.unit} test {decides.name}"
    if baseline is None:
        return f"{label} is the baseline: {reached}{note}."
    if deciding.contrast is None:
        return f"{label} reaches {reached}; no seed to compare it on{note}."
    band = decides.band_around(baseline.deciding.mean)
    return f"{_contrast_words(label, baseline.label, deciding.contrast, decides, band)}{note}."


def _contrast_words(label: str, baseline: str, contrast: Contrast, decides: Measure, band: float) -> str:
    digits, seeds = decides.digits, f"{contrast.seeds} seed{'s' if contrast.seeds > 1 else ''}"
    difference = f"{signed(contrast.mean, digits)}{decides.points}"
    if contrast.low is None or contrast.high is None:
        return f"{label} minus {baseline}: {difference} on {seeds}; no interval from one pair"
    ends = f"{signed(contrast.low, digits)} to {signed(contrast.high, digits)}"
    interval = f"95 % interval {ends}, p {contrast.p:.2g}, {seeds}"
    if contrast.low == contrast.high == 0:
        return f"{label} and {baseline} are practically equal: the same {decides.name} on every one of {seeds}"
    if contrast.verdict in ("better", "worse"):
        by = f"{abs(contrast.mean):.{digits}f}{decides.points}"
        return f"{label} is {contrast.verdict} than {baseline} by {by} ({interval})"
    if contrast.verdict == "practically equal":
        return f"{label} and {baseline} are practically equal: {difference} ({interval}, within ±{band:.3g})"
    needed = f"about {contrast.needed}" if contrast.needed else f"more than {MOST_PAIRS}"
    return (
        f"Not enough seeds to tell {label} from {baseline}: {difference} ({interval}); {needed} seeds would settle it"
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
