"""A comparison at several levels of noise or imbalance, each in a folder of its own, and what they show together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

from losslab.lab import progress, report, store, words
from losslab.lab.analysis import Summary
from losslab.lab.comparison import Comparison, check_disturbance, compare, folder_for
from losslab.lab.errors import Exit, LabError
from losslab.lab.plots import levels as plot_of_levels
from losslab.lab.plots.plot import Plot
from losslab.lab.plots.style import STYLE, colour

AXES = {
    "noise": "share of training and validation labels that are wrong",
    "imbalance": "times as many training and validation examples of the first class as of the last",
}


@dataclass(frozen=True)
class Levels:
    """What a comparison found at each level.

    Attributes:
        kind: "noise" or "imbalance".
        comparisons: by level.
        folder: where the levels' folders and the report are.
        exit_code: as the command line would return it.
    """

    kind: str
    comparisons: dict[float, Comparison]
    folder: Path
    exit_code: Exit

    def verdict(self) -> str:
        """The sentences of every level."""
        return "\n".join(f"{self.kind} {level:g}:\n{found.verdict()}" for level, found in self.comparisons.items())

    def table(self) -> pd.DataFrame:
        """Return a row per level and loss: mean, interval, verdict, runs."""
        return plot_of_levels.table({level: found.summary for level, found in self.comparisons.items()})

    def plot(self) -> Plot:
        """Return the figure: the measure over the levels."""
        return _plot(self.kind, {level: found.summary for level, found in self.comparisons.items()})

    def report(self) -> Path:
        """Return the HTML file, which leads to that of each level."""
        return self.folder / report.PAGE


def compare_levels(
    kind: str,
    levels: Sequence[float],
    *arguments: Any,
    out: str | Path | None = None,
    show: Callable[[], progress.Silent] | None = None,
    command: str = "losslab.lab.compare_levels(...)",
    **settings: Any,
) -> Levels:
    """Compare losses at several levels of noise or imbalance.

    Args:
        kind: "noise" or "imbalance".
        levels: two or more.
        arguments, settings: as `compare` takes them.
        out: the folder, default losslab-runs/DATA-KIND; each level gets one in it.
        show: makes what displays the progress of a level; None for nothing.
        command: what the report says it was made by.

    Raises:
        LabError: as `compare` does, and for levels that are fewer than two or named twice.
    """
    _check(kind, levels, settings)
    folder = Path(out) if out is not None else folder_for(arguments[0] if arguments else "digits", f"-{kind}")
    found: dict[float, Comparison] = {}
    for level in levels:
        display = show() if show else progress.Silent()
        display.note(f"{kind} {level:g}")
        each = {**settings, kind: level, "show": display, "command": command}
        found[level] = compare(*arguments, out=folder_of(folder, kind, level), **each)
        store.write_json(folder / store.LEVELS, {"kind": kind, "levels": list(found), "command": command})
        if found[level].exit_code == Exit.INTERRUPTED:
            break
    render(folder)
    codes = [each.exit_code for each in found.values()]
    return Levels(kind, found, folder, max(codes))


def folder_of(folder: Path, kind: str, level: float) -> Path:
    """The run folder of a level."""
    return folder / f"{kind}-{level:g}"


def _check(kind: str, levels: Sequence[float], settings: Mapping[str, Any]) -> None:
    if kind not in AXES:
        raise LabError(f"unknown kind of level '{kind}'", f"there are {' and '.join(AXES)}", "give one of them")
    if len(levels) < 2 or len(set(levels)) < len(levels):
        raise LabError(
            f"levels {', '.join(f'{level:g}' for level in levels) or 'none'}",
            "a curve needs two levels or more, each once",
            f"for example --{kind} 0,0.2,0.4" if kind == "noise" else "for example --imbalance 1,10,100",
        )
    if kind in settings:
        raise LabError(f"{kind} is named twice", "the levels are of it", f"leave {kind}= out")
    for level in levels:
        check_disturbance(**{kind: level})


def render(folder: Path) -> Path:
    """Write the report of all levels from what their folders hold; return its path.

    Raises:
        LabError: the folder holds no levels, or a damaged one.
    """
    config = store.read_levels(folder)
    found = {level: report.summary_of(folder_of(folder, config["kind"], level)) for level in config["levels"]}
    plot = _plot(config["kind"], found)
    figure = report.figure("levels", plot)
    report.write_figure(folder / "plots", figure)
    first = next(iter(found.values()))
    single = store.read_config(folder_of(folder, config["kind"], config["levels"][0]))
    page = report.template("levels.html.j2").render(
        config=config,
        stamp=words.stamp(single["protocol"]),
        data=single["data"],
        axis=AXES[config["kind"]],
        summaries=found,
        decides=first.decides,
        columns=[f"{config['kind']} {level:g}" for level in found],
        rows=[(arm.label, [words.level(summary, i) for summary in found.values()]) for i, arm in enumerate(first.arms)],
        colours=[colour(i) for i in range(len(first.arms))],
        figures=[figure],
        page=report.PAGE,
    )
    store.write_whole(folder / report.PAGE, page)
    return folder / report.PAGE


def _plot(kind: str, found: Mapping[float, Summary]) -> Plot:
    with mpl.rc_context(STYLE):
        table = plot_of_levels.table(found)
        return plot_of_levels.draw(table, next(iter(found.values())).decides, AXES[kind])
