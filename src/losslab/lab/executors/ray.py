"""Jobs on a Ray cluster, each in an actor: a process of its own, which may have a share of a GPU."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from losslab.lab.errors import Exit, LabError, own_words
from losslab.lab.executors import remote
from losslab.lab.executors.protocol import Trial
from losslab.lab.executors.supervised import PATIENCE, News, Seat, Supervised
from losslab.lab.extras import needs
from losslab.lab.interrupt import held_back
from losslab.lab.plan import Job

PLACES = ("auto", "local")
_LOOKING = 1.0
# Ray hides no GPU from an actor that has none, and JAX would take most of its memory.
_NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


@dataclass(eq=False, kw_only=True)
class _Actor(Seat):
    """An actor, what will hold what it tells next, and whether the cluster had a place for it and it has begun."""

    handle: Any
    next: Any
    alive: bool = False


class Ray(Supervised[_Actor]):
    """Runs jobs in as many actors as the cluster has CPUs, or shares of GPUs.

    Args:
        address: HOST:PORT of the cluster's client server, "auto" for the cluster that this machine belongs to, or
            "local" for one on this machine that ends with the block.
        gpus: the share of a GPU that a run has, from 0 to 1.
        patience: seconds without an epoch or a result after which a run is stopped.
    """

    def __init__(self, address: str, gpus: float = 0.0, patience: float = PATIENCE) -> None:
        super().__init__(patience)
        needs("ray", "ray", "--executor ray://")
        self._address = address if address in PLACES else f"ray://{address}"
        self._gpus = gpus
        self._actors: list[_Actor] = []
        self._ray: Any = None
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Self:
        os.environ["RAY_ENABLE_AUTO_CONNECT"] = (
            "0"  # a cluster that is gone is not to be replaced by one on this machine
        )
        with held_back():
            import ray

        self._ray = ray
        with contextlib.ExitStack() as opened:
            # A thread of Ray's prints news of the cluster to stdout, where results go
            opened.enter_context(contextlib.redirect_stdout(sys.stderr))
            opened.callback(ray.shutdown)
            self._connect()
            self._check_room()
            self._opened = opened.pop_all()
        return self

    def _connect(self) -> None:
        try:
            with warnings.catch_warnings(action="ignore"):
                self._ray.init(self._address, log_to_driver=False, logging_level=logging.ERROR, **self._options())
        except Exception as error:  # it raises many types
            raise LabError(
                f"no Ray cluster at {self._address}",
                own_words(error),
                "start one with `ray start --head`, whose client server listens on port 10001; "
                "where it asks for a token, set RAY_AUTH_MODE=token",
                Exit.ENVIRONMENT,
            ) from error

    def _check_room(self) -> None:
        cpus, gpus = (self._ray.cluster_resources().get(name, 0) for name in ("CPU", "GPU"))
        share = f"{self._gpus:g} GPU" if self._gpus else "1 CPU"
        if self._room() < 1:
            raise LabError(
                f"no room for a run in the Ray cluster at {self._address}",
                f"it has {cpus:g} CPUs and {gpus:g} GPUs; a run takes {share}",
                "add nodes, or leave ?gpus= out",
                Exit.ENVIRONMENT,
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._actors.clear()
        self._opened.close()

    def _free(self, wanted: int) -> Sequence[_Actor]:
        idle = [each for each in self._actors if each.job is None]
        with self._told_if_gone():
            missing = min(self._room() - len(self._actors), wanted - len(idle))
            self._actors += [self._begun() for _ in range(missing)]
        return [each for each in idle if each.alive][:wanted]

    def _options(self) -> dict[str, Any]:
        return {"include_dashboard": False} if self._address == "local" else {}

    @contextlib.contextmanager
    def _told_if_gone(self) -> Iterator[None]:
        """Tell whatever Ray raises as the end of the cluster: it has many types for it."""
        try:
            yield
        except LabError:
            raise
        except Exception as error:
            raise LabError(
                f"the Ray cluster at {self._address} is gone",
                own_words(error),
                "start it again; the same command resumes, and finished runs are kept",
                Exit.ENVIRONMENT,
            ) from error

    def _room(self) -> int:
        """How many runs the cluster has place for, were it all ours."""
        there = self._ray.cluster_resources()
        return int(there.get("GPU", 0)) * int(1 / self._gpus) if self._gpus else int(there.get("CPU", 0))

    def _begun(self) -> _Actor:
        kind = self._ray.remote(remote.InRay)
        share = {"num_cpus": 0, "num_gpus": self._gpus} if self._gpus else {"num_cpus": 1}
        handle = kind.options(**share, max_restarts=0, max_concurrency=2).remote({} if self._gpus else _NO_GPU)
        return _Actor(handle=handle, next=handle.begun.remote())

    def _give(self, seat: _Actor, trial: Trial, job: Job) -> None:
        seat.heard = None
        seat.handle.run.remote(remote.order(trial, job))
        seat.next = seat.handle.told.remote()

    def _news(self, timeout: float) -> Sequence[News[_Actor]]:
        told = {each.next: each for each in self._actors if each.job is not None or not each.alive}
        if not told:
            time.sleep(_LOOKING)
            return []
        with self._told_if_gone():
            there, _ = self._ray.wait(list(told), num_returns=1, timeout=min(timeout, _LOOKING))
            return [(told[ref], *each) for ref in there for each in self._said(told[ref])]

    def _said(self, seat: _Actor) -> list[tuple[str, Any]]:
        try:
            told: list[tuple[str, Any]] = self._ray.get(seat.next)
        except self._ray.exceptions.RayTaskError as error:
            raise LabError(
                f"a Ray worker cannot begin: {own_words(error)}",
                "it cannot import losslab",
                "install the same version of losslab on every node; the same command resumes",
                Exit.ENVIRONMENT,
            ) from error
        except self._ray.exceptions.RayError as error:
            self._actors.remove(seat)
            return [("lost", f"a Ray worker was lost: {own_words(error)}")]
        seat.alive = True
        if told and told[-1][0] != "result":
            seat.next = seat.handle.told.remote()
        return told

    def _stop(self, seats: Sequence[_Actor]) -> None:
        self._actors = [each for each in self._actors if each not in seats]
        with contextlib.suppress(Exception):  # where the cluster is gone, so are they
            for each in seats:
                self._ray.kill(each.handle)
