"""The picture of the results: a bar per peer for its time over ours, on a logarithmic axis, with the targets marked."""

import io
from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]
FASTER, SLOWER, SPREAD, GOAL = "#3b7a57", "#b5543c", "#222222", "#111111"
ROW, GAP = 0.25, 0.3  # inches: a bar, and the space above the bars of a case


def picture(results: Record) -> bytes:
    """As PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cases = [(record, peers) for record in results["cases"] if (peers := _peers(record))]
    height = sum(GAP + ROW * len(peers) for _, peers in cases)
    figure = Figure(figsize=(10, height + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    _draw(figure.add_subplot(), cases)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()


def _peers(record: Record) -> list[Record]:
    return [each for each in record["contenders"] if each["role"] == "peer" and each["ratio"]]


def _draw(axes: Any, cases: list[tuple[Record, list[Record]]]) -> None:
    y, labels = 0.0, {}
    for record, peers in cases:
        y -= GAP
        axes.text(0, y - ROW / 3, record["title"], transform=axes.get_yaxis_transform(), size=8, weight="bold")
        for peer in peers:
            y -= ROW
            labels[y] = peer["name"]
            _bar(axes, y, peer["ratio"], _goal(record, peer["name"]))
    _label(axes, labels)


def _bar(axes: Any, y: float, ratio: Record, goal: float | None) -> None:
    """From 1: to the right where the peer takes longer than ours."""
    middle, low, high = ratio["median"], ratio["q1"], ratio["q3"]
    axes.barh(y, middle - 1, left=1, height=0.7 * ROW, color=FASTER if middle >= 1 else SLOWER)
    axes.plot([low, high], [y, y], color=SPREAD, linewidth=1)
    if goal is not None:
        axes.plot([goal, goal], [y - 0.45 * ROW, y + 0.45 * ROW], color=GOAL, linewidth=2)
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # the number stays legible on a mark
    axes.text(max(high, 1) * 1.04, y, f"{middle:.3g}", size=7, va="center", bbox=behind)


def _goal(record: Record, peer: str) -> float | None:
    goals = [target["speed"] for target in record["targets"] if target["against"] == peer]
    return next((goal for goal in goals if goal is not None), None)


def _label(axes: Any, labels: Mapping[float, str]) -> None:
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    axes.set_xscale("log")
    axes.axvline(1, color=SPREAD, linewidth=0.8)
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g} ×"))
    axes.xaxis.set_minor_formatter(StrMethodFormatter(""))
    axes.set_yticks(list(labels), list(labels.values()), size=8)
    axes.set_ylim(min(labels, default=0) - ROW, 0)
    axes.set_xlabel("its time over losslab's (thin line: quartiles; thick mark: to reach)", size=9)
    axes.spines[["top", "right"]].set_visible(False)
