"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from losslab.lab.analysis import Summary
from losslab.lab.errors import LabError
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.style import INK, PANELS_A_ROW, colour, gid, wrapped

MOST_CLASSES = 20
"""With more, the worst pairs are named instead of drawing all."""
MOST_PAIRS = 10
LONGEST_NAME = 16
_SHARE = "share of the true class, %"
_SMALLEST_WRITTEN = 1.0
# Per cent from which a square is so dark that white can be read on it, on a white page and on a black one
_DARK = 40


def table(found: Found) -> pd.DataFrame:
    """Return a row for each arm and pair of true and predicted class that occurs.

    The test examples are the same for all seeds, so the share in all runs together is the mean of the runs' shares.

    Raises:
        LabError: the runs count classes that have no name.
    """
    shares = [(arm.label, _shares(runs)) for arm, runs in zip(found.summary.arms, found.runs, strict=True)]
    _check({number for _, each in shares for pair in each for number in pair}, len(found.classes))
    rows = [
        (label, found.classes[true], found.classes[predicted], share, count)
        for label, each in shares
        for (true, predicted), (share, count) in each.items()
    ]
    names = pd.CategoricalDtype(list(found.classes), ordered=True)
    made = pd.DataFrame(rows, columns=["loss", "true", "predicted", _SHARE, "in all runs"])
    return made.astype({"true": names, "predicted": names})


def _check(numbers: set[int], named: int) -> None:
    if numbers and max(numbers) >= named:
        raise LabError(
            f"class {max(numbers)} in runs.jsonl, and {named} names of classes in config.json",
            "one of the two was edited",
            "rerun the comparison, which writes config.json again",
        )


def _shares(runs: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int], tuple[float, int]]:
    """Return by (true, predicted) the share of the true class in per cent, and the count."""
    counts: dict[tuple[int, int], int] = {}
    totals: dict[int, int] = {}
    for run in runs:
        for true, predicted, count in run.get("confusion", []):
            counts[true, predicted] = counts.get((true, predicted), 0) + count
            totals[true] = totals.get(true, 0) + count
    return {pair: (100 * counts[pair] / totals[pair[0]], counts[pair]) for pair in sorted(counts)}


def draw(table: pd.DataFrame, summary: Summary) -> Plot:
    """Draw a panel for each arm: all pairs as a map, or the worst pairs by name where the classes are many."""
    labels = [arm.label for arm in summary.arms]
    shown = [i for i, label in enumerate(labels) if (table.loss == label).any()]
    few = len(table["true"].cat.categories) <= MOST_CLASSES
    figure, panels = _panels(len(shown), few)
    plot = Plot(table, figure)
    for i, axes in zip(shown, panels, strict=True):
        rows = table[table.loss == labels[i]]
        (_map if few else _worst)(plot, axes, rows, colour(i))
        axes.set_title(wrapped(labels[i]), color=colour(i))
        axes.set_gid(gid(i))
    return plot


def _panels(count: int, square: bool) -> tuple[Figure, list[Axes]]:
    columns = min(count, PANELS_A_ROW if square else 2)
    rows = -(-count // columns)
    width = 3.1 if square else 6.2
    figure = Figure(figsize=(0.6 + width * max(columns, 2 if square else 1), 0.4 + 3.1 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[count:]:
        axes.set_axis_off()
    figure.supxlabel("predicted class" if square else _SHARE, fontsize=9)
    figure.supylabel("true class" if square else "true → predicted", fontsize=9)
    return figure, panels[:count]


def _map(plot: Plot, axes: Axes, rows: pd.DataFrame, ink: str) -> None:
    """Draw a square for each pair, the darker the larger its share; by its root, as errors are few."""
    names = list(rows["true"].cat.categories)
    x, y = rows.predicted.cat.codes, rows["true"].cat.codes
    squares = [Rectangle((left - 0.5, top - 0.5), 1, 1) for left, top in zip(x, y, strict=True)]
    shades = [to_rgba(ink, float(np.sqrt(share / 100))) for share in rows[_SHARE]]
    axes.add_collection(PatchCollection(squares, facecolors=shades, linewidths=0))
    for left, top, share in zip(x, y, rows[_SHARE], strict=True):
        if share >= _SMALLEST_WRITTEN:
            shade = "white" if share > _DARK else INK
            size = 60 / max(len(names), 9)
            axes.text(left, top, f"{share:.0f}", ha="center", va="center", fontsize=size, color=shade)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    written = [_written(name) for name in names]
    axes.set_xticks(range(len(names)), written, rotation=90 if max(map(len, written)) > 2 else 0, fontsize=7)
    axes.set_yticks(range(len(names)), written, fontsize=7)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_aspect("equal")
    plot.mark(axes, rows, list(x), list(y))


def _worst(plot: Plot, axes: Axes, rows: pd.DataFrame, ink: str) -> None:
    """Name the pairs with the largest shares that are wrong."""
    wrong = rows[rows["true"].cat.codes != rows.predicted.cat.codes]
    worst = wrong.sort_values(_SHARE, ascending=False, kind="stable").head(MOST_PAIRS)
    places = range(len(worst))
    axes.barh(places, worst[_SHARE], color=ink, height=0.6)
    pairs = zip(worst["true"], worst.predicted, strict=True)
    axes.set_yticks(places, [f"{_written(true)} → {_written(predicted)}" for true, predicted in pairs], fontsize=8)
    axes.set_ylim(MOST_PAIRS - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    plot.mark(axes, worst, _SHARE, list(places))


def _written(name: str) -> str:
    """Shorten the name of a class, which may be anything, and keep matplotlib from reading it as mathematics."""
    return (name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…").replace("$", r"\$")
