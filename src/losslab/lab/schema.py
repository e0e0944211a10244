"""What the files of a run folder must hold to be read: anybody may have edited them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from losslab.lab.tasks import TASKS

_NUMBER = (int, float)


@dataclass(frozen=True)
class _OrNone:
    """What is as wanted, or null."""

    wanted: Any


_COST = {"label": str, "loss": dict, "definition": str}

CONFIG = {
    "command": str,
    "data": {
        "name": str,
        "examples": int,
        "test_examples": int,
        "own_test": bool,
        "classes": list,
        "digest": str,
    },
    "task": {"name": set(TASKS), "measure": (str, type(None)), "cost": _OrNone(_COST)},
    "arms": [{"label": str, "group": str}],
    "protocol": {
        "model": str,
        "engine": str,
        "epochs": int,
        "batch": int,
        "seeds": int,
        "tuning_seeds": int,
        "rates": [_NUMBER],
        "shared_rate": (*_NUMBER, type(None)),
        "quick": bool,
        "noise": _NUMBER,
        "imbalance": _NUMBER,
        "optimizer": {"adam", "sgd"},
    },
}
LEVELS = {"kind": {"noise", "imbalance"}, "levels": [_NUMBER], "command": str}
ENVIRONMENT = {"python": str, "platform": str, "cpus": (int, type(None)), "packages": dict}

_CURVES = {name: [(*_NUMBER, type(None))] for name in ("loss", "score", "val_loss", "val_score")}
_BY_STATUS: dict[str, dict[str, Any]] = {
    "ok": {"epochs": int, "history": _CURVES, "val_score": (*_NUMBER, type(None)), "seconds": _NUMBER},
    "diverged": {"history": _CURVES, "seconds": _NUMBER},
    "error": {"error": str},
}
_FINAL = {"measures": dict}
# What not every run has: not every task has probabilities or classes
_WHERE_THERE = {"bins": {"after": [[_NUMBER]]}, "confusion": [[int]], "epoch_seconds": [_NUMBER]}
_RUN = {
    "id": str,
    "group": str,
    "stage": {"tune", "final"},
    "label": str,
    "lr": _NUMBER,
    "seed": int,
    "status": set(_BY_STATUS),
}


def fault(value: Any, wanted: Any, name: str = "it") -> str:
    """Say in words what is missing or of another type; "" where everything is there.

    Args:
        value: what JSON gave.
        wanted: a type or tuple of types; a set of values; {name: wanted} for an object, which may hold more; [wanted]
            for a list that is not empty; _OrNone(wanted) for what may be null.
        name: what to call the value.
    """
    if isinstance(wanted, _OrNone):
        return "" if value is None else fault(value, wanted.wanted, name)
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            return f"{name} is no object"
        missing = [f"'{key}' is missing" for key in wanted if key not in value]
        return missing[0] if missing else _first(fault(value[key], wanted[key], f"'{key}'") for key in wanted)
    if isinstance(wanted, list):
        if not isinstance(value, list) or not value:
            return f"{name} is no list with entries"
        return _first(fault(item, wanted[0], f"an entry of {name}") for item in value)
    fits = value in list(wanted) if isinstance(wanted, set) else isinstance(value, wanted)
    return "" if fits else f"{name} is {value!r}"


def fault_of_run(record: Any) -> str:
    """Say what keeps a line of the log from being a finished run; "" if nothing does."""
    if found := fault(record, _RUN) or fault(record, _BY_STATUS[record["status"]]):
        return found
    if record["status"] != "ok":
        return ""
    if record["stage"] == "final" and (found := _fault_of_final(record)):
        return found
    short = [name for name in _CURVES if len(record["history"][name]) != record["epochs"]]
    return f"'{short[0]}' has not one value per epoch" if short else ""


def _fault_of_final(record: Any) -> str:
    there = {key: wanted for key, wanted in _WHERE_THERE.items() if key in record}
    if found := fault(record, _FINAL | there):
        return found
    if any(len(row) != 3 or min(row) < 0 for row in record.get("confusion", [])):
        return "an entry of 'confusion' is no pair of classes with a count"
    measures = record["measures"].items()
    wrong = [key for key, value in measures if not isinstance(value, (*_NUMBER, type(None)))]
    return f"'{wrong[0]}' is no number" if wrong else ""


def _first(faults: Any) -> str:
    return next(filter(None, faults), "")
