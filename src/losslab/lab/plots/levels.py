"""How each loss stands a growing disturbance of the training data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from losslab.lab.analysis import Summary
from losslab.lab.measures import Measure
from losslab.lab.pairs import paired_interval
from losslab.lab.plots.plot import Plot
from losslab.lab.plots.style import colour, gid, line, name_arms


def table(found: Mapping[float, Summary]) -> pd.DataFrame:
    """Return a row for each level and arm: mean and 95 % interval over the seeds, the verdict, the runs."""
    rows = [
        (arm.label, level, *_numbers(summary, i))
        for level, summary in found.items()
        for i, arm in enumerate(summary.arms)
    ]
    return pd.DataFrame(rows, columns=["loss", "level", "mean", "low", "high", "verdict", "runs"])


def _numbers(summary: Summary, arm: int) -> tuple[float | None, float | None, float | None, str, int]:
    result = summary.arms[arm]
    values = pd.Series(result.deciding.values, dtype=float).to_numpy()
    low, high = paired_interval(values) if len(values) > 1 else (None, None)
    return result.deciding.mean, low, high, result.verdict, len(values)


def draw(table: pd.DataFrame, decides: Measure, axis: str) -> Plot:
    """Draw a line for each arm over the levels, with the interval of each mean."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    axes = figure.subplots()
    plot = Plot(table, figure)
    labels = list(dict.fromkeys(table.loss))
    for i, label in enumerate(labels):
        _arm(plot, axes, table[(table.loss == label) & table["mean"].notna()], i)
    axes.set_xticks(sorted(set(table.level)))
    axes.set_xlabel(axis)
    axes.set_ylabel(f"test {decides.title}")
    name_arms(figure)
    return plot


def _arm(plot: Plot, axes: Axes, rows: pd.DataFrame, i: int) -> None:
    own = colour(i)
    look: dict[str, Any] = {"color": own, "linestyle": line(i), "gid": gid(i)}
    label = rows.loss.iloc[0] if len(rows) else None
    axes.plot(rows.level, rows["mean"], marker="o", markersize=5, linewidth=1.8, label=label, **look)
    known = rows[rows.low.notna()]
    axes.vlines(known.level, known.low.astype(float), known.high.astype(float), color=own, alpha=0.5, gid=gid(i))
    plot.mark(axes, rows, "level", "mean")
