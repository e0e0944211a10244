"""Sinks: they have every finished run once, and whatever they do, the comparison goes on."""

import sys
import threading
import types
from importlib.machinery import ModuleSpec

import pytest

from losslab.cli import run
from losslab.lab import extras
from losslab.lab.errors import Exit, LabError
from losslab.lab.sinks import Mirrors, sinks_for

RECORD = {
    "id": "39e16d9e9b6b",
    "label": "loss.py:mine/2",
    "stage": "final",
    "lr": 0.01,
    "seed": 3,
    "status": "ok",
    "model": "mlp",
    "epochs": 2,
    "batch": 32,
    "optimizer": "adam",
    "noise": 0.0,
    "imbalance": 1.0,
    "seconds": 1.5,
    "history": {"loss": [0.5, None], "val_score": [0.25, 0.75]},
    "measures": {"accuracy": 0.5, "nll": None},
}
SCALARS = [("loss", 1, 0.5), ("val_score", 1, 0.25), ("val_score", 2, 0.75), ("test_accuracy", 2, 0.5)]
SCALARS += [("seconds", 2, 1.5)]


@pytest.fixture
def read_events(monkeypatch):
    """TensorBoard's own reader, on its own stub of TensorFlow, which otherwise would be imported."""
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    return lambda path: list(LegacyEventFileLoader(str(path)).Load())


def test_tensorboard_reads_what_was_written(read_events, tmp_path):
    with Mirrors(sinks_for([f"tensorboard:{tmp_path}"], "digits"), pytest.fail) as mirrors:
        mirrors.write(RECORD)
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert path.parent.relative_to(tmp_path).parts == (
        "digits",
        "loss.py:mine_2 final lr 0.01 seed 3 39e16d9e9b6b",
    )
    version, parameters, *events = read_events(path)
    assert version.file_version == "brain.Event:2"
    assert b"loss.py:mine/2" in parameters.summary.value[0].metadata.plugin_data.content
    values = [(value.tag, event.step, value.simple_value) for event in events for value in event.summary.value]
    assert values == SCALARS


class Client:
    """What the sink uses of mlflow.tracking.MlflowClient."""

    runs: dict = {}  # noqa: RUF012

    def __init__(self, tracking_uri):
        if tracking_uri == "nowhere":
            raise ConnectionError("nobody answers\nat all")

    def get_experiment_by_name(self, name):
        assert name == "losslab/digits"

    def create_experiment(self, name):
        return "7"

    def search_runs(self, experiments, wanted, max_results):
        assert experiments == ["7"]
        ended = [run for run in self.runs.values() if run["status"] == "FINISHED"]
        return [run for run in ended if f"tags.`losslab.id` = '{run['tags']['losslab.id']}'" in wanted]

    def create_run(self, experiment, tags):
        self.runs[len(self.runs)] = {"tags": tags, "status": "RUNNING", "metrics": [], "params": {}}
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=len(self.runs) - 1))

    def log_batch(self, run, params=(), metrics=()):
        self.runs[run]["params"].update(params)
        self.runs[run]["metrics"] += metrics

    def set_terminated(self, run, status):
        self.runs[run]["status"] = status


@pytest.fixture
def mlflow(monkeypatch):
    """A stand-in, since the package brings dozens of others: it has the signatures that were tried on the real one."""
    entities = types.SimpleNamespace(Metric=lambda name, value, time, step: (name, step, value), Param=lambda *p: p)
    monkeypatch.setattr(Client, "runs", {})
    monkeypatch.setattr(extras, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setitem(sys.modules, "mlflow", types.ModuleType("mlflow"))
    monkeypatch.setitem(sys.modules, "mlflow.tracking", types.SimpleNamespace(MlflowClient=Client))
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    return Client


def test_mlflow_has_every_run_once(mlflow):
    for _ in range(2):
        with Mirrors(sinks_for(["mlflow:http://host"], "digits"), pytest.fail) as mirrors:
            mirrors.write(RECORD)
            mirrors.write(RECORD | {"history": {"loss": [0.5] * 2500, "val_score": [0.5]}, "id": "long"})
    first, second = mlflow.runs.values()
    assert first["tags"]["losslab.id"] == RECORD["id"]
    assert first["metrics"] == SCALARS
    assert first["params"]["loss"] == "loss.py:mine/2"
    assert len(second["metrics"]) == 2503
    assert {first["status"], second["status"]} == {"FINISHED"}


def test_a_sink_that_fails_is_told_once_and_left_out(mlflow, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    notes = []
    with Mirrors(sinks_for(["mlflow:nowhere", f"tensorboard:{tmp_path}"], "digits"), notes.append) as mirrors:
        for name in "abc":
            mirrors.write(RECORD | {"id": name})
    assert notes == ["--sink mlflow:nowhere is left out from here on: ConnectionError: nobody answers"]
    assert len(list(tmp_path.rglob("events*"))) == 3


@pytest.mark.parametrize("error", [RuntimeError("broken"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_sink_raises_stays_in_it(error):
    class Raises:
        def write(self, record):
            raise error

    notes = []
    with Mirrors({"broken": Raises}, notes.append) as mirrors:
        mirrors.write(RECORD)
    assert len(notes) == 1


def test_a_sink_that_never_answers_holds_up_nothing():
    answer, notes = threading.Event(), []

    class Hangs:
        def write(self, record):
            answer.wait()

    with Mirrors({"slow": Hangs}, notes.append, waiting=0.0) as mirrors:
        mirrors.write(RECORD)
    answer.set()
    assert notes == ["--sink slow is left out from here on: it had not taken all runs 0 s after the last"]


@pytest.mark.parametrize("text", ["", "tensorboard", "tensorboard:", "wandb:x", "board"])
def test_what_is_no_sink_is_refused_before_anything_runs(refused, small, tmp_path, text):
    code, err = refused("compare", *small, "--out", tmp_path / "run", "--sink", text)
    assert code == Exit.USAGE
    assert f"bad sink '{text}'" in err
    assert not (tmp_path / "run").exists()


def test_a_package_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(LabError, match=r"losslab\[mlflow\]"):
        sinks_for(["mlflow:x"], "digits")


def test_a_resumed_comparison_is_mirrored_whole_and_once(tmp_path, small, capsys):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    wanted = ["compare", *small, "--out", str(tmp_path / "run")]
    assert run(wanted) == 0

    def written():
        assert run([*wanted, "--sink", f"tensorboard:{tmp_path / 'boards'}"]) == 0
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "boards").rglob("events*")}

    first = written()
    assert len(first) == 12
    assert written() == first
    assert "--sink" not in capsys.readouterr().err
