"""What a benchmark case is: inputs, a float64 reference, contenders, and the figures to reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from targets import Target

Arrays = dict[str, Any]  # NumPy arrays and scalars, by name
Size = Mapping[str, int]


class Role(StrEnum):
    OURS = "ours"
    PEER = "peer"
    CEILING = "ceiling"  # the least work that any implementation does, with nothing around it: its result is no loss


@dataclass(frozen=True)
class Call:
    """One step, ready to be timed: forward and backward, or forward alone.

    Attributes:
        run: gives the "value" and the gradients by the names of their inputs; all is finished when it returns.
        planned_bytes: temporaries and results of `run`, where a compiler knows them.
    """

    run: Callable[[], Mapping[str, Any]]
    planned_bytes: Callable[[], int] | None = None


Build = Callable[[Arrays], Call]


@dataclass(frozen=True)
class Rate:
    """What a call does per second: `amount` gives how much, in `unit` × seconds, from the sizes of the case."""

    unit: str
    amount: Callable[..., float]


@dataclass(frozen=True)
class Contender:
    """One way to compute a case.

    Attributes:
        build: makes the call from the inputs, importing what it needs; an error says why it is not available.
        environment: variables that its process starts with.
        size, quick: its own size where that is what is compared, as when something grows.
        in_quick: whether it takes part with `--quick`.
        rate: what to show beside its time.
    """

    name: str
    build: Build
    role: Role = Role.PEER
    environment: Mapping[str, str] = field(default_factory=dict)
    size: Size | None = None
    quick: Size | None = None
    in_quick: bool = True
    rate: Rate | None = None


@dataclass(frozen=True)
class Case:
    """One question, asked of several contenders.

    Attributes:
        size, quick: the arguments of `inputs`, in full and with `--quick`.
        reference: "value" and gradients for these inputs, in float64.
        contenders: the first of role OURS is what ratios are against.
        threads: a measurement for each of these numbers of threads.
        grows: the size of which time and memory are a function, where that is the question.
        rtol: how far a result may be from the reference, relative to it.
        module: whose `CASES` hold it, so that a process of its own finds it; bench.py enters it.
    """

    name: str
    title: str
    inputs: Callable[..., Arrays]
    reference: Callable[[Arrays], Arrays]
    contenders: tuple[Contender, ...]
    size: Size = field(default_factory=dict)
    quick: Size = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    threads: tuple[int, ...] = (1,)
    grows: str | None = None
    rtol: float = 1e-4
    module: str = ""

    def size_of(self, contender: Contender, quick: bool) -> Size:
        own = contender.quick if quick else contender.size
        return own or (self.quick if quick else self.size)
