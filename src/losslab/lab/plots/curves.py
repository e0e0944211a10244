"""Loss and score of the training and validation examples after every epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from losslab.lab.analysis import Summary
from losslab.lab.measures import Measure
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.style import FAINT, INK, PANELS_A_ROW, colour, gid, wrapped

_LOSS = "loss value"
_PREFIXES = {"training": "", "validation": "val_"}


def table(found: Found) -> pd.DataFrame:
    """Return mean and standard deviation over the final runs, for each arm, curve and epoch."""
    arms = zip(found.summary.arms, found.runs, strict=True)
    return pd.DataFrame(
        [(arm.label, *row) for arm, runs in arms if runs for row in _rows(runs, found.summary.decides)],
        columns=["loss", "of", "examples", "epoch", "mean", "sd", "runs"],
    )


def _rows(runs: Sequence[Mapping[str, Any]], decides: Measure) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for of, key, factor in ((_LOSS, "loss", 1.0), (decides.title, "score", decides.factor)):
        for examples, prefix in _PREFIXES.items():
            values = factor * np.array([run["history"][prefix + key] for run in runs], dtype=float)
            epochs = zip(values.mean(axis=0), values.std(axis=0), strict=True)
            found += [(of, examples, epoch, mean, sd, len(runs)) for epoch, (mean, sd) in enumerate(epochs, start=1)]
    return found


def draw(table: pd.DataFrame, summary: Summary) -> Plot:
    """Draw two panels for each arm, one below the other: its loss, on a scale of its own, and its score."""
    labels = [arm.label for arm in summary.arms]
    shown = [i for i, label in enumerate(labels) if (table.loss == label).any()]
    decides = summary.decides
    figure, above, below = _panels(len(shown), decides.title)
    plot = Plot(table, figure)
    for place, i in enumerate(shown):
        rows = table[table.loss == labels[i]]
        _curves(plot, above[place], rows[rows.of == _LOSS], colour(i))
        _curves(plot, below[place], rows[rows.of == decides.title], colour(i))
        above[place].set_title(wrapped(labels[i]), color=colour(i))
        for axes in (above[place], below[place]):
            axes.set_gid(gid(i))
    _share_scale(below[: len(shown)], table[table.of == decides.title], decides)
    handles = [
        Line2D([], [], color=FAINT, linestyle="--", label="training"),
        Line2D([], [], color=INK, label="validation"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return plot


def _panels(count: int, score: str) -> tuple[Figure, list[Axes], list[Axes]]:
    """Return a figure with places for `count` arms, and their panels for the loss and for the score."""
    columns = min(count, PANELS_A_ROW)
    rows = 2 * -(-count // columns)
    figure = Figure(figsize=(0.6 + 3.1 * max(columns, 2), 0.7 + 2.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    above, below = list(grid[::2].flat), list(grid[1::2].flat)
    for axes in above[count:] + below[count:]:
        axes.set_axis_off()
    for left, label in [(above, "loss (its own scale)"), (below, score)]:
        for axes in left[::columns]:
            axes.set_ylabel(label)
    for axes in below:
        axes.set_xlabel("epoch")
    return figure, above, below


def _curves(plot: Plot, axes: Axes, table: pd.DataFrame, own: str) -> None:
    for examples, rows in table.groupby("examples"):
        style, ink = ("-", own) if examples == "validation" else ("--", FAINT)
        marker = "o" if len(rows) < 8 else None
        axes.plot(rows.epoch, rows["mean"], style, color=ink, linewidth=1.6, marker=marker, markersize=3)
        low, high = rows["mean"] - rows.sd, rows["mean"] + rows.sd
        axes.fill_between(rows.epoch, low, high, color=ink, alpha=0.18, linewidth=0)
        plot.mark(axes, rows, "epoch", "mean")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _share_scale(panels: Sequence[Axes], table: pd.DataFrame, decides: Measure) -> None:
    """Give the panels one scale that leaves out the steep first tenth of the training."""
    late = table[table.epoch > table.epoch.max() // 10]
    low, high = (late["mean"] - late.sd).min(), (late["mean"] + late.sd).max()
    margin = max(0.08 * (high - low), decides.band_around(float(high)))
    for panel in panels:
        panel.set_ylim(low - margin, high + margin)
