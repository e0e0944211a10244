"""Finished runs to numbers and sentences. Pure functions: nothing here reads, writes or draws.

Accuracies and differences are in percent and percentage points.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

CONFIDENCE = 0.95
# Differences smaller than this many points are of no practical interest (Benavoli et al. 2017 call it a ROPE).
BAND = 0.2
# With fewer pairs the sign-flip p cannot fall below 0.1, so no difference is called.
FEWEST_PAIRS = 5
MOST_PAIRS = 1000
MOST_ENUMERATED = 16

Record = Mapping[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """The paired difference of an arm to the baseline, over the seeds where neither diverged.

    Attributes:
        seeds: number of pairs.
        mean: mean difference.
        low: lower end of the paired-t interval; None below two pairs.
        high: upper end.
        p: exact two-sided sign-flip p; None below two pairs.
        verdict: "better", "worse", "practically equal", "not enough seeds" or "no interval".
        needed: about how many seeds would settle it, where the verdict is open.
    """

    seeds: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    verdict: str
    needed: int | None = None


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
class ArmResult:
    """One loss's results.

    Attributes:
        rate: the learning rate of the final runs; None if no tuning run succeeded.
        accuracies: test accuracy by seed, of the runs that did not diverge.
        counts: number of final runs that were planned, ok, diverged, error, and of tuning runs: tuning_error.
        contrast: to the baseline; None for the baseline itself and where no pair is complete.
        verdict: the contrast's, or "baseline", "no pair" (no seed succeeded in both), "no result".
        sentence: the verdict in words.
    """

    label: str
    rate: float | None
    tuning: tuple[TuningRow, ...]
    accuracies: dict[int, float]
    counts: dict[str, int]
    mean: float | None
    sd: float | None
    contrast: Contrast | None
    verdict: str
    sentence: str


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
    records = list(records)
    arms: list[ArmResult] = []
    for arm in config["arms"]:
        own = [record for record in records if record["group"] == arm["group"]]
        arms.append(_arm(arm["label"], own, config["protocol"], arms[0] if arms else None))
    mean = arms[0].mean
    noise = None if mean is None else math.sqrt(mean * (100 - mean) / config["data"]["test_examples"])
    return Summary(tuple(arms), noise)


def _arm(label: str, own: Sequence[Record], protocol: Record, baseline: ArmResult | None) -> ArmResult:
    tuning = tuning_rows(own)
    rate = protocol["shared_rate"] or best_rate(tuning)
    final = final_runs(own, rate, protocol["seeds"])
    accuracies = {r["seed"]: 100 * r["test_accuracy"] for r in final if r["status"] == "ok"}
    counts = _counts(own, final, protocol)
    values = list(accuracies.values())
    mean = float(np.mean(values)) if values else None
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    contrast = None if baseline is None else compare_pairs(baseline.accuracies, accuracies)
    verdict = (
        contrast.verdict if contrast else ("baseline" if baseline is None else "no pair") if values else "no result"
    )
    worked = rate is not None or not tuning
    sentence = _sentence(label, mean, counts, worked, baseline, contrast)
    return ArmResult(label, rate, tuning, accuracies, counts, mean, sd, contrast, verdict, sentence)


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


def compare_pairs(baseline: Mapping[int, float], other: Mapping[int, float]) -> Contrast | None:
    """Compare two arms over their common seeds; None where there is none."""
    seeds = sorted(baseline.keys() & other.keys())
    if not seeds:
        return None
    differences = np.array([other[seed] - baseline[seed] for seed in seeds])
    mean = float(differences.mean())
    if len(seeds) < 2:
        return Contrast(1, mean, None, None, None, "no interval", FEWEST_PAIRS)
    low, high = paired_interval(differences)
    verdict = _verdict(differences, low, high)
    needed = seeds_needed(mean, float(differences.std(ddof=1))) if verdict == "not enough seeds" else None
    return Contrast(len(seeds), mean, low, high, sign_flip_p(differences), verdict, needed)


def paired_interval(differences: Floats, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the paired-t interval of the mean of (n,) differences, n ≥ 2."""
    n = len(differences)
    half = stdtrit(n - 1, (1 + confidence) / 2) * differences.std(ddof=1) / math.sqrt(n)
    return float(differences.mean() - half), float(differences.mean() + half)


def sign_flip_p(differences: Floats) -> float:
    """Return the two-sided sign-flip p of (n,) differences: exact up to 16, from 2^16 drawn sign vectors beyond."""
    n = len(differences)
    if n <= MOST_ENUMERATED:
        signs = np.array(list(itertools.product((1, -1), repeat=n)))
    else:
        drawn = np.random.default_rng(0).choice((1, -1), size=(2**MOST_ENUMERATED - 1, n))
        signs = np.concatenate([np.ones((1, n), dtype=int), drawn])
    flipped, seen = np.abs(signs @ differences), abs(float(differences.sum()))
    return float(np.mean(flipped >= seen - 1e-9 * max(seen, 1.0)))


def _verdict(differences: Floats, low: float, high: float) -> str:
    if not differences.any():
        return "practically equal"
    if len(differences) < FEWEST_PAIRS:
        return "not enough seeds"
    if low >= -BAND and high <= BAND:
        return "practically equal"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not enough seeds"


def seeds_needed(mean: float, sd: float) -> int | None:
    """Return how many seeds would call this mean different, or equal, at this spread; None beyond 1000."""
    decisive = max(abs(mean), BAND - abs(mean))
    for n in range(FEWEST_PAIRS, MOST_PAIRS + 1):
        if stdtrit(n - 1, (1 + CONFIDENCE) / 2) * sd / math.sqrt(n) < decisive:
            return n
    return None


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
    interval = f"95 % interval {signed(contrast.low)} to {signed(contrast.high)}, {seeds}"
    if contrast.low == contrast.high == 0:
        return f"{label} and {baseline} are practically equal: the same accuracy on every one of {seeds}"
    if contrast.verdict in ("better", "worse"):
        return f"{label} is {contrast.verdict} than {baseline} by {abs(contrast.mean):.2f} points ({interval})"
    if contrast.verdict == "practically equal":
        return (
            f"{label} and {baseline} are practically equal: {signed(contrast.mean)} points ({interval}, within ±{BAND})"
        )
    needed = f"about {contrast.needed}" if contrast.needed else f"more than {MOST_PAIRS}"
    return (
        f"Not enough seeds to tell {label} from {baseline}: {signed(contrast.mean)} points ({interval}); "
        f"{needed} seeds would settle it"
    )


def signed(points: float) -> str:
    """Return +0.31 or -0.31, and never -0.00."""
    return f"{round(points, 2) + 0.0:+.2f}"


def _troubles(counts: Mapping[str, int]) -> str:
    planned = counts["planned"]
    missing = planned - counts["ok"] - counts["diverged"] - counts["error"]
    numbered = {"diverged": counts["diverged"], "failed": counts["error"], "not run": missing}
    told = [f"{word} {count}/{planned}" for word, count in numbered.items() if count]
    return ", ".join(told + ([f"failed in tuning {counts['tuning_error']}"] if counts["tuning_error"] else []))
