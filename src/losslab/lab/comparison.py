"""The comparison from request to report: loads, tunes, runs, and renders what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from losslab.lab import analysis, encode, environment, plan, progress, report, store
from losslab.lab.backend import use_keras_on_jax
from losslab.lab.data import Dataset, DataSpec, load
from losslab.lab.errors import Exit, LabError
from losslab.lab.plan import Arm, Protocol
from losslab.lab.split import training_examples

MOST_SEEDS = 1000


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        summary: every loss's accuracies, differences and verdict.
        folder: where the runs, plots and report are.
        report: the HTML file.
        exit_code: as the command line would return it.
    """

    summary: analysis.Summary
    folder: Path
    report: Path
    exit_code: Exit

    @property
    def verdicts(self) -> list[str]:
        """One sentence per loss."""
        return [arm.sentence for arm in self.summary.arms]


def compare(
    data: str = "digits",
    losses: Sequence[Any] = plan.DEFAULT_LOSSES,
    *,
    target: str | None = None,
    seeds: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    lr: str = "auto",
    subset: int | None = None,
    out: str | Path | None = None,
    show: progress.Silent | None = None,
    command: str = "losslab.lab.compare(...)",
) -> Comparison:
    """Train the same network under several losses, fairly, and say which is better.

    Args:
        data: digits, mnist, fashion_mnist, cifar10, or a .npz or .csv file.
        losses: names, parametrised names ("focal:gamma=3") or Loss objects; the first is the baseline.
        target: the column to predict (.csv only).
        seeds: number of paired final runs per loss; None for the default of the network.
        epochs: passes over the training examples; None likewise.
        batch: examples per step, at most all that there are to train on; None likewise.
        lr: "auto" tunes each loss's learning rate, "shared=X" gives all losses the same.
        subset: how many examples to keep (the data set's own test examples stay whole).
        out: run folder, default losslab-runs/DATA. Finished runs in it are not repeated.
        show: what displays the progress; None for nothing.
        command: what the report says it was made by.

    Raises:
        LabError: bad request, data that cannot be used, or a folder that cannot be written.
    """
    _check_counts(seeds=seeds, epochs=epochs, batch=batch, subset=subset)
    arms = plan.arms(losses)
    for arm in arms:
        encode.check(plan.resolve(arm.loss))
    shared_rate = plan.learning_rate(lr)
    spec = DataSpec(data, target, subset)
    folder = Path(out) if out is not None else Path("losslab-runs") / Path(data).name.split(".")[0]
    store.check_writable(folder)
    dataset = load(spec)
    use_keras_on_jax()
    from losslab.lab.engines import engine_for
    from losslab.lab.rehearsal import rehearse
    from losslab.lab.stages import Session

    model = plan.model_for(dataset.x.shape[1:])
    protocol = plan.protocol(model, engine_for(model), shared_rate, epochs=epochs, batch=batch, seeds=seeds)
    protocol = replace(protocol, batch=min(protocol.batch, training_examples(dataset)))
    for arm in arms:
        rehearse(arm.label, plan.resolve(arm.loss), len(dataset.classes), protocol.batch)
    config = _config(command, spec, dataset, arms, protocol)
    with store.Store(folder) as runs, show or progress.Silent() as display:
        store.write_json(folder / "config.json", config)
        store.write_json(folder / "env.json", environment.describe())
        session = Session(runs, protocol, config["job_data"], display)
        interrupted = session.run(arms)
        summary, page = report.render(folder)
    return Comparison(summary, folder, page, _exit_code(summary, interrupted))


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
