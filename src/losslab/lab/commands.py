"""The commands of `losslab`. What they need is imported when they run, so that the help appears at once."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from losslab.lab import plan, readers
from losslab.lab.errors import INTERRUPTED


class Commands(typer.core.TyperGroup):
    """Runs a command, and passes Ctrl-C on: typer itself would end without a word."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the context names."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise INTERRUPTED from error


app = typer.Typer(
    cls=Commands,
    help="Write a loss once, use it everywhere, know what it does, and see which one your data wants.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON summary instead of the table.")]


@app.callback(invoke_without_command=True)
def losslab(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False
) -> None:
    """Show the version, or the help when no command is given."""
    if version:
        import losslab

        print(losslab.__version__)
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def compare(
    data: Annotated[
        str, typer.Option(help=f"{', '.join(readers.NAMED)}, FILE.npz (x, y), FILE.csv, FILE.parquet.")
    ] = "digits",
    target: Annotated[str | None, typer.Option(help="Column to predict (tables only).")] = None,
    task: Annotated[str, typer.Option(help=f"{', '.join(plan.DEFAULT_LOSSES)}; auto asks the labels.")] = "auto",
    measure: Annotated[str | None, typer.Option(help="Measure that decides [default: the task's].")] = None,
    cost: Annotated[str | None, typer.Option(help="Loss that decides a regression, in the labels' unit.")] = None,
    drop: Annotated[str, typer.Option(help="Columns to leave out (tables only).")] = "",
    by: Annotated[
        str | None, typer.Option(help="Column whose values keep examples together; the last are the test.")
    ] = None,
    losses: Annotated[
        str | None,
        typer.Option(
            help="Losses to compare; the first is the baseline. Parameters: focal:gamma=3 [default: by task]."
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help=f"Paired final runs per loss {plan.default_words('seeds')}.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help=f"Epochs per run {plan.default_words('epochs')}.")] = None,
    batch: Annotated[int | None, typer.Option(help=f"Batch size {plan.default_words('batch')}.")] = None,
    lr: Annotated[str, typer.Option(help="auto: each loss its own, tuned. shared=X: X for all.")] = "auto",
    subset: Annotated[int | None, typer.Option(help="Keep so many examples.")] = None,
    optimizer: Annotated[str, typer.Option(help=f"{' or '.join(plan.OPTIMIZERS)}.")] = "adam",
    noise: Annotated[
        str, typer.Option(help="Share of training and validation labels that are made wrong; 0,0.2,0.4 for a curve.")
    ] = "0",
    imbalance: Annotated[
        str, typer.Option(help="Times as many of the first class as of the last; 1,10,100 for a curve.")
    ] = "1",
    quick: Annotated[bool, typer.Option("--quick", help="A first look: few seeds, rates and epochs.")] = False,
    executor: Annotated[
        str, typer.Option(help="Where runs go: serial, local:N processes, dask://HOST:PORT or ray://HOST:PORT.")
    ] = "serial",
    sink: Annotated[
        list[str] | None, typer.Option(help="Where runs go as well: tensorboard:DIR or mlflow:URI (repeatable).")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Your model: package.module:name or file.py:name of the function that builds it.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="What trains: auto, scan, step, vmap, fit, fit:tensorflow, fit:torch, fit:jax or torch.")
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="Run folder [default: losslab-runs/DATA].")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Train the same network under several losses, fairly, and say which is better.

    Rerunning the same command resumes: finished runs are not repeated.
    """
    from losslab.lab import comparison, levels, progress

    settings: dict[str, Any] = {
        "target": target,
        "task": task,
        "measure": measure,
        "cost": cost,
        "drop": drop,
        "by": by,
        "seeds": seeds,
        "epochs": epochs,
        "batch": batch,
        "lr": lr,
        "subset": subset,
        "optimizer": optimizer,
        "quick": quick,
        "executor": executor,
        "sinks": sink or (),
        "model": model,
        "engine": engine,
        "out": out,
        "command": shlex.join(["losslab", *sys.argv[1:]]),
    }
    named = None if losses is None else plan.split_names(losses)
    kind, several, single = plan.levels(noise, imbalance)
    settings |= single
    if kind:
        found = levels.compare_levels(kind, several, data, named, show=progress.for_stderr, **settings)
        _print_levels(found.folder, as_json)
        return int(found.exit_code)
    one = comparison.compare(data, named, show=progress.for_stderr(), **settings)
    _print(one.folder, as_json)
    return int(one.exit_code)


@app.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(help="Run folder that losslab compare wrote.")],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the plots and the report of a run folder again."""
    from losslab.lab import levels, report, store

    if (folder / store.LEVELS).exists():
        levels.render(folder)
        _print_levels(folder, as_json)
    else:
        report.render(folder)
        _print(folder, as_json)


def _print(folder: Path, as_json: bool) -> None:
    """Print what a run folder's comparison found."""
    from losslab.lab import report, store, terminal

    if as_json:
        print(json.dumps(_as_json(folder) | {"report": str(folder / report.PAGE)}, indent=2))
    else:
        terminal.print_summary(store.read_config(folder), report.summary_of(folder))
        print(folder / report.PAGE)


def _as_json(folder: Path) -> dict[str, Any]:
    from losslab.lab import report, store

    return report.to_json(store.read_config(folder), report.summary_of(folder), times=True)


def _print_levels(folder: Path, as_json: bool) -> None:
    """Print what the comparisons of a folder of levels found."""
    from losslab.lab import levels, report, store, terminal

    config = store.read_levels(folder)
    places = {level: levels.folder_of(folder, config["kind"], level) for level in config["levels"]}
    if as_json:
        found = {level: _as_json(at) for level, at in places.items()}
        print(json.dumps({config["kind"]: found, "report": str(folder / report.PAGE)}, indent=2))
        return
    for level, at in places.items():
        print(f"{config['kind']} {level:g}")
        terminal.print_summary(store.read_config(at), report.summary_of(at))
    print(folder / report.PAGE)


@app.command("list")
def list_command(debug: Debug = False) -> None:
    """Name all losses, with their aliases and what they are."""
    from losslab.lab import listing

    listing.print_losses()


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, debug: Debug = False) -> None:
    """Show the machine and the versions of the packages that matter."""
    from losslab.lab import environment

    found = environment.describe()
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(f"Python {found['python']} on {found['platform']}, {found['cpus']} CPUs")
    for name, version in found["packages"].items():
        print(f"{name:14} {version or 'not installed'}")
