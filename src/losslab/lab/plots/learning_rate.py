"""How much the learning rate matters to each loss."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from losslab.lab.analysis import Summary
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.style import PALETTE, colour, gid, line, name_arms


def table(found: Found) -> pd.DataFrame:
    """Return a row for each arm and learning rate that was tried; without a score where no run succeeded."""
    rows = [
        (arm.label, row.rate, math.nan if row.mean is None else row.mean, row.rate == arm.rate)
        for arm in found.summary.arms
        for row in arm.tuning
    ]
    return pd.DataFrame(rows, columns=["loss", "lr", _score(found.summary), "chosen"])


def _score(summary: Summary) -> str:
    return f"validation {summary.decides.title}"


def draw(table: pd.DataFrame, summary: Summary) -> Plot:
    """Draw a line for each arm, with a star at the chosen rate and a cross where no run succeeded."""
    figure = Figure(figsize=(9.6, max(3.4, 0.8 + 0.2 * len(summary.arms))), layout="constrained")
    axes = figure.subplots()
    plot, score = Plot(table, figure), _score(summary)
    for i, arm in enumerate(summary.arms):
        _rates(plot, axes, table[table.loss == arm.label], i, score)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate (star: chosen, ×: no run succeeded)")
    axes.set_ylabel(score)
    name_arms(figure)
    return plot


def _rates(plot: Plot, axes: Axes, table: pd.DataFrame, i: int, score: str) -> None:
    worked, lost = table[table[score].notna()], table[table[score].isna()]
    label = table.loss.iloc[0] if len(table) else ""
    look: dict[str, Any] = {"color": colour(i), "gid": gid(i)}
    axes.plot(worked.lr, worked[score], marker="o", linestyle=line(i), markersize=4, linewidth=1.6, label=label, **look)
    height = [0.03 + 0.05 * (i % len(PALETTE))] * len(lost)
    axes.plot(lost.lr, height, "x", transform=axes.get_xaxis_transform(), clip_on=False, **look)
    chosen = worked[worked.chosen]
    axes.plot(chosen.lr, chosen[score], "*", markersize=14, **look)
    plot.mark(axes, worked, "lr", score)
