"""The result table on stdout."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from losslab.lab import words
from losslab.lab.analysis import Summary

PLAIN_WIDTH = 160
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
    if words.has_probabilities(summary):
        console.print(_further(summary, box.ASCII2 if plain else box.SIMPLE_HEAD))
    if stamp := words.stamp(config["protocol"]):
        console.print(stamp, style="bold yellow", soft_wrap=True)


def _further(summary: Summary, style: box.Box) -> Table:
    """Means, marked where they differ from the baseline's; the report has the differences."""
    table = Table(box=style)
    for column in words.FURTHER_COLUMNS:
        table.add_column(column, justify="left" if column == "loss" else "right", overflow="fold")
    for arm in summary.arms:
        cells = [f"{mean} {_MARKS.get(verdict, ' ')}" for mean, _, verdict in words.further(arm)]
        table.add_row(escape(arm.label), *cells)
    table.caption = "lower is better; + better than the baseline, - worse"
    return table


def _fitting_table(console: Console, summary: Summary, style: box.Box) -> Table:
    """Leave out columns that the sentences below repeat, as far as the terminal is too narrow."""
    for kept in range(len(_LEAST_NEEDED) + 1):
        table = _table(summary, set(_LEAST_NEEDED[:kept]), style)
        if Measurement.get(console, console.options.update(width=PLAIN_WIDTH), table).maximum <= console.width:
            break
    return table


def _table(summary: Summary, left_out: set[str], style: box.Box) -> Table:
    table = Table(box=style)
    shown = [column for column in words.COLUMNS if column not in left_out]
    for column in shown:
        numeric = column not in ("loss", "runs", "verdict")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=column != "loss", overflow="fold")
    for arm in summary.arms:
        row = dict(zip(words.COLUMNS, map(escape, words.row(arm)), strict=True))
        row["verdict"] = f"[{_COLOURS.get(arm.verdict, 'default')}]{arm.verdict}[/]"
        table.add_row(*(row[column] for column in shown))
    return table
