"""Results as a table: on the terminal while they are measured, and in the documentation, from the same cells."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import chart
from files import write_whole
from targets import MIB, Target, ours

Record = Mapping[str, Any]

COLUMNS = ("contender", "wall", "CPU", "spread", "its time / ours", "memory", "first call", "to reach", "reached")
WIDTHS = (56, 9, 9, 7, 23, 10, 11, 44, 30)
BEGIN, END = "<!-- measured -->\n", "<!-- end of what is measured -->\n"
QUICK = "Small sizes and few rounds, to see that all works: no claim rests on these figures."


def judged(wanted: Iterable[Target], record: Record) -> list[dict[str, Any]]:
    """The figures to reach, each with what was measured: plain data."""
    judgements = []
    for target in wanted:
        figure = target.figure(record)
        reached = None if figure is None else target.reached(figure)
        shown = None if figure is None else target.shown(figure)
        told = {"against": target.against, "to_reach": target.text, "speed": target.speed}
        judgements.append(told | {"shown": shown, "reached": reached})
    return judgements


def heading(results: Record) -> str:
    """What comes before the table on the terminal."""
    return "\n".join([*facts(results), *([QUICK] if results["quick"] else []), "", "  " + _aligned(COLUMNS)])


def section(record: Record) -> str:
    """A case's part of the table on the terminal."""
    return "\n".join(["", record["title"], *(f"  {_aligned(row)}" for row in rows(record))])


def publish(results: Record, path: Path, page: Path) -> None:
    """The results as JSON, and in the documentation's page, with a picture beside it."""
    write_whole(path, as_json(results).encode())
    write_whole(page.with_suffix(".png"), chart.picture(results))
    write_whole(page, updated(page.read_text(encoding="utf-8"), results).encode())


def as_json(results: Record) -> str:
    return json.dumps(results, indent=1, ensure_ascii=False) + "\n"


def updated(page: str, results: Record) -> str:
    """The page with these results in place of what stood between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown(results)}\n{END}{after}"


def markdown(results: Record) -> str:
    """Machine, picture and table, for the documentation."""
    lines = [*(f"{each}  " for each in facts(results)), "", "![Times over losslab's](benchmarks.png)", ""]
    lines += [_row(COLUMNS), _row(["---"] * len(COLUMNS))]
    for record in results["cases"]:
        lines += [_row([f"**{record['title']}**", *[""] * (len(COLUMNS) - 1)]), *map(_row, rows(record))]
    return "\n".join(lines) + "\n"


def facts(results: Record) -> list[str]:
    """The machine, in sentences."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    load = [", ".join(f"{each:g}" for each in loads) for loads in (machine["load"], results.get("load_at_the_end", []))]
    ended = f", after {results['minutes']:g} minutes {load[1]}" if "minutes" in results else ""
    return [
        f"{machine['processor']}, {machine['cpus']} CPUs; {machine['system']}.",
        f"{versions}.",
        f"Transparent huge pages: {machine['huge_pages']}. Load average at the start {load[0]}{ended}.",
    ]


def rows(record: Record) -> list[tuple[str, ...]]:
    """A row per contender. A target stands in the row of whom it is against, or in the first of ours."""
    own = ours(record)["name"] if record["targets"] else None
    shown = []
    for each in record["contenders"]:
        mine = [target for target in record["targets"] if (target["against"] or own) == each["name"]]
        to_reach = "; ".join(target["to_reach"] for target in mine)
        shown.append((*_figures(each, record["clock"]), to_reach, "; ".join(map(_verdict, mine))))
    return shown


def _figures(each: Record, clock: str) -> tuple[str, ...]:
    if each["status"] != "timed":
        words = {"wrong": "wrong", "unavailable": "not available"}
        return (f"{each['name']} — {words[each['status']]}: {each['reason']}", *[""] * 6)
    name = f"{each['name']}, {each['rate']}" if each["rate"] else each["name"]
    ceiling = each["role"] == "ceiling"
    return (
        name,
        duration(each["wall"]["median"]),
        duration(each["cpu"]["median"]),
        f"{(each[clock]['q3'] - each[clock]['q1']) / each[clock]['median']:.0%}",
        _ratio(each["ratio"]),
        memory(each["extra_bytes"]),
        "" if ceiling else duration(each["first_call"]),
    )


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def memory(held: int | None) -> str:
    """Kernels count in pages of 4 KiB or more: less than 1 MiB says little."""
    if held is None:
        return ""
    return "< 1 MiB" if held < MIB else f"{held / MIB:.4g} MiB"


def _ratio(ratio: Record | None) -> str:
    if ratio is None:
        return ""
    middle, low, high = (f"{ratio[name]:.3g}" for name in ("median", "q1", "q3"))
    return middle if low == high else f"{middle} ({low} to {high})"


def _verdict(target: Record) -> str:
    if target["reached"] is None:
        return "not measured"
    return f"{'yes' if target['reached'] else 'no'}, {target['shown']}"


def _aligned(cells: Sequence[str]) -> str:
    return " ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
