"""The comparison from request to report: loads, tunes, runs, and renders what there is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from losslab.lab import analysis, encode, environment, plan, plots, progress, report, store
from losslab.lab.backend import use_keras_on_jax
from losslab.lab.data import Dataset, DataSpec, load, located
from losslab.lab.errors import Exit, LabError
from losslab.lab.executors import executor_for
from losslab.lab.plan import Arm, Protocol
from losslab.lab.sinks import Mirrors, sinks_for
from losslab.lab.split import training_examples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SEEDS = 1000
Arrays = tuple[Any, Any] | tuple[tuple[Any, Any], tuple[Any, Any]]


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        summary: every loss's accuracies, differences and verdict.
        folder: where the runs, plots and report are.
        exit_code: as the command line would return it.
    """

    summary: analysis.Summary
    folder: Path
    exit_code: Exit

    def verdict(self) -> str:
        """A sentence per loss, one a line."""
        return "\n".join(arm.sentence for arm in self.summary.arms)

    def table(self) -> pd.DataFrame:
        """Return a row per loss: learning rate and runs, and for every measure mean, sd, difference, interval, p."""
        rows = {arm.label: _row(arm) for arm in self.summary.arms}
        return pd.DataFrame.from_dict(rows, orient="index")

    def plot(self, name: str = "accuracy") -> Figure:
        """Return one of the report's figures.

        Raises:
            KeyError: there is no figure of that name, or no run to draw.
        """
        config, records = store.read_config(self.folder), store.read_log(self.folder)[0]
        return plots.draw(config, list(records.values()), self.summary)[name]

    def report(self) -> Path:
        """Return the HTML file, which holds everything."""
        return self.folder / report.PAGE


def _row(arm: analysis.ArmResult) -> dict[str, Any]:
    row: dict[str, Any] = {"lr": arm.rate, **arm.counts, "verdict": arm.verdict}
    for key, figure in arm.figures.items():
        row |= {key: figure.mean, f"{key}_sd": figure.sd}
        for part in ("mean", "low", "high", "p", "verdict"):
            name = "difference" if part == "mean" else part
            row[f"{key}_{name}"] = getattr(figure.contrast, part, None)
    return row


