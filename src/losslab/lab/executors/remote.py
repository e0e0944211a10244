"""What a worker of a cluster does with a job. It is told names, so that nothing is imported before it is prepared."""

from __future__ import annotations

import importlib
import os
import queue
import socket
from collections.abc import Callable, Mapping
from typing import Any

import losslab
from losslab.lab.errors import LabError
from losslab.lab.executors.protocol import Result, Trial, guarded
from losslab.lab.plan import Job

Tell = Callable[[str, Any], None]


def order(trial: Trial, job: Job) -> dict[str, Any]:
    """What is sent to a worker: plain data."""
    return {"trial": f"{trial.__module__}:{trial.__qualname__}", "version": losslab.__version__, "job": job}


def carry_out(order: Mapping[str, Any], tell: Tell) -> Result:
    """Run a job here.

    Args:
        order: as `order` makes it.
        tell: called with "here" at once, and "epoch" and how many are done.
    """
    tell("here", None)

    def trial(job: Job, on_epoch: Callable[[int], None]) -> Result:
        return _imported(order)(job, on_epoch)

    result = guarded(trial, order["job"], lambda done: tell("epoch", done))
    if result["status"] == "error":
        result["reason"] += f" (on {socket.gethostname()})"
    return result


def _imported(order: Mapping[str, Any]) -> Trial:
    if order["version"] != losslab.__version__:
        raise LabError(
            f"losslab {losslab.__version__} on a worker, {order['version']} where the comparison was started",
            "other versions may give other numbers",
            "install the same version everywhere",
        )
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # others may share the GPU
    module, _, name = order["trial"].partition(":")
    found: Trial = getattr(importlib.import_module(module), name)
    return found


def in_dask(order: Mapping[str, Any], topic: str, number: int) -> Result:
    """Run a job as a task of Dask, which carries what is told as events."""
    from distributed import get_worker

    worker = get_worker()
    return carry_out(order, lambda kind, content: worker.log_event(topic, [number, kind, content]))


class InRay:
    """An actor of Ray: one thread runs a job, another hands out what is told.

    Args:
        environment: variables to set before anything is imported that reads them.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        self._told: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def begun(self) -> list[tuple[str, Any]]:
        """Tell nothing, but that there is an actor."""
        return []

    def run(self, order: Mapping[str, Any]) -> None:
        """Run a job; its result is the last that is told."""
        result = carry_out(order, lambda kind, content: self._told.put((kind, content)))
        self._told.put(("result", result))

    def told(self) -> list[tuple[str, Any]]:
        """Wait until there is something new, and return all of it."""
        found = [self._told.get()]
        while not self._told.empty():
            found.append(self._told.get())
        return found
