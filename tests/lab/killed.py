"""Run by test_interruption.py in a fresh process: one comparison undisturbed, and one that is killed 20 times.

Every comparison is a fork of this process, which has imported everything and started nothing. It counts what it does:
what the display is told, and both sides of every os.fsync and os.replace. At a number drawn from a seeded generator it
kills itself with SIGKILL, which no code can see coming.
"""

import itertools
import os
import random
import signal
import sys
import traceback
from pathlib import Path

KILLS = 20
STEPS = range(1, 40)


def around(function, step):
    def stepped(*arguments, **options):
        step()
        found = function(*arguments, **options)
        step()
        return found

    return stepped


def display(step):
    from losslab.lab import progress

    class Steps(progress.Silent):
        note = expect = started = epoch = finished = staticmethod(lambda *told: step())

    return Steps()


def compare(data, out, last):
    """Run a comparison in a fork that is killed at step `last`; tell whether it was, and not ready before."""
    from losslab.lab import comparison

    if process := os.fork():
        _, status = os.waitpid(process, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
        return os.WIFSIGNALED(status)
    try:
        steps = itertools.count(1)
        step = lambda: next(steps) == last and os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        os.fsync, os.replace = around(os.fsync, step), around(os.replace, step)
        comparison.compare(data, ["cce", "mse"], quick=True, epochs=2, seeds=3, out=out, show=display(step))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main(folder):
    from losslab.lab import plots, rehearsal, stages  # noqa: F401  # a fork would import them 22 times

    data, out = str(folder / "data.npz"), folder / "killed"
    assert not compare(data, folder / "undisturbed", None)
    draw, kills = random.Random(0), 0
    while kills < KILLS:
        kills += compare(data, out, draw.choice(STEPS))
        log = out / "runs.jsonl"
        print(len(log.read_text().splitlines()) if log.exists() else 0)
    assert not compare(data, out, None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
