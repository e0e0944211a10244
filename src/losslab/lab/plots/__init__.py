"""The figures of a comparison: a file for each, which says in a table what it shows, and draws that table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

from losslab.lab.analysis import Summary, final_runs
from losslab.lab.plots import confusion, curves, difference, learning_rate, reliability, score, target
from losslab.lab.plots.plot import Found, Plot
from losslab.lab.plots.style import STYLE

Record = Mapping[str, Any]

_FIGURES = {
    "difference": difference,
    "score": score,
    "curves": curves,
    "target": target,
    "learning_rate": learning_rate,
    "reliability": reliability,
    "confusion": confusion,
}


def draw(config: Record, records: Sequence[Record], summary: Summary) -> dict[str, Plot]:
    """Return the figures by name; those without data are left out."""
    runs = [_finished(config["arms"][i]["group"], records, arm) for i, arm in enumerate(summary.arms)]
    found = Found(summary, runs, config["data"]["classes"])
    tables = {name: figure.table(found) for name, figure in _FIGURES.items()}
    with mpl.rc_context(STYLE):
        return {name: _FIGURES[name].draw(table, summary) for name, table in tables.items() if len(table)}


def _finished(group: str, records: Sequence[Record], arm: Any) -> list[Record]:
    """Return the final runs of an arm that did not diverge."""
    own = [record for record in records if record["group"] == group]
    return [record for record in final_runs(own, arm.rate, arm.counts["planned"]) if record["status"] == "ok"]
