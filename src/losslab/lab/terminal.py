"""The result table on stdout."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from losslab.lab import words
from losslab.lab.analysis import Summary
from losslab.lab.measures import Measure

PLAIN_WIDTH = 160
_MEASURES_A_TABLE = 6
_LEAST_NEEDED = ("p", "runs", "lr")
_MARKS = {"better": "+", "worse": "-"}
_COLOURS = {"better": "green", "worse": "red", "practically equal": "cyan", "no pair": "red", "no result": "red"}


def print_summary(config: Mapping[str, Any], summary: Summary) -> None:
    """Print the table, the verdict sentences and the warnings; without control codes where stdout is no terminal."""
    plain = not sys.stdout.isatty()
    console = Console(width=PLAIN_WIDTH if plain else None, highlight=False)
    console.print(_fitting_table(console, summary, box.ASCII2 if plain else box.SIMPLE_HEAD))
    for arm in summary.arms:
        console.print(arm.sentence, markup=False, soft_wrap=True)
    measures = words.further(summary)
    for start in range(0, len(measures), _MEASURES_A_TABLE):
        part = measures[start : start + _MEASURES_A_TABLE]
        console.print(_further(summary, part, box.ASCII2 if plain else box.SIMPLE_HEAD))
    console.print(_efforts(summary, box.ASCII2 if plain else box.SIMPLE_HEAD))
    console.print(words.target(summary, config["protocol"]), markup=False, soft_wrap=True)
    if stamp := words.stamp(config["protocol"]):
        console.print(stamp, style="bold yellow", soft_wrap=True)


def _further(summary: Summary, measures: Sequence[Measure], style: box.Box) -> Table:
    """Means, marked where they differ from the baseline's; the report has the differences."""
    table = Table(box=style)
    table.add_column("loss", overflow="fold")
    for measure in measures:
        table.add_column(f"{measure.title} {words.better(measure)}", justify="right", overflow="fold")
    for arm in summary.arms:
        cells = [words.cell(arm.figures[measure.key], measure) for measure in measures]
        table.add_row(escape(arm.label), *(f"{mean} {_MARKS.get(verdict, ' ')}" for mean, _, verdict in cells))
    table.caption = "↑ higher is better, ↓ lower; + better than the baseline, - worse"
    return table


def _efforts(summary: Summary, style: box.Box) -> Table:
    table = Table(box=style)
    for column in words.effort_columns(summary):
        table.add_column(column, justify="left" if column == "loss" else "right", overflow="fold")
    for arm in summary.arms:
        table.add_row(*map(escape, words.effort_row(arm)))
    return table


def _fitting_table(console: Console, summary: Summary, style: box.Box) -> Table:
    """Leave out columns that the sentences below repeat, as far as the terminal is too narrow."""
    for kept in range(len(_LEAST_NEEDED) + 1):
        table = _table(summary, set(_LEAST_NEEDED[:kept]), style)
        if Measurement.get(console, console.options.update(width=PLAIN_WIDTH), table).maximum <= console.width:
            break
    return table


def _table(summary: Summary, left_out: set[str], style: box.Box) -> Table:
    table, columns = Table(box=style), words.columns(summary)
    shown = [column for column in columns if column not in left_out]
    for column in shown:
        numeric = column not in ("loss", "runs", "verdict")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=column != "loss", overflow="fold")
    for arm in summary.arms:
        row = dict(zip(columns, map(escape, words.row(arm, summary.decides)), strict=True))
        row["verdict"] = f"[{_COLOURS.get(arm.verdict, 'default')}]{arm.verdict}[/]"
        table.add_row(*(row[column] for column in shown))
    return table
