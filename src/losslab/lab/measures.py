"""A measure: what final runs are compared by, the same for every loss, never a loss's own value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        key: its name in a run's record and in summary.json.
        title: its name in tables, with the unit after a comma.
        factor: what a record's number is multiplied by.
        band: differences within ± this are of no practical interest.
        digits: after the decimal point.
        relative: whether the band is a share of the baseline's mean, because the unit is the data's own.
    """

    key: str
    title: str
    factor: float
    higher_is_better: bool
    band: float
    digits: int
    relative: bool = False

    @property
    def name(self) -> str:
        """The title without the unit."""
        return self.title.partition(",")[0]

    @property
    def unit(self) -> str:
        """What follows a value: " %", or nothing."""
        return " %" if self.title.endswith("%") else ""

    @property
    def points(self) -> str:
        """What follows a difference: " points" of per cent, or nothing."""
        return " points" if self.unit else ""

    def of(self, record: Mapping[str, Any]) -> float | None:
        """The value of a finished final run; None where it has none, a loss on margins its NLL for instance."""
        value = record["measures"].get(self.key)
        return None if value is None else self.factor * value

    def band_around(self, baseline: float | None) -> float:
        """Half the width of what is practically equal to this mean."""
        return self.band * abs(baseline or 0.0) if self.relative else self.band