def compare(
    data: str | Arrays = "digits",
    losses: Sequence[Any] = plan.DEFAULT_LOSSES,
    *,
    target: str | None = None,
    seeds: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    lr: str = "auto",
    subset: int | None = None,
    optimizer: str = "adam",
    noise: float = 0.0,
    quick: bool = False,
    executor: str = "serial",
    sinks: Sequence[str] = (),
    out: str | Path | None = None,
    show: progress.Silent | None = None,
    command: str = "losslab.lab.compare(...)",
) -> Comparison:
    """Train the same network under several losses, fairly, and say which is better.

    Args:
        data: digits, mnist, fashion_mnist, cifar10, or a .npz or .csv file; or arrays, (x, y) with inputs (N, ...) and
            classes (N,), or ((x, y), (x_test, y_test)). Arrays are kept in the run folder, as data.npz.
        losses: names, parametrised names ("focal:gamma=3") or Loss objects; the first is the baseline.
        target: the column to predict (.csv only).
        seeds: number of paired final runs per loss; None for the default of the network.
        epochs: passes over the training examples; None likewise.
        batch: examples per step, at most all that there are to train on; None likewise.
        lr: "auto" tunes each loss's learning rate, "shared=X" gives all losses the same.
        subset: how many examples to keep (the data set's own test examples stay whole).
        optimizer: "adam", or "sgd" for plain gradient descent, with rates a hundred times as large to try.
        noise: the share of labels of training and validation examples that are made wrong, from 0 to below 1; each
            becomes one of the other classes. Test labels stay.
        quick: a first look: fewer seeds, rates and epochs, where they are not given; the report says so.
        executor: "serial"; "local:4" for four processes on this machine; "dask://HOST:PORT" or "ray://HOST:PORT" for a
            cluster. The results are the same. A script that uses processes needs `if __name__ == "__main__":` around
            what it does.
        sinks: where finished runs are written as well: "tensorboard:DIR" or "mlflow:URI".
        out: run folder, default losslab-runs/DATA. Finished runs in it are not repeated.
        show: what displays the progress; None for nothing.
        command: what the report says it was made by.

    Raises:
        LabError: bad request, data that cannot be used, or a folder that cannot be written.
    """
    _check_counts(seeds=seeds, epochs=epochs, batch=batch, subset=subset)
    if optimizer not in plan.OPTIMIZERS:
        raise LabError(
            f"unknown optimizer '{optimizer}'",
            "no other is compared fairly yet",
            f"give one of {', '.join(plan.OPTIMIZERS)}",
        )
    if not 0 <= noise < 1:
        raise LabError(
            f"noise is {noise}", "it is the share of labels that are made wrong", "give one from 0 to below 1"
        )
    arms = plan.arms(losses)
    for arm in arms:
        encode.check(plan.resolve(arm.loss))
    shared_rate, runner = plan.learning_rate(lr), executor_for(executor)
    name = Path(data).name.split(".")[0] if isinstance(data, str) else "arrays"
    folder = Path(out) if out is not None else Path("losslab-runs") / name
    store.check_writable(folder)
    wanted_sinks = sinks_for(sinks, folder.absolute().name)
    spec = DataSpec(located(data) if isinstance(data, str) else _saved(data, folder / "data.npz"), target, subset)
    dataset = load(spec)
    use_keras_on_jax()
    from losslab.lab.engines import engine_for
    from losslab.lab.rehearsal import rehearse
    from losslab.lab.stages import Session

    model = plan.model_for(dataset.x.shape[1:])
    protocol = plan.protocol(
        model, engine_for(model), shared_rate, quick, noise, optimizer, epochs=epochs, batch=batch, seeds=seeds
    )
    protocol = replace(protocol, batch=min(protocol.batch, training_examples(dataset)))
    for arm in arms:
        rehearse(arm.label, plan.resolve(arm.loss), len(dataset.classes), protocol.batch)
    config = _config(command, spec, dataset, arms, protocol)
    with (
        runner,
        store.Store(folder) as runs,
        show or progress.Silent() as display,
        Mirrors(wanted_sinks, display.note) as mirrors,
    ):
        store.write_json(folder / "config.json", config)
        store.write_json(folder / "env.json", environment.describe())
        session = Session(runs, protocol, config["job_data"], display, runner, mirrors)
        interrupted = session.run(arms)
        summary, _ = report.render(folder)
    return Comparison(summary, folder, _exit_code(summary, interrupted))


def _saved(data: Any, path: Path) -> str:
    """Write arrays to a .npz file and return its path."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(array) for name, array in _named(data).items()}
    np.savez(buffer, allow_pickle=False, **arrays)
    store.write_whole(path, buffer.getvalue())
    return located(str(path))


def _named(data: Any) -> dict[str, Any]:
    """The arrays under the names that a .npz file has them under."""
    with_test = isinstance(data, tuple) and all(isinstance(part, tuple) for part in data)
    arrays = [array for part in data for array in part] if with_test else data
    names = ("x_train", "y_train", "x_test", "y_test") if with_test else ("x", "y")
    if not isinstance(data, tuple) or len(arrays) != len(names):
        raise LabError(
            "data is no data set", "it is neither a name nor arrays", "give (x, y), or ((x, y), (x_test, y_test))"
        )
    return dict(zip(names, arrays, strict=True))


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise LabError(f"{name} is {count}", "there would be nothing to run", f"give --{name} a number from 1")
    if (counts["seeds"] or 0) > MOST_SEEDS:
        raise LabError(f"seeds is {counts['seeds']}", f"more than {MOST_SEEDS} settles nothing further", "use fewer")


def _config(command: str, spec: DataSpec, dataset: Dataset, arms: list[Arm], protocol: Protocol) -> dict[str, Any]:
    return {
        "command": command,
        "data": dataset.describe(),
        "job_data": asdict(spec) | {"digest": dataset.digest},
        "arms": [asdict(arm) | {"group": plan.group_of(arm, protocol, dataset.digest)} for arm in arms],
        "protocol": asdict(protocol),
    }


def _exit_code(summary: analysis.Summary, interrupted: bool) -> Exit:
    if interrupted:
        return Exit.INTERRUPTED
    return Exit.OK if summary.complete else Exit.RUNS_FAILED
