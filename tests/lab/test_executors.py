"""Every executor: each job ends once, whatever becomes of the others."""

import contextlib
import importlib
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from losslab.lab import extras, plan
from losslab.lab.data import DataSpec, load
from losslab.lab.errors import Exit, LabError
from losslab.lab.executors import executor_for, remote
from losslab.lab.executors.dask import Dask
from losslab.lab.executors.local import Local
from losslab.lab.executors.ray import Ray
from losslab.lab.executors.serial import Serial
from losslab.lab.executors.supervised import Supervised

EXECUTORS = ["serial", "local", "dask", "ray"]
PATIENCE = 10.0
# How an executor tells that a process is no more
KILLED = {
    "local": "a process was killed by SIGKILL; SIGKILL is what happens where memory runs out",
    "dask": "the Dask worker tcp://127.0.0.1:",
    "ray": "a Ray worker was lost: ActorDiedError: The actor died unexpectedly before finishing this task.",
}
EXITED = KILLED | {"local": "a process ended with exit code 3"}
HANGS = dict.fromkeys(KILLED, "no epoch was finished in 10 s: the run was stopped")


class Watch:
    def __init__(self):
        self.told = []

    def started(self, job):
        self.told.append(("started", job["value"]))

    def epoch(self, job, done):
        self.told.append(("epoch", job["value"], done))

    def note(self, text):
        self.told.append(("note", text))


@pytest.fixture(scope="module")
def trials():
    """The module under a name that a fresh process finds too."""
    folder = str(Path(__file__).parent)
    sys.path.insert(0, folder)
    yield importlib.import_module("trials")
    sys.path.remove(folder)
    del sys.modules["trials"]


def executor_named(name, request):
    if name == "dask":
        return Dask(request.getfixturevalue("dask_cluster"), PATIENCE)
    if name == "ray":
        return Ray(request.getfixturevalue("ray_cluster"), 0.5, PATIENCE)
    return Local(2, PATIENCE) if name == "local" else Serial()


@pytest.fixture(scope="module", params=EXECUTORS)
def executor(request):
    with executor_named(request.param, request) as found:
        found.name = request.param
        yield found


def jobs(tmp_path, *kinds):
    return [{"kind": kind, "value": value, "folder": str(tmp_path)} for value, kind in enumerate(kinds)]


def results(executor, trials, wanted):
    watch = Watch()
    return {job["value"]: result for job, result in executor.run(trials.trial, wanted, watch)}, watch.told


def test_every_job_ends_once_and_is_told(executor, trials, tmp_path):
    found, told = results(executor, trials, jobs(tmp_path, *["succeeds"] * 5))
    assert found == {value: {"status": "ok", "value": value**2} for value in range(5)}
    assert sorted(told) == sorted(
        [("started", v) for v in range(5)] + [("epoch", v, done) for v in range(5) for done in (1, 2)]
    )


def test_no_jobs_at_all(executor, trials):
    assert results(executor, trials, []) == ({}, [])


def test_a_trial_that_raises_is_a_result(executor, trials, tmp_path):
    found, _ = results(executor, trials, jobs(tmp_path, "raises", "succeeds"))
    assert found[0]["status"] == "error"
    assert found[0]["reason"].startswith("ValueError: no 0")
    assert "in raises" in found[0]["error"]
    assert found[1]["status"] == "ok"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("gives_what_is_no_json", "the result is no JSON: Object of type object is not JSON serializable"),
        ("gives_nan", "the result is no JSON: Out of range float values are not JSON compliant"),
    ],
)
def test_a_result_that_is_no_json_is_an_error(executor, trials, tmp_path, kind, reason):
    found, _ = results(executor, trials, jobs(tmp_path, "succeeds", kind))
    assert [found[value]["status"] for value in range(2)] == ["ok", "error"]
    assert found[1]["reason"].startswith(reason)


@pytest.mark.parametrize(("kind", "reasons"), [("is_killed", KILLED), ("exits", EXITED), ("hangs", HANGS)])
def test_what_kills_or_blocks_a_process_costs_its_own_job(executor, trials, tmp_path, kind, reasons):
    if executor.name not in reasons:
        pytest.skip("a trial in this process takes the process with it")
    found, told = results(executor, trials, jobs(tmp_path, "succeeds", kind, "succeeds", "succeeds"))
    assert [found[value]["status"] for value in range(4)] == ["ok", "error", "ok", "ok"]
    assert found[1]["reason"].startswith(reasons[executor.name])
    tried_again = [each for each in told if each[0] == "note"]
    assert len(tried_again) == (kind in ("is_killed", "exits"))


def test_a_job_whose_process_was_killed_is_tried_again(executor, trials, tmp_path):
    if executor.name not in KILLED:
        pytest.skip("a trial in this process takes the process with it")
    found, told = results(executor, trials, jobs(tmp_path, "is_killed_once", "succeeds"))
    assert found == {0: {"status": "ok", "value": 0}, 1: {"status": "ok", "value": 1}}
    assert any("tried once more" in each[1] for each in told if each[0] == "note")


