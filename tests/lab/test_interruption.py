"""Ctrl-C and kill -9: nothing finished is lost, and the same command completes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from losslab.lab import comparison
from losslab.lab.errors import INTERRUPTED
from losslab.lab.interrupt import held_back


def first_finished_run(process):
    """Read stderr until a run is finished."""
    for line in process.stderr:
        if line.startswith("[1/"):
            return
    raise AssertionError("no run was finished")


@pytest.mark.parametrize("executor", ["serial", "local:2"])
def test_ctrl_c_writes_the_report_of_what_there_is(start, tmp_path, small, executor):
    process = start("compare", *small, "--seeds", 1000, "--out", tmp_path, "--executor", executor)
    first_finished_run(process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert stdout.splitlines()[-1] == str(tmp_path / "report.html")
    assert "not run" in stdout
    finished = len((tmp_path / "runs.jsonl").read_text().splitlines())
    assert 1 <= finished < 2000


def test_ctrl_c_while_the_data_are_loaded_is_told(refused, tmp_path, small, monkeypatch):
    def interrupted(spec):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "load", interrupted)
    code, err = refused("compare", *small, "--out", tmp_path / "run")
    assert (code, err) == (130, f"{INTERRUPTED}\n")
    assert list(tmp_path.iterdir()) == []


def test_the_signal_is_told_as_well(tmp_path):
    code = """
import sys, time
from losslab import cli
from losslab.lab import comparison

def load(spec):
    print("loading", flush=True)
    time.sleep(600)

comparison.load = load
sys.exit(cli.run(["compare"]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout, stderr) == (130, "", f"{INTERRUPTED}\n")


def test_ctrl_c_waits_for_the_end_of_an_import():
    done = []

    def imports():
        with held_back():
            signal.raise_signal(signal.SIGINT)
            done.append("the import")

    with pytest.raises(KeyboardInterrupt):
        imports()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with held_back():
        pass


def test_kill_9_and_the_same_command_gives_the_same_summary(start, finished, tmp_path, small):
    killed = start("compare", *small, "--out", tmp_path)
    first_finished_run(killed)
    killed.kill()
    killed.communicate()
    with (tmp_path / "runs.jsonl").open("ab") as log:
        log.write(b'{"id": "torn')
    again = start("compare", *small, "--out", tmp_path)
    _, stderr = again.communicate()
    assert again.returncode == 0, stderr
    assert "was unfinished and was dropped" in stderr
    assert "12 runs, 0 already there" not in stderr
    assert (tmp_path / "summary.json").read_bytes() == (finished[0] / "summary.json").read_bytes()


def test_killed_20_times_it_ends_with_the_same_summary(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 120)
    np.savez(tmp_path / "data.npz", x=rng.normal(size=(120, 4)) + y[:, None], y=y)
    code = Path(__file__).parent / "killed.py"
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, code, tmp_path], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert (killed / "summary.json").read_bytes() == (undisturbed / "summary.json").read_bytes()
    ids = [json.loads(line)["id"] for line in (killed / "runs.jsonl").read_text().splitlines()]
    assert len(ids) == len(set(ids)) == len((undisturbed / "runs.jsonl").read_text().splitlines())
    assert not list(killed.rglob(".unfinished-*"))
    logged = [int(line) for line in done.stdout.splitlines()]
    assert len({length for length in logged if length < len(ids)}) > 3  # not all kills were before the runs, or after
    assert logged.count(len(ids)) > 3


def test_processes_end_with_the_one_that_started_them(tmp_path):
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import trials
from losslab.lab.executors.local import Local

class Watch:
    def started(self, job): pass
    def epoch(self, job, done): print(done, flush=True)

jobs = [{{"kind": "hangs"}}] * 2
with Local(2) as executor:
    list(executor.run(trials.trial, jobs, Watch()))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert [process.stdout.readline() for _ in range(2)] == ["1\n", "1\n"]
    process.kill()
    stdout, stderr = process.communicate(
        timeout=60
    )  # the pipes are theirs as well: they are closed when all have ended
    assert (stdout, stderr) == ("", "")
