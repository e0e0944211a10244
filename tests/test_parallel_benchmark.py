"""The benchmark of losslab.parallel with tiny arrays: what is wrong is not timed, and what is right is."""

import importlib
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
if not hasattr(os, "fork"):
    pytest.skip("the processes are forked, which this system cannot", allow_module_level=True)

BENCHMARKS = pathlib.Path(__file__).parent.parent / "benchmarks"

PLANTED = """
import json
import parallel

def wrong_on_one(part, y_pred):
    if part.rank == 1:
        y_pred.register_hook(lambda gradient: 1.001 * gradient)
    return parallel.ours(part, y_pred)

parallel.LOGITS["wrong on one"] = wrong_on_one
parallel.HIDDEN["of one process"] = lambda part, hidden, weight: parallel.ours(part, hidden @ weight.T)
print(json.dumps(parallel.run(parallel.TINY, 2)))
"""


@pytest.fixture
def parallel(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("parallel")


def test_what_is_wrong_is_not_timed():
    """One gradient is wrong on one process; one lacks the sum over the processes."""
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    done = subprocess.run([sys.executable, "-c", PLANTED], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    logits, hidden = (
        {each["contender"]: each for each in records} for records in json.loads(done.stdout.splitlines()[-1]).values()
    )
    wrong = {"wrong on one": logits.pop("wrong on one"), "of one process": hidden.pop("of one process")}
    assert wrong["wrong on one"]["wrong"].startswith("y_pred is ")
    assert wrong["of one process"]["wrong"].startswith("hidden is ")
    assert not any(each["seconds"] for each in wrong.values())
    assert len(logits) == 3
    assert len(hidden) == 4
    for each in (*logits.values(), *hidden.values()):
        assert each["wrong"] is None, each
        assert len(each["seconds"]) == 2
        assert min(each["seconds"]) > 0


def test_every_process_has_its_own_classes(parallel):
    logits, weight, hidden = (np.arange(12.0).reshape(shape) for shape in ((2, 6), (6, 2), (4, 3)))
    arrays = {"y_pred": logits, "weight": weight, "hidden": hidden}
    first, second = (parallel.own(arrays, rank) for rank in range(2))
    np.testing.assert_array_equal(np.concatenate([first["y_pred"], second["y_pred"]], axis=1), logits)
    np.testing.assert_array_equal(np.concatenate([first["weight"], second["weight"]]), weight)
    assert first["hidden"] is second["hidden"] is hidden


def test_the_table_shows_ratios_of_the_same_round(parallel, monkeypatch, capsys):
    right = [
        {"contender": "ours", "wrong": None, "seconds": [1.0, 2.0, 4.0], "peak": 2**20},
        {"contender": "peer", "wrong": None, "seconds": [3.0, 6.0, 12.0], "peak": None},
    ]
    monkeypatch.setattr(parallel, "run", lambda size, rounds: {"problem": right})
    assert parallel.main(["--tiny"]) == 0
    assert "3.00 (3.00 to 3.00)" in capsys.readouterr().out
    wrong = {"contender": "bad", "wrong": "value is 9 times", "seconds": []}
    monkeypatch.setattr(parallel, "run", lambda size, rounds: {"problem": [*right, wrong]})
    assert parallel.main(["--tiny"]) == 1
    assert "wrong: value is 9 times" in capsys.readouterr().out
