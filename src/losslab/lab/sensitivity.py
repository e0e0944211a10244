"""How exactly a loss wants its learning rate: the range of rates that are about as good as the best."""

from __future__ import annotations

from collections.abc import Mapping

from losslab.lab.measures import Measure

TOLERANCE = 1.0
"""In points of per cent, or in per cent of the best where the unit is the data's own."""


def words(decides: Measure) -> str:
    """Say how near to the best is near enough."""
    return f"{TOLERANCE:g} point" if decides.points else f"{TOLERANCE:g} %"


def rates_near_best(means: Mapping[float, float], decides: Measure) -> tuple[float, float] | None:
    """Return the ends of the unbroken range of tried rates around the best one whose means are near the best.

    Args:
        means: of the measure that decides, by learning rate.

    >>> accuracy = Measure("accuracy", "accuracy, %", 100, True, 0.2, 2)
    >>> rates_near_best({0.001: 96.5, 0.01: 97.0, 0.1: 90.0, 1.0: 96.9}, accuracy)
    (0.001, 0.01)
    """
    if not means:
        return None
    ladder, sign = sorted(means), 1 if decides.higher_is_better else -1
    best = max(ladder, key=lambda rate: sign * means[rate])
    least = sign * means[best] - (TOLERANCE if decides.points else TOLERANCE / 100 * abs(means[best]))
    low = high = ladder.index(best)
    while low > 0 and sign * means[ladder[low - 1]] >= least:
        low -= 1
    while high + 1 < len(ladder) and sign * means[ladder[high + 1]] >= least:
        high += 1
    return ladder[low], ladder[high]
