"""The figures of a comparison. Each is drawn once and saved as PNG (files) and SVG (inside the report)."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from losslab.lab.analysis import ArmResult, Summary, final_runs
from losslab.lab.calibration import BINS
from losslab.lab.measures import ACCURACY

# Okabe and Ito's palette: told apart with every kind of colour vision, on white and on black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F")
INK = "#1b1f24"
FAINT = "#8b949e"
PANELS_A_ROW = 4

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial", "sans-serif"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.alpha": 0.25,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
}

Record = Mapping[str, Any]
Floats = NDArray[np.float64]


def draw(config: Record, records: Sequence[Record], summary: Summary) -> dict[str, Figure]:
    """Return the figures by name: curves, accuracy, reliability, learning_rate; those without data are left out."""
    with mpl.rc_context(_STYLE):
        figures = {
            "curves": _curves(config, records, summary),
            "accuracy": _accuracy(summary),
            "reliability": _reliability(config, records, summary),
            "learning_rate": _learning_rate(summary),
        }
    return {name: figure for name, figure in figures.items() if figure is not None}


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG on white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160, facecolor="white")
    return buffer.getvalue()


def svg(name: str, figure: Figure) -> str:
    """Return the figure as an <svg> element that takes the page's text colour and has ids of its own."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace(INK, "currentColor")


def _colour(position: int) -> str:
    return PALETTE[position % len(PALETTE)]


