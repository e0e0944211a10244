"""Accuracy over confidence, before and after temperature scaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from losslab.lab.analysis import Summary
from losslab.lab.calibration import BINS
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.style import FAINT, PANELS_A_ROW, colour, gid, wrapped

_NAMES = {"after": "after scaling", "before": "as predicted"}
_LOOKS = {"after scaling": ("--", 0.45), "as predicted": ("-", 0.9)}
_COLUMNS = ["loss", "probabilities", "confidence, %", "accuracy, %", "examples", "share, %"]


def table(found: Found) -> pd.DataFrame:
    """Return a row for each arm and bin of confidence, all final runs together."""
    arms = zip(found.summary.arms, found.runs, strict=True)
    return pd.DataFrame([(arm.label, *row) for arm, runs in arms for row in _rows(runs)], columns=_COLUMNS)


def _rows(runs: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for key, name in _NAMES.items():
        bins = [row for run in runs for row in run.get("bins", {}).get(key) or []]
        merged = _merged(np.array(bins).reshape(-1, 3))
        total = sum(count for count, _, _ in merged)
        found += [(name, 100 * sure, 100 * right, int(count), 100 * count / total) for count, sure, right in merged]
    return found


def _merged(rows: NDArray[np.float64]) -> list[tuple[float, ...]]:
    """The bins (count, confidence, accuracy) of several runs as one set of bins."""
    places = np.ceil(rows[:, 1] * BINS)
    merged = [rows[places == place] for place in np.unique(places)]
    return [(part[:, 0].sum(), *np.average(part[:, 1:], axis=0, weights=part[:, 0])) for part in merged]


def draw(table: pd.DataFrame, summary: Summary) -> Plot:
    """Draw a panel for each arm."""
    labels = [arm.label for arm in summary.arms]
    shown = [i for i, label in enumerate(labels) if (table.loss == label).any()]
    figure, panels = _panels(len(shown))
    plot = Plot(table, figure)
    for i, axes in zip(shown, panels, strict=True):
        _panel(plot, axes, table[table.loss == labels[i]], colour(i))
        axes.set_title(wrapped(labels[i]), color=colour(i))
        axes.set_gid(gid(i))
    return plot


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    columns = min(count, PANELS_A_ROW)
    rows = -(-count // columns)
    figure = Figure(figsize=(0.6 + 3.1 * max(columns, 2), 0.4 + 2.9 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
    for axes in panels[count:]:
        axes.set_axis_off()
    figure.supxlabel("confidence, %", fontsize=9)
    figure.supylabel("accuracy, %", fontsize=9)
    return figure, panels[:count]


def _panel(plot: Plot, axes: Axes, table: pd.DataFrame, ink: str) -> None:
    axes.plot([0, 100], [0, 100], color=FAINT, linewidth=1)
    for name, (style, alpha) in _LOOKS.items():
        rows = table[table.probabilities == name]
        x, y, share = rows["confidence, %"], rows["accuracy, %"], rows["share, %"]
        axes.plot(x, y, style, color=ink, alpha=alpha, linewidth=1.4)
        axes.scatter(x, y, s=6 + 2.4 * share, color=ink, alpha=alpha, linewidths=0)
        plot.mark(axes, rows, "confidence, %", "accuracy, %")
    axes.set_aspect("equal")
