"""A run folder's summary.json, plots and report.html, made from its config, environment and log alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2

from losslab.lab import analysis, plots, store, words
from losslab.lab.analysis import Summary
from losslab.lab.plots import files
from losslab.lab.plots.plot import Plot
from losslab.lab.plots.style import colour

PAGE = "report.html"

_CAPTIONS = {
    "difference": (
        "Differences",
        "Mean of the paired differences, with the 95 % interval. Shaded: so small that it is practically equal.",
    ),
    "score": (
        "Test examples",
        "Every final run, and each loss's mean. The runs of one seed share data split, initial weights and batch "
        "order.",
    ),
    "curves": (
        "Training and validation",
        "Mean over the final seeds, band of one standard deviation. Dashed grey: training (running mean over the "
        "epoch). Solid: validation, measured after the epoch. Loss values of different losses are not comparable, "
        "so each loss has its own scale; the other measure has one scale for all.",
    ),
    "target": (
        "How soon",
        "Share of the final runs that have reached the target on the validation examples after so many epochs. A run "
        "that diverged never does.",
    ),
    "reliability": (
        "Can the probabilities be trusted?",
        "Of the test examples for which a network was so sure of its class, the part that it got right, over all final "
        "runs; area: how many there are. On the diagonal confidence is accuracy; below it the network is too sure. "
        "Solid: as predicted. Dashed: after temperature scaling.",
    ),
    "learning_rate": (
        "Learning rate",
        "Validation examples at the last epoch of the tuning runs, mean over the tuning seeds. Only rates at "
        "which the most runs succeeded can be chosen.",
    ),
    "confusion": (
        "Which classes are taken for which",
        "Of the test examples of each true class, the part that the network takes for each class, in per cent, mean "
        "over the final runs.",
    ),
    "levels": (
        "What remains at each level",
        "Mean over the final seeds and its 95 % interval, for each loss by itself. The paired differences in the table "
        "tell losses apart that these intervals do not.",
    ),
}


def render(folder: Path) -> tuple[Summary, Path]:
    """Write the summary, the plots and the report of what the log holds; return the summary and the report's path.

    Raises:
        LabError: the folder holds no run, or a damaged one.
    """
    config = store.read_config(folder)
    environment = store.read_environment(folder)
    records = list(store.read_log(folder)[0].values())
    summary = analysis.summarize(config, records)
    figures = [figure(name, plot) for name, plot in plots.draw(config, records, summary).items()]
    for each in figures:
        write_figure(folder / "plots", each)
    store.write_json(folder / "summary.json", to_json(config, summary))
    page = folder / PAGE
    store.write_whole(page, _html(config, environment, records, summary, figures))
    return summary, page


def summary_of(folder: Path) -> Summary:
    """Return the summary of what the log of a run folder holds. Raises LabError as `render` does."""
    return analysis.summarize(store.read_config(folder), store.read_log(folder)[0].values())


def figure(name: str, plot: Plot) -> dict[str, Any]:
    """Return what the files and a page hold of a figure."""
    title, caption = _CAPTIONS[name]
    files.settle(plot)
    content = {"png": files.png(plot), "svg": files.svg(name, plot), "csv": files.csv(plot)}
    return {"name": name, "title": title, "caption": caption, "places": files.places(plot), **content}


def write_figure(folder: Path, figure: dict[str, Any]) -> None:
    """Write a figure as NAME.png, .svg and .csv."""
    store.write_whole(folder / f"{figure['name']}.png", figure["png"])
    store.write_whole(folder / f"{figure['name']}.svg", files.standing_alone(figure["svg"]))
    store.write_whole(folder / f"{figure['name']}.csv", figure["csv"])


def to_json(config: dict[str, Any], summary: Summary, *, times: bool = False) -> dict[str, Any]:
    """Return the summary as JSON-able data. Without `times`, the same comparison gives the same data anywhere."""
    found = {
        "data": config["data"]["name"],
        "metric": f"test {summary.decides.title}",
        "shared_rate": config["protocol"]["shared_rate"],
        **asdict(summary),
    }
    for arm in found["arms"] if not times else ():
        del arm["effort"]["cost"]
    return found


def _html(
    config: dict[str, Any],
    environment: dict[str, Any],
    records: list[dict[str, Any]],
    summary: Summary,
    figures: list[dict[str, Any]],
) -> str:
    groups = {arm["group"] for arm in config["arms"]}
    own = [record for record in records if record["group"] in groups]
    return template("report.html.j2").render(
        config=config,
        environment=environment,
        summary=summary,
        rows=[words.row(arm, summary.decides) for arm in summary.arms],
        further=words.further(summary),
        better=words.better,
        cell=words.cell,
        columns=words.columns(summary),
        colours=[colour(i) for i in range(len(summary.arms))],
        stamp=words.stamp(config["protocol"]),
        noise=words.noise(summary, config["data"]),
        effort_columns=words.effort_columns(summary),
        efforts=[words.effort_row(arm) for arm in summary.arms],
        target=words.target(summary, config["protocol"]),
        protocol=words.protocol(config),
        failures=[record for record in own if record["status"] == "error"],
        seconds=sum(record["seconds"] for record in own if "seconds" in record),
        runs=len(own),
        figures=figures,
    )


def template(name: str) -> jinja2.Template:
    """Return a page to be filled in."""
    loader = jinja2.PackageLoader("losslab.lab")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template(name)
