"""Properties that hold on several processes at once: each is a function of a `Rank`, run by all of them together."""

import contextlib
import datetime
import os
import signal
import tempfile
import traceback
from dataclasses import dataclass

import torch
import torch.distributed as dist

PROPERTIES = []


@dataclass(frozen=True)
class Rank:
    """One of the processes."""

    number: int
    count: int


def on_ranks(function):
    """Declare a property."""
    PROPERTIES.append(function)
    return function


def run(count):
    """Every property on `count` processes, forked from this one: torch is imported once. The number of failures."""
    with tempfile.TemporaryDirectory() as folder:
        children = [os.fork() or _child(Rank(number, count), f"file://{folder}/meeting") for number in range(count)]
        return sum(os.waitpid(child, 0)[1] != 0 for child in children)


def _child(rank, meeting):
    """Run the properties; a process that fails ends, so that none of the others waits for it any longer."""
    signal.alarm(300)
    try:
        torch.set_num_threads(1)
        patience = datetime.timedelta(seconds=60)
        dist.init_process_group("gloo", meeting, patience, rank.count, rank.number)
        for function in PROPERTIES:
            function(rank)
        dist.destroy_process_group()
    except BaseException:  # pytest's own failures are no Exception
        print(f"rank {rank.number} of {rank.count} in {function.__name__}:\n{traceback.format_exc()}", flush=True)
        os._exit(1)
    os._exit(0)


@contextlib.contextmanager
def counted_collectives():
    """The collectives that this process takes part in: (name, bytes that it sends)."""
    found, kept = [], {}

    def wrapper(name, original, which):
        def counting(*arguments, **keywords):
            sent = arguments[which]
            found.append((name, sent.numel() * sent.element_size()))
            return original(*arguments, **keywords)

        return counting

    for name, which in (("all_gather_single", 1), ("all_gather_into_tensor", 1), ("all_reduce", 0), ("broadcast", 0)):
        if not hasattr(dist, name):
            continue  # of another version of torch
        kept[name] = getattr(dist, name)
        setattr(dist, name, wrapper(name, kept[name], which))
    try:
        yield found
    finally:
        for name, original in kept.items():
            setattr(dist, name, original)
