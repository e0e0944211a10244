"""A panel with one row for each arm, the baseline on top."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from losslab.lab.analysis import Summary
from losslab.lab.plots.style import FAINT, gid, wrapped


def figure_of_rows(summary: Summary) -> tuple[Figure, Axes]:
    """Return a figure with one panel, whose row i is named after arm i."""
    count = len(summary.arms)
    figure = Figure(figsize=(9.6, 1.0 + 0.5 * count), layout="constrained")
    axes = figure.subplots()
    axes.set_ylim(count - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_yticks(range(count), [wrapped(arm.label) for arm in summary.arms])
    for i, tick in enumerate(axes.get_yticklabels()):
        tick.set_gid(gid(i))
    return figure, axes


def empty_row(axes: Axes, arm: int, text: str, at: float | None = None) -> None:
    """Say why there is nothing in a row: in its middle, or `at` a place on the scale."""
    x, system = (0.5, axes.get_yaxis_transform()) if at is None else (at, axes.transData)
    look: dict[str, Any] = {"ha": "center", "va": "center", "color": FAINT, "fontsize": 8}
    axes.annotate(text, (x, arm), xycoords=system, gid=gid(arm), **look)
