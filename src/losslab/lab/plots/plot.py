"""What a figure is made from, and what it is: a table, its picture, and where in the picture each row lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from losslab.lab.analysis import Summary


class Found(NamedTuple):
    """The summary, every arm's final runs that did not diverge, and the names of the classes, if there are any."""

    summary: Summary
    runs: Sequence[Sequence[Mapping[str, Any]]]
    classes: Sequence[str]


class Mark(NamedTuple):
    """Rows of a table, by number, at the data coordinates of a panel."""

    axes: Axes
    rows: Sequence[int]
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Plot:
    """A figure.

    Attributes:
        table: what it shows, all of it. The column "loss" names the arm.
        figure: the picture. What belongs to arm i alone has `style.gid(i)`, so that a page can hide it.
        marks: where the rows of the table lie in the picture.
    """

    table: pd.DataFrame
    figure: Figure
    marks: list[Mark] = field(default_factory=list)

    def mark(self, axes: Axes, rows: pd.DataFrame, x: str | Sequence[float], y: str | Sequence[float]) -> None:
        """Say that these rows of the table lie at x and y, each a column or as many numbers."""
        places = [list(rows[values] if isinstance(values, str) else values) for values in (x, y)]
        self.marks.append(Mark(axes, list(rows.index), *places))
