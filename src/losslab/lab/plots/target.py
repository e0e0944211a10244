"""How soon the runs reach the target on the validation examples."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from losslab.lab.analysis import Summary
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.style import colour, gid, line, name_arms

_SHARE = "reached, %"


def table(found: Found) -> pd.DataFrame:
    """Return for each arm the share of its runs that have reached the target after every epoch."""
    epochs = max((len(run["history"]["val_score"]) for runs in found.runs for run in runs), default=0)
    rows = [
        (arm.label, epoch, 100 * sum(bool(at and at <= epoch) for at in reached) / len(reached), len(reached))
        for arm in found.summary.arms
        if (reached := list(arm.effort.reached.values()))
        for epoch in range(epochs + 1)
    ]
    return pd.DataFrame(rows, columns=["loss", "epoch", _SHARE, "runs"])


def draw(table: pd.DataFrame, summary: Summary) -> Plot:
    """Draw a stair for each arm: it rises where runs get there, and ends below 100 % if some never do."""
    figure = Figure(figsize=(9.6, max(3.0, 0.8 + 0.2 * len(summary.arms))), layout="constrained")
    axes = figure.subplots()
    plot = Plot(table, figure)
    for i, arm in enumerate(summary.arms):
        rows = table[table.loss == arm.label]
        look: dict[str, Any] = {
            "color": colour(i),
            "linestyle": line(i),
            "linewidth": 1.6,
            "label": arm.label,
            "gid": gid(i),
        }
        axes.step(rows.epoch, rows[_SHARE], where="post", **look)
        plot.mark(axes, rows, "epoch", _SHARE)
    axes.set_ylim(-3, 103)
    axes.set_xlabel("epoch")
    axes.set_ylabel("runs that have reached it, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    name_arms(figure)
    return plot
