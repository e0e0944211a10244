"""Two arms compared over the seeds that they share. Pure functions of numbers.

A difference is what an arm has more than the baseline, seed by seed, in the units of the measure.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

CONFIDENCE = 0.95
# How surely as many seeds as are asked for settle it, if mean and spread are as they were seen.
POWER = 0.8
# With fewer pairs no difference is called.
FEWEST_PAIRS = 5
MOST_PAIRS = 1000
MOST_ENUMERATED = 16

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """The paired difference of an arm to the baseline, over the seeds where neither diverged.

    Attributes:
        seeds: number of pairs.
        mean: mean difference.
        low: lower end of the paired-t interval; None below two pairs.
        high: upper end.
        p: two-sided p of the paired t test, corrected for the number of contrasts; None below two pairs.
        p_sign_flip: exact two-sided sign-flip p, which assumes no distribution; not corrected.
        verdict: "better", "worse", "practically equal", "not enough seeds" or "no interval".
        needed: about how many seeds would settle it, where the verdict is open.
    """

    seeds: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    p_sign_flip: float | None
    verdict: str
    needed: int | None = None


@dataclass(frozen=True)
class Figure:
    """A measure of an arm, over its seeds.

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


def compared(values: Sequence[dict[int, float]], band: float, higher_is_better: bool = True) -> list[Figure]:
    """Return each arm's values, by seed, as a figure, each but the first compared with that, as `contrasts` does."""
    found = contrasts(values[0], values[1:], band, higher_is_better)
    return [_figure(each, contrast) for each, contrast in zip(values, [None, *found], strict=True)]


def _figure(values: dict[int, float], contrast: Contrast | None) -> Figure:
    numbers = list(values.values())
    mean = float(np.mean(numbers)) if numbers else None
    return Figure(values, mean, float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None, contrast)


def contrasts(
    baseline: Mapping[int, float], others: Sequence[Mapping[int, float]], band: float, higher_is_better: bool = True
) -> list[Contrast | None]:
    """Compare each of the others with the baseline; None where they share no seed.

    Args:
        baseline, others: the values of an arm, by seed.
        band: differences within ± this are of no practical interest (Benavoli et al. 2017 call it a ROPE).

    The p are corrected by Holm's step-down method (1979, Scandinavian Journal of Statistics 6:65): the chance that
    any difference is called that is none stays below 5 %.
    """
    differences = [_differences(baseline, other) for other in others]
    corrected = holm([paired_p(found) if len(found) > 1 else None for found in differences])
    family = sum(p is not None for p in corrected)
    found = [_contrast(each, p, band, family) for each, p in zip(differences, corrected, strict=True)]
    return [each if each is None or higher_is_better else _turned(each) for each in found]


def _differences(baseline: Mapping[int, float], other: Mapping[int, float]) -> Floats:
    return np.array([other[seed] - baseline[seed] for seed in sorted(baseline.keys() & other.keys())])


def _contrast(differences: Floats, p: float | None, band: float, family: int) -> Contrast | None:
    if not len(differences):
        return None
    mean = float(differences.mean())
    if p is None:
        return Contrast(1, mean, None, None, None, None, "no interval", FEWEST_PAIRS)
    low, high = paired_interval(differences)
    verdict = _verdict(differences, low, high, p, band)
    needed = None
    if verdict == "not enough seeds":
        needed = seeds_needed(mean, float(differences.std(ddof=1)), band, family)
    return Contrast(len(differences), mean, low, high, p, sign_flip_p(differences), verdict, needed)


def _turned(contrast: Contrast) -> Contrast:
    turned = {"better": "worse", "worse": "better"}
    return replace(contrast, verdict=turned.get(contrast.verdict, contrast.verdict))


def _verdict(differences: Floats, low: float, high: float, p: float, band: float) -> str:
    if not differences.any():
        return "practically equal"
    if len(differences) < FEWEST_PAIRS:
        return "not enough seeds"
    if low >= -band and high <= band:
        return "practically equal"
    if p >= 1 - CONFIDENCE:
        return "not enough seeds"
    return "better" if differences.mean() > 0 else "worse"


def paired_interval(differences: Floats, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the paired-t interval of the mean of (n,) differences, n ≥ 2."""
    n = len(differences)
    half = stdtrit(n - 1, (1 + confidence) / 2) * differences.std(ddof=1) / math.sqrt(n)
    return float(differences.mean() - half), float(differences.mean() + half)


def paired_p(differences: Floats) -> float:
    """Return the two-sided p of the paired t test of (n,) differences, n ≥ 2; 1 where all are 0."""
    if not differences.any():
        return 1.0
    n, sd = len(differences), float(differences.std(ddof=1))
    return float(2 * stdtr(n - 1, -abs(float(differences.mean())) * math.sqrt(n) / sd)) if sd else 0.0


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Return the p corrected by Holm's method, in their order; None stays None and is not counted.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    corrected, largest = list(p), 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        corrected[place] = largest
    return corrected


def sign_flip_p(differences: Floats) -> float:
    """Return the two-sided sign-flip p of (n,) differences: exact up to 16, from 2^16 drawn sign vectors beyond."""
    flipped, seen = np.abs(_signs(len(differences)) @ differences), abs(float(differences.sum()))
    return float(np.mean(flipped >= seen - 1e-9 * float(np.abs(differences).sum())))


@functools.lru_cache(maxsize=4)
def _signs(n: int) -> NDArray[np.int_]:
    if n <= MOST_ENUMERATED:
        return np.array(list(itertools.product((1, -1), repeat=n)))
    drawn = np.random.default_rng(0).choice((1, -1), size=(2**MOST_ENUMERATED - 1, n))
    return np.concatenate([np.ones((1, n), dtype=int), drawn])


def seeds_needed(mean: float, sd: float, band: float, family: int = 1) -> int | None:
    """Return how many seeds would call this mean different, or equal, four times in five; None beyond 1000.

    The quantile of the power is added to that of the test, as is usual (Lachin 1981, Controlled Clinical Trials 2:93).

    Args:
        family: the number of contrasts; a difference has to be so many times as unlikely, at worst.
    """
    for n in range(FEWEST_PAIRS, MOST_PAIRS + 1):
        error = sd / math.sqrt(n)
        differs = stdtrit(n - 1, 1 - (1 - CONFIDENCE) / 2 / family) + stdtrit(n - 1, POWER)
        equal = stdtrit(n - 1, (1 + CONFIDENCE) / 2) + stdtrit(n - 1, (1 + POWER) / 2)  # neither end may leave the band
        if differs * error < abs(mean) or equal * error < band - abs(mean):
            return n
    return None


def share_interval(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, count of `of` trials (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    from scipy.stats import binomtest  # half a second to import, for the few comparisons in which a run diverged

    found = binomtest(count, of).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)
