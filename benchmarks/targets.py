"""The figures to reach, as data: what is compared, with what, and when it counts as reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

MIB = 2**20
Record = Mapping[str, Any]


class Target(Protocol):
    """A figure to reach; `against` is the contender in whose row it is shown, ours where it is None."""

    @property
    def against(self) -> str | None: ...

    @property
    def text(self) -> str: ...

    @property
    def speed(self) -> float | None:
        """The ratio of times to reach; None where it is something else."""

    def figure(self, measured: Record) -> float | None:
        """The figure in the record of a measured case; None if what it needs was not measured."""

    def reached(self, figure: float) -> bool: ...

    def shown(self, figure: float) -> str: ...


def ours(measured: Record) -> Record:
    return next(each for each in measured["contenders"] if each["role"] == "ours")


def named(measured: Record, name: str | None) -> Record:
    """The record of a contender, that of ours for None."""
    return ours(measured) if name is None else next(each for each in measured["contenders"] if each["name"] == name)


@dataclass(frozen=True)
class Speed:
    """How many times as fast as `against` ours is, by the median over the rounds."""

    against: str
    at_least: float

    @property
    def text(self) -> str:
        return f"≥ {self.at_least:g} × as fast" if self.at_least >= 1 else f"≥ {self.at_least:.0%} of its speed"

    @property
    def speed(self) -> float:
        return self.at_least

    def figure(self, measured: Record) -> float | None:
        ratio = named(measured, self.against)["ratio"]
        return ratio and float(ratio["median"])

    def reached(self, figure: float) -> bool:
        return figure >= self.at_least

    def shown(self, figure: float) -> str:
        return f"{figure:.2f} ×" if self.at_least >= 1 else f"{figure:.0%}"


@dataclass(frozen=True)
class Memory:
    """The memory that a call takes at its peak, the gradient included, in MiB."""

    at_most: float
    against: None = None
    speed: None = None

    @property
    def text(self) -> str:
        return f"≤ {self.at_most:g} MiB"

    def figure(self, measured: Record) -> float | None:
        extra = ours(measured)["extra_bytes"]
        return None if extra is None else float(extra / MIB)

    def reached(self, figure: float) -> bool:
        return figure <= self.at_most

    def shown(self, figure: float) -> str:
        return f"{figure:.0f} MiB"


@dataclass(frozen=True)
class MemoryShare:
    """The memory that a call takes at its peak, as a part of what `against` takes."""

    against: str
    at_most: float
    speed: None = None

    @property
    def text(self) -> str:
        return f"≤ {self.at_most:.0%} of its memory"

    def figure(self, measured: Record) -> float | None:
        mine, theirs = ours(measured)["extra_bytes"], named(measured, self.against)["extra_bytes"]
        return float(mine / theirs) if mine is not None and theirs else None

    def reached(self, figure: float) -> bool:
        return figure <= self.at_most

    def shown(self, figure: float) -> str:
        return f"{figure:.0%}"


@dataclass(frozen=True)
class Slope:
    """How something grows: the slope of its logarithm over that of the size, 1 for proportional."""

    of: str
    at_most: float
    against: None = None
    speed: None = None

    @property
    def text(self) -> str:
        return f"slope of {SLOPES[self.of]} ≤ {self.at_most:g}"

    def figure(self, measured: Record) -> float | None:
        slope = measured["slopes"][self.of]
        return None if slope is None else float(slope["median"])

    def reached(self, figure: float) -> bool:
        return figure <= self.at_most

    def shown(self, figure: float) -> str:
        return f"{figure:.2f}"


SLOPES = {"time": "time", "memory": "memory", "beyond": "memory beyond the gradients"}
