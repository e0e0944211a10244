"""Every final run's score on the test examples."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from losslab.lab.analysis import Summary
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.rows import empty_row, figure_of_rows
from losslab.lab.plots.style import FAINT, colour, gid


def table(found: Found) -> pd.DataFrame:
    """Return a row for each final run that did not diverge."""
    arms = found.summary.arms
    rows = [(arm.label, seed, value) for arm in arms for seed, value in sorted(arm.deciding.values.items())]
    return pd.DataFrame(rows, columns=["loss", "seed", found.summary.decides.title])


def draw(table: pd.DataFrame, summary: Summary) -> Plot:
    """Draw each run as a point, each arm's mean as a bar, and thin lines between the runs of a seed."""
    figure, axes = figure_of_rows(summary)
    plot, score = Plot(table, figure), summary.decides.title
    own = [table[table.loss == arm.label] for arm in summary.arms]
    shown = [i for i, rows in enumerate(own) if len(rows)]
    for above, below in itertools.pairwise(shown):
        _seed_lines(axes, own, above, below, score)
    for i, rows in enumerate(own):
        if rows.empty:
            empty_row(axes, i, "no result")
            continue
        _runs(axes, rows[score], i, summary.decides.digits)
        plot.mark(axes, rows, score, [i] * len(rows))
    axes.set_xlabel(f"{score}; a thin line joins the runs of one seed")
    return plot


def _seed_lines(axes: Axes, own: list[pd.DataFrame], above: int, below: int, score: str) -> None:
    """Join the runs of each seed in two rows: lines of their own, which go when either row is hidden."""
    pairs = own[above].merge(own[below], on="seed")
    x = pairs[[f"{score}_x", f"{score}_y"]].assign(gap=np.nan).to_numpy().ravel()
    y = np.tile([above, below, np.nan], len(pairs))
    axes.plot(x, y, color=FAINT, alpha=0.5, linewidth=0.8, gid=gid(above, below))


def _runs(axes: Axes, values: pd.Series, i: int, digits: int) -> None:
    ink, mean = colour(i), float(values.mean())
    axes.plot(values, [i] * len(values), "o", color=ink, markersize=5, alpha=0.75, markeredgewidth=0, gid=gid(i))
    axes.plot([mean] * 2, [i - 0.28, i + 0.28], color=ink, linewidth=2.5, gid=gid(i))
    text = f"{mean:.{digits}f}"
    axes.annotate(text, (mean, i - 0.3), ha="center", va="bottom", color=ink, fontsize=8, gid=gid(i))