def _line(position: int) -> str:
    """Return a line style that tells arms of the same colour apart."""
    return ("-", "--", ":")[position // len(PALETTE) % 3]


def _curves(config: Record, records: Sequence[Record], summary: Summary) -> Figure | None:
    runs = [_histories(config["arms"][i]["group"], records, arm) for i, arm in enumerate(summary.arms)]
    shown = [i for i, histories in enumerate(runs) if histories]
    if not shown:
        return None
    columns = min(len(shown), PANELS_A_ROW)
    rows = 2 * -(-len(shown) // columns)
    figure = Figure(figsize=(0.6 + 3.1 * max(columns, 2), 0.7 + 2.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for place, i in enumerate(shown):
        row, column = 2 * (place // columns), place % columns
        loss, accuracy = axes[row, column], axes[row + 1, column]
        _curve_pair(loss, runs[i], "loss", 1, _colour(i))
        _curve_pair(accuracy, runs[i], "accuracy", 100, _colour(i))
        loss.set_title(_wrapped(summary.arms[i].label), color=_colour(i))
        loss.set_ylabel("loss (its own scale)" if column == 0 else "")
        accuracy.set_ylabel("accuracy, %" if column == 0 else "")
        accuracy.set_xlabel("epoch")
    _share_accuracy_axis([axes[2 * (p // columns) + 1, p % columns] for p in range(len(shown))], runs)
    for place in range(len(shown), rows // 2 * columns):
        axes[2 * (place // columns), place % columns].set_axis_off()
        axes[2 * (place // columns) + 1, place % columns].set_axis_off()
    handles = [
        Line2D([], [], color=FAINT, linestyle="--", label="training"),
        Line2D([], [], color=INK, label="validation"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _histories(group: str, records: Sequence[Record], arm: ArmResult) -> list[dict[str, Floats]]:
    """Return the histories of the final runs that did not diverge."""
    own = [record for record in records if record["group"] == group]
    final = final_runs(own, arm.rate, arm.counts["planned"])
    return [
        {name: np.array(values, dtype=float) for name, values in record["history"].items()}
        for record in final
        if record["status"] == "ok"
    ]


def _curve_pair(axes: Axes, histories: list[dict[str, Floats]], name: str, factor: float, colour: str) -> None:
    for prefix, label, style in (("", "training", "--"), ("val_", "validation", "-")):
        values = factor * np.stack([history[prefix + name] for history in histories])
        epochs = np.arange(1, values.shape[1] + 1)
        mean, spread = values.mean(axis=0), values.std(axis=0)
        marker = "o" if len(epochs) < 8 else None
        ink = colour if prefix else FAINT
        axes.plot(epochs, mean, style, color=ink, label=label, linewidth=1.6, marker=marker, markersize=3)
        axes.fill_between(epochs, mean - spread, mean + spread, color=ink, alpha=0.18, linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _share_accuracy_axis(panels: list[Axes], runs: list[list[dict[str, Floats]]]) -> None:
    """Give the accuracy panels one scale that leaves out the steep first tenth of the training."""
    late = 100 * np.concatenate(
        [
            history[name][history[name].size // 10 :]
            for histories in runs
            for history in histories
            for name in ("accuracy", "val_accuracy")
        ]
    )
    margin = max(0.08 * (late.max() - late.min()), 0.2)
    for panel in panels:
        panel.set_ylim(late.min() - margin, late.max() + margin)


def _accuracy(summary: Summary) -> Figure | None:
    shown = [i for i, arm in enumerate(summary.arms) if arm.accuracy.values]
    if not shown:
        return None
    figure = Figure(figsize=(9.6, 1.3 + 0.55 * len(summary.arms)), layout="constrained")
    seeds, differences = figure.subplots(1, 2, width_ratios=(1.1, 1))
    _seed_lines(seeds, summary, shown)
    _difference_bars(differences, summary)
    for axes in (seeds, differences):
        axes.set_ylim(len(summary.arms) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
    labels = [_wrapped(arm.label) for arm in summary.arms]
    seeds.set_yticks(range(len(labels)), labels)
    differences.set_yticks(range(len(labels)), [""] * len(labels))
    return figure


def _seed_lines(axes: Axes, summary: Summary, shown: list[int]) -> None:
    """Draw each seed as a thin line through its accuracies, and each arm's mean as a bar."""
    for seed in sorted({seed for i in shown for seed in summary.arms[i].accuracy.values}):
        places = [i for i in shown if seed in summary.arms[i].accuracy.values]
        axes.plot(
            [summary.arms[i].accuracy.values[seed] for i in places], places, color=FAINT, alpha=0.5, linewidth=0.8
        )
    for i in shown:
        arm = summary.arms[i]
        values = list(arm.accuracy.values.values())
        axes.plot(values, [i] * len(values), "o", color=_colour(i), markersize=5, alpha=0.75, markeredgewidth=0)
        axes.plot([np.mean(values)] * 2, [i - 0.28, i + 0.28], color=_colour(i), linewidth=2.5)
        axes.annotate(
            f"{arm.accuracy.mean:.2f}",
            (float(np.mean(values)), i - 0.3),
            ha="center",
            va="bottom",
            color=_colour(i),
            fontsize=8,
        )
    for i in set(range(len(summary.arms))) - set(shown):
        middle = axes.get_yaxis_transform()
        axes.annotate("no result", (0.5, i), xycoords=middle, ha="center", va="center", color=FAINT, fontsize=8)
    axes.set_title("Test accuracy per seed")
    axes.set_xlabel("%, a thin line joins the runs of one seed")


def _difference_bars(axes: Axes, summary: Summary) -> None:
    axes.axvspan(-ACCURACY.band, ACCURACY.band, color=FAINT, alpha=0.2, linewidth=0)
    axes.axvline(0, color=FAINT, linewidth=1)
    for i, arm in enumerate(summary.arms):
        contrast = arm.accuracy.contrast
        if contrast is None:
            text = "baseline" if i == 0 else "nothing to compare"
            axes.annotate(text, (0, i), ha="center", va="center", color=FAINT, fontsize=8)
            continue
        if contrast.low is not None and contrast.high is not None:
            axes.plot([contrast.low, contrast.high], [i, i], color=_colour(i), linewidth=2.5)
        axes.plot([contrast.mean], [i], "o", color=_colour(i), markersize=7)
        axes.annotate(contrast.verdict, (contrast.mean, i - 0.2), ha="center", va="bottom", fontsize=8)
    axes.set_title(f"Difference to {summary.arms[0].label}")
    axes.set_xlabel(f"points, with 95 % interval; shaded: practically equal (±{ACCURACY.band})")


def _learning_rate(summary: Summary) -> Figure | None:
    if not any(arm.tuning for arm in summary.arms):
        return None
    figure = Figure(figsize=(9.6, max(3.4, 0.8 + 0.2 * len(summary.arms))), layout="constrained")
    axes = figure.subplots()
    for i, arm in enumerate(summary.arms):
        rows = [row for row in arm.tuning if row.score > 0]
        axes.plot(
            [row.rate for row in rows],
            [row.score for row in rows],
            marker="o",
            linestyle=_line(i),
            color=_colour(i),
            label=arm.label,
            markersize=4,
            linewidth=1.6,
        )
        lost = [row.rate for row in arm.tuning if row.score == 0]
        height = axes.get_xaxis_transform()
        axes.plot(
            lost, [0.03 + 0.05 * (i % len(PALETTE))] * len(lost), "x", color=_colour(i), transform=height, clip_on=False
        )
        chosen = [row for row in rows if row.rate == arm.rate]
        axes.plot([row.rate for row in chosen], [row.score for row in chosen], "*", color=_colour(i), markersize=14)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate (star: chosen, ×: no run succeeded)")
    axes.set_ylabel("validation accuracy, %")
    axes.set_title("How much the learning rate matters")
    figure.legend(loc="outside right upper")
    return figure


def _reliability(config: Record, records: Sequence[Record], summary: Summary) -> Figure | None:
    """Draw accuracy over confidence for every arm, before and after temperature scaling."""
    bins = [_bins(config["arms"][i]["group"], records, arm) for i, arm in enumerate(summary.arms)]
    shown = [i for i, found in enumerate(bins) if found]
    if not shown:
        return None
    columns = min(len(shown), PANELS_A_ROW)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(0.6 + 3.1 * max(columns, 2), 0.4 + 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for place, panel in enumerate(axes.flat):
        if place >= len(shown):
            panel.set_axis_off()
            continue
        _reliability_panel(panel, bins[shown[place]], _colour(shown[place]))
        panel.set_title(_wrapped(summary.arms[shown[place]].label), color=_colour(shown[place]))
    figure.supxlabel("confidence, %", fontsize=9)
    figure.supylabel("accuracy, %", fontsize=9)
    return figure


def _bins(group: str, records: Sequence[Record], arm: ArmResult) -> dict[str, Floats]:
    """Return (count, confidence, accuracy) of every bin, over the final runs, "before" and "after" where there are."""
    final = final_runs([record for record in records if record["group"] == group], arm.rate, arm.counts["planned"])
    found = {}
    for name in ("before", "after"):
        rows = [row for r in final if r["status"] == "ok" and r["bins"][name] for row in r["bins"][name]]
        if rows:
            found[name] = _merged(np.array(rows))
    return found


def _merged(rows: Floats) -> Floats:
    """The bins of several runs as one set of bins."""
    places = np.ceil(rows[:, 1] * BINS)
    merged = [rows[places == place] for place in np.unique(places)]
    return np.array([(part[:, 0].sum(), *np.average(part[:, 1:], axis=0, weights=part[:, 0])) for part in merged])


def _reliability_panel(axes: Axes, bins: dict[str, Floats], colour: str) -> None:
    axes.plot([0, 100], [0, 100], color=FAINT, linewidth=1)
    for name, style, alpha in (("after", "--", 0.45), ("before", "-", 0.9)):
        if name not in bins:
            continue
        count, confidence, accuracy = bins[name].T
        axes.plot(100 * confidence, 100 * accuracy, style, color=colour, alpha=alpha, linewidth=1.4)
        share = count / count.sum()
        axes.scatter(100 * confidence, 100 * accuracy, s=6 + 240 * share, color=colour, alpha=alpha, linewidths=0)
    axes.set_aspect("equal")


def _wrapped(label: str) -> str:
    """Break a long name at an underscore so that it fits over a panel."""
    if len(label) <= 24:
        return label
    breaks = [i for i, letter in enumerate(label) if letter in "_:"]
    middle = min(breaks, key=lambda i: abs(i - len(label) // 2), default=len(label))
    return f"{label[: middle + 1]}\n{label[middle + 1 :]}" if breaks else label