def test_closing_it_stops_what_runs(executor, trials, tmp_path):
    wanted = jobs(tmp_path, "succeeds", *["hangs"] * (2 if executor.name in KILLED else 0))
    with contextlib.closing(executor.run(trials.trial, wanted, Watch())) as running:
        assert next(running)[1]["status"] == "ok"
    found, _ = results(executor, trials, jobs(tmp_path, "succeeds"))
    assert found[0]["status"] == "ok"


def real_jobs(tmp_path):
    """A run on data in a file, and one whose file is not there."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    path = tmp_path / "data.npz"
    np.savez(path, x=rng.normal(size=(60, 4)) + y[:, None], y=y)
    spec = DataSpec(str(path))
    protocol = plan.protocol("mlp", "scan", 0.01, epochs=2, batch=16, seeds=1)
    data = asdict(spec) | {"digest": load(spec).digest}
    task = {"name": "binary", "measure": "accuracy", "cost": None}
    (job,) = plan.jobs("final", [(plan.arms(["mse"])[0], 0.01)], [0], protocol, task, data)
    there = job | {"value": 0}
    return there, there | {"data": data | {"source": str(tmp_path / "elsewhere.npz")}}


def test_a_run_gives_the_same_numbers_everywhere(executor, tmp_path, monkeypatch):
    from losslab.lab.trainer import run_trial

    monkeypatch.setattr(executor, "_patience", 600.0, raising=False)  # this one compiles
    there, missing = real_jobs(tmp_path)
    found, told = [next(executor.run(run_trial, [job], Watch()))[1] for job in (there, missing)]
    here = run_trial(there)
    timeless = {"seconds": 0, "epoch_seconds": []}
    assert found | timeless == here | timeless
    assert told["reason"].startswith("no file elsewhere.npz: there is none in ")


def test_runs_share_a_gpu_that_each_is_told(executor, trials, tmp_path, monkeypatch):
    if executor.name != "ray":
        pytest.skip("only Ray hands out GPUs")
    monkeypatch.setattr(executor, "_patience", 60.0)  # the first waits for the others' processes
    found, _ = results(executor, trials, jobs(tmp_path, *["shares_a_gpu"] * 4))
    assert sorted(each["value"] for each in found.values()) == ["0", "0", "1", "1"]
    assert {each["preallocates"] for each in found.values()} == {"false"}


def test_another_version_on_a_worker_is_an_error_of_the_run(trials, tmp_path):
    (job,) = jobs(tmp_path, "succeeds")
    result = remote.carry_out(remote.order(trials.trial, job) | {"version": "0.0.0"}, lambda kind, content: None)
    assert result["reason"].startswith("losslab ")
    assert "0.0.0 where the comparison was started" in result["reason"]


class Nowhere(Supervised):
    """A cluster without a worker."""

    def __exit__(self, *error): ...

    def _free(self, wanted):
        return []

    def _news(self, timeout):
        return []

    def _give(self, seat, trial, job): ...

    def _stop(self, seats): ...


def test_a_cluster_that_takes_no_run_is_an_error_in_the_end(trials, tmp_path):
    with Nowhere(patience=0.0) as executor, pytest.raises(LabError, match="nowhere to run for 0 s") as refusal:
        list(executor.run(trials.trial, jobs(tmp_path, "succeeds"), Watch()))
    assert refusal.value.exit_code == Exit.ENVIRONMENT


BAD = ["", "local", "local:0", "local:x", "local:257", "Serial", "dask://", "dask://host", "dask://host:x", "ray://"]
BAD += [
    "dask://host:99999",
    "dask://host:1?gpus=1",
    "ray://host",
    "ray://local?gpus=2",
    "ray://auto?gpus=.",
    "ray://a:1/b",
]


@pytest.mark.parametrize("text", BAD)
def test_a_name_that_is_no_executor_is_refused(text):
    with pytest.raises(LabError, match="bad executor"):
        executor_for(text)


def test_names():
    assert isinstance(executor_for("serial"), Serial)
    assert isinstance(executor_for("local:3"), Local)
    assert isinstance(executor_for("dask://[::1]:8786"), Dask)
    for text in ("ray://host:10001", "ray://auto", "ray://local?gpus=0.25"):
        assert isinstance(executor_for(text), Ray)


@pytest.mark.parametrize(("text", "package"), [("dask://host:1", "distributed"), ("ray://auto", "ray")])
def test_a_package_that_is_not_installed_is_told(monkeypatch, text, package):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(LabError, match=f"{package} is not installed") as refusal:
        executor_for(text)
    assert refusal.value.exit_code == Exit.ENVIRONMENT
