"""What a sink is told of a run."""

from __future__ import annotations

from collections.abc import Iterator

from losslab.lab.store import Record

_PARAMETERS = ("label", "lr", "seed", "stage", "status", "model", "epochs", "batch", "optimizer", "noise", "imbalance")


def title(record: Record) -> str:
    """What to call a run; no two have the same name."""
    return f"{record['label']} {record['stage']} lr {record['lr']:g} seed {record['seed']} {record['id']}"


def parameters(record: Record) -> dict[str, str | float]:
    """Return what the run was given: its loss, learning rate, seed and the like."""
    return {"loss" if name == "label" else name: record[name] for name in _PARAMETERS}


def scalars(record: Record) -> Iterator[tuple[str, int, float]]:
    """Yield (name, epoch, value): the curves, and at the last epoch what the test examples gave."""
    for name, values in record["history"].items():
        yield from ((name, epoch, value) for epoch, value in enumerate(values, start=1) if value is not None)
    last = len(record["history"]["loss"])
    measured = record.get("measures", {}).items()
    yield from ((f"test_{name}", last, value) for name, value in measured if value is not None)
    yield "seconds", last, record["seconds"]
