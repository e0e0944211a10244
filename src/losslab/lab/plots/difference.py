"""What the pairs make of the differences to the baseline."""

from __future__ import annotations

import pandas as pd

from losslab.lab.analysis import Summary
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.rows import empty_row, figure_of_rows
from losslab.lab.plots.style import FAINT, colour, gid

_PARTS = {"mean": "difference", "low": "low", "high": "high", "p": "p", "seeds": "pairs", "verdict": "verdict"}


def table(found: Found) -> pd.DataFrame:
    """Return a row for each arm that is compared: its mean difference, the interval, p, the pairs, the verdict."""
    compared = [(arm.label, arm.deciding.contrast) for arm in found.summary.arms if arm.deciding.contrast]
    rows = [(label, *(getattr(contrast, part) for part in _PARTS)) for label, contrast in compared]
    return pd.DataFrame(rows, columns=["loss", *_PARTS.values()]).convert_dtypes()


def draw(table: pd.DataFrame, summary: Summary) -> Plot:
    """Draw each difference as a point on its interval, beside the band of practical equality."""
    figure, axes = figure_of_rows(summary)
    plot = Plot(table, figure)
    decides = summary.decides
    band = decides.band_around(summary.arms[0].deciding.mean)
    axes.axvspan(-band, band, color=FAINT, alpha=0.2, linewidth=0)
    axes.axvline(0, color=FAINT, linewidth=1)
    for i, arm in enumerate(summary.arms):
        rows = table[table.loss == arm.label]
        if rows.empty:
            empty_row(axes, i, "baseline" if i == 0 else "nothing to compare", at=0)
            continue
        row = rows.iloc[0]
        if pd.notna(row.low):
            axes.plot([row.low, row.high], [i, i], color=colour(i), linewidth=2.5, gid=gid(i))
        axes.plot([row.difference], [i], "o", color=colour(i), markersize=7, gid=gid(i))
        axes.annotate(row.verdict, (row.difference, i - 0.2), ha="center", va="bottom", fontsize=8, gid=gid(i))
        plot.mark(axes, rows, "difference", [i])
    what = decides.points.strip() or decides.name
    axes.set_xlabel(f"{what} more than {summary.arms[0].label}, with 95 % interval; shaded: ±{band:.3g}")
    return plot
