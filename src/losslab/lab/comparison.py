"""The comparison from request to report: loads, tunes, runs, and renders what there is."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import losslab
from losslab.lab import analysis, environment, plan, plots, progress, rehearsal, report, store
from losslab.lab.data import Dataset, DataSpec, load, located
from losslab.lab.engines import choice
from losslab.lab.errors import Exit, LabError
from losslab.lab.executors import executor_for
from losslab.lab.models import own
from losslab.lab.network import Network
from losslab.lab.plan import Arm, Protocol
from losslab.lab.sinks import Mirrors, sinks_for
from losslab.lab.split import scaled, training_examples
from losslab.lab.stages import Session
from losslab.lab.tasks import TASKS, Output, Task, refuse

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SEEDS = 1000
Arrays = tuple[Any, Any] | tuple[tuple[Any, Any], tuple[Any, Any]] | Callable[[], Any]


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        summary: every loss's measures, differences to the baseline and verdict.
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
        """Return a row per loss: learning rate, runs, time, and for every measure mean, sd, difference, interval, p."""
        rows = {arm.label: _row(arm) for arm in self.summary.arms}
        return pd.DataFrame.from_dict(rows, orient="index")

    def plot(self, name: str = "score") -> Figure:
        """Return one of the report's figures.

        Raises:
            KeyError: there is no figure of that name, or no run to draw.
        """
        config, records = store.read_config(self.folder), store.read_log(self.folder)[0]
        return plots.draw(config, list(records.values()), self.summary)[name].figure

    def report(self) -> Path:
        """Return the HTML file, which holds everything."""
        return self.folder / report.PAGE


def _row(arm: analysis.ArmResult) -> dict[str, Any]:
    row: dict[str, Any] = {"lr": arm.rate, **arm.counts, "verdict": arm.verdict}
    row |= {"seconds_per_epoch": arm.effort.cost.seconds, "epochs_to_target": arm.effort.epochs.mean}
    for key, figure in arm.figures.items():
        row |= {key: figure.mean, f"{key}_sd": figure.sd}
        for part in ("mean", "low", "high", "p", "verdict"):
            name = "difference" if part == "mean" else part
            row[f"{key}_{name}"] = getattr(figure.contrast, part, None)
    return row


def compare(
    data: str | Arrays = "digits",
    losses: Sequence[Any] | None = None,
    *,
    target: str | None = None,
    task: str = "auto",
    measure: str | None = None,
    cost: str | losslab.Loss | None = None,
    drop: str = "",
    by: str | None = None,
    seeds: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    lr: str = "auto",
    subset: int | None = None,
    optimizer: str = "adam",
    noise: float = 0.0,
    imbalance: float = 1.0,
    quick: bool = False,
    executor: str = "serial",
    model: str | Callable[..., Any] | None = None,
    engine: str = "auto",
    sinks: Sequence[str] = (),
    out: str | Path | None = None,
    show: progress.Silent | None = None,
    command: str = "losslab.lab.compare(...)",
) -> Comparison:
    """Train the same network under several losses, fairly, and say which is better.

    Args:
        data: digits, mnist, fashion_mnist, cifar10, or a .npz, .csv or .parquet file; or arrays, (x, y) with inputs
            (N, ...) and labels (N, ...), or ((x, y), (x_test, y_test)), or a function that returns them. Arrays are
            kept in the run folder, as data.npz.
        losses: names, parametrised names ("focal:gamma=3") or Loss objects; the first is the baseline; None for some
            that suit the task.
        target: the column to predict, or several with commas between them (tables only).
        task: "classes", "binary", "labels" (several at once), "regression", "segmentation"; "auto" asks the labels.
        measure: the key of the measure that decides; None for the task's own.
        cost: a regression's loss that decides, in the labels' unit: a name ("asymmetric_cost:over=1:under=3"), the path
            of a loss of one's own, or a Loss object.
        drop: columns that are no inputs, with commas between them (tables only).
        by: the column whose values keep examples together; the last of them are the test (tables only).
        seeds: number of paired final runs per loss; None for the default of the network.
        epochs: passes over the training examples; None likewise.
        batch: examples per step, at most all that there are to train on; None likewise.
        lr: "auto" tunes each loss's learning rate, "shared=X" gives all losses the same.
        subset: how many examples to keep (the data set's own test examples stay whole).
        optimizer: "adam", or "sgd" for plain gradient descent, with rates a hundred times as large to try.
        noise: the share of labels of training and validation examples that are made wrong, from 0 to below 1; each
            becomes one of the other classes. Test labels stay.
        imbalance: makes classes rare among the training and validation examples: the first keeps all of its own, the
            last one in so many, those between shares that fall by equal factors. The test stays.
        quick: a first look: fewer seeds, rates and epochs, where they are not given; the report says so.
        executor: "serial"; "local:4" for four processes on this machine; "dask://HOST:PORT" or "ray://HOST:PORT" for a
            cluster. The engine is chosen here, for all of them. A script that uses processes needs
            `if __name__ == "__main__":` around what it does.
        sinks: where finished runs are written as well: "tensorboard:DIR" or "mlflow:URI".
        model: a function that builds the network to train, or its path, "package.module:name" or "file.py:name"; it is
            called with (shape, outputs) and returns a Keras model, a PyTorch module, or a pair (init, apply) of JAX
            functions, which ends in plain scores, without an activation. None for the lab's own.
        engine: what trains: "scan", "step", "vmap", "fit", "fit:tensorflow", "fit:torch", "fit:jax", "torch"; "auto"
            for the fastest that can.
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
    check_disturbance(noise, imbalance)
    engine = choice.prepare(engine)
    path, definition = own.named(model) if model is not None else ("", "")
    asked = None if losses is None else plan.arms(losses)
    shared_rate, runner = plan.learning_rate(lr), executor_for(executor)
    folder = Path(out) if out is not None else folder_for(data)
    store.check_writable(folder)
    wanted_sinks = sinks_for(sinks, folder.absolute().name)
    source = located(data) if isinstance(data, str) else _saved(data, folder / "data.npz")
    dataset = load(spec := DataSpec(source, target, subset, task, drop, by))
    judged = _task(dataset, measure, cost, noise > 0 or imbalance != 1)
    arms = asked or plan.arms(plan.DEFAULT_LOSSES[dataset.task])
    made = [plan.resolve(arm.loss) for arm in arms]
    for loss in made:
        refuse(judged, loss, dataset.labels)
    usual = plan.model_for(dataset.task, dataset.x.shape[1:])
    networks = _networks(path or usual, definition, dataset, judged, made)
    engine = choice.choose(engine, networks[0])
    protocol = plan.protocol(
        usual, engine, shared_rate, quick, noise, imbalance, optimizer, epochs=epochs, batch=batch, seeds=seeds
    )
    batch = min(protocol.batch, training_examples(dataset, imbalance))
    protocol = replace(protocol, batch=batch, model=path or usual, model_definition=definition)
    for network in networks:
        rehearsal.rehearse_model(network, engine, scaled(dataset, dataset.x[:batch]))
    for arm, loss in zip(arms, made, strict=True):
        rehearsal.rehearse(arm.label, loss, judged, dataset, batch, engine)
    config = _config(command, spec, dataset, judged, arms, protocol)
    with (
        runner,
        store.Store(folder) as runs,
        show or progress.Silent() as display,
        Mirrors(wanted_sinks, display.note) as mirrors,
    ):
        store.write_json(folder / "config.json", config)
        store.write_json(folder / "env.json", environment.describe())
        session = Session(runs, protocol, config["job_data"], judged, display, runner, mirrors)
        interrupted = session.run(arms)
        summary, _ = report.render(folder)
    return Comparison(summary, folder, _exit_code(summary, interrupted))


def folder_for(data: Any, ending: str = "") -> Path:
    """The run folder where none is named."""
    name = Path(data).name.split(".")[0] if isinstance(data, str) else "arrays"
    return Path("losslab-runs") / f"{name}{ending}"


def _saved(data: Any, path: Path) -> str:
    """Write arrays to a .npz file and return its path."""
    data = data() if callable(data) else data
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


def check_disturbance(noise: float = 0.0, imbalance: float = 1.0) -> None:
    """Raise LabError unless the numbers can be a share of wrong labels and a ratio of classes."""
    if not 0 <= noise < 1:
        raise LabError(
            f"noise is {noise}", "it is the share of labels that are made wrong", "give one from 0 to below 1"
        )
    if not 1 <= imbalance < math.inf:
        raise LabError(
            f"imbalance is {imbalance}", "it is how many times as many the first class has", "give a number from 1"
        )


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise LabError(f"{name} is {count}", "there would be nothing to run", f"give --{name} a number from 1")
    if (counts["seeds"] or 0) > MOST_SEEDS:
        raise LabError(f"seeds is {counts['seeds']}", f"more than {MOST_SEEDS} settles nothing further", "use fewer")


def _task(dataset: Dataset, measure: str | None, cost: Any, disturbed: bool) -> Task:
    """What is learned, and by which measure it is judged."""
    task = TASKS[dataset.task](measure or dataset.measure, None if cost is None else _cost(cost, dataset))
    task.check()
    if disturbed and not task.has_classes:
        raise LabError(
            f"noise or imbalance for the task '{task.name}'",
            "labels are made wrong, and rare, where each example has one of several classes",
            "leave them out",
        )
    return task


def _cost(given: Any, dataset: Dataset) -> dict[str, Any]:
    """The loss that judges a regression, as jobs and config.json hold it."""
    if dataset.task != "regression":
        raise LabError(f"--cost {given} for the task '{dataset.task}'", "a cost compares numbers", "leave it out")
    [arm], loss = plan.arms([given]), plan.resolve(given)
    if reason := TASKS[dataset.task]().refusal(loss, dataset.labels):
        raise LabError(
            f"{arm.label} cannot be the cost of these numbers",
            reason,
            "choose another loss: losslab list names what each compares",
        )
    rehearsal.rehearse_cost(arm.label, loss, dataset)
    return asdict(arm)


def _networks(
    model: str, definition: str, dataset: Dataset, task: Task, losses: Sequence[losslab.Loss]
) -> list[Network]:
    """The networks of a comparison, by how many outputs the losses need."""
    shapes = dict.fromkeys(task.output(loss, dataset.labels).shape for loss in losses)
    return [Network(model, dataset.x.shape[1:], Output(shape, "linear"), definition) for shape in shapes]


def _config(
    command: str, spec: DataSpec, dataset: Dataset, task: Task, arms: list[Arm], protocol: Protocol
) -> dict[str, Any]:
    groups = [plan.group_of(arm, protocol, task.describe(), dataset.digest) for arm in arms]
    return {
        "command": command,
        "data": dataset.describe(),
        "job_data": asdict(spec) | {"digest": dataset.digest},
        "task": task.describe(),
        "arms": [asdict(arm) | {"group": group} for arm, group in zip(arms, groups, strict=True)],
        "protocol": asdict(protocol),
    }


def _exit_code(summary: analysis.Summary, interrupted: bool) -> Exit:
    if interrupted:
        return Exit.INTERRUPTED
    return Exit.OK if summary.complete else Exit.RUNS_FAILED
