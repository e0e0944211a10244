"""Runs in packs: the numbers of scan, and no member touches another."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from losslab import lab
from losslab.lab import plan
from losslab.lab.backend import use_keras
from losslab.lab.data import DataSpec, load
from losslab.lab.engines import choice
from losslab.lab.executors.packed import Packed
from losslab.lab.executors.serial import Serial
from losslab.lab.models import own
from losslab.lab.network import Network
from losslab.lab.tasks import Output

SPEC = DataSpec("digits", subset=300)
RATES = (0.003, 0.01)


def jobs(engine, rates=RATES, model="mlp", **more):
    path, definition = own.named(f"{Path(__file__).parent / 'networks.py'}:{model}") if model != "mlp" else (model, "")
    settings = {"epochs": 3, "batch": 32, "seeds": 2, "tuning_seeds": 1, "rates": rates, "model_definition": definition}
    chosen = plan.Protocol(path, engine, **settings | more)
    dataset = load(SPEC)
    data = asdict(SPEC) | {"digest": dataset.digest}
    task = {"name": dataset.task, "measure": None, "cost": None}
    [arm] = plan.arms(["cce"])
    return plan.jobs("final", [(arm, rate) for rate in rates], [0, 1], chosen, task, data)


@pytest.fixture(scope="module")
def run():
    use_keras("jax")
    from losslab.lab.trainer import run_trial

    return run_trial


@pytest.fixture(scope="module")
def together(run):
    from losslab.lab.pack import run_pack

    return lambda jobs: run_pack({"jobs": jobs})["results"]


# Where classes are made rare, one seed may have an example more than another: such seeds are trained apart.
@pytest.mark.parametrize("settings", [{}, {"model": "with_dropout"}, {"imbalance": 30.0}])
def test_a_pack_gives_the_numbers_of_scan(run, together, settings):
    for one, other in zip(map(run, jobs("scan", **settings)), together(jobs("vmap", **settings)), strict=True):
        for key, values in one["history"].items():
            np.testing.assert_allclose(other["history"][key], values, rtol=1e-5, atol=1e-5, err_msg=key)
        for key in ("accuracy", "nll", "brier"):
            assert other["measures"][key] == pytest.approx(one["measures"][key], rel=1e-5)
        assert len(other["epoch_seconds"]) == 3


def test_a_member_that_diverges_touches_no_other(together):
    sound, spoilt = together(jobs("vmap")), together(jobs("vmap", (RATES[0], 1e30)))
    assert [each["status"] for each in spoilt] == ["ok", "diverged"] * 2
    for place in (0, 2):
        assert spoilt[place]["history"] == sound[place]["history"]
        assert spoilt[place]["measures"] == sound[place]["measures"]
    for place in (1, 3):
        assert spoilt[place]["history"]["loss"][-1] is None
        assert len(spoilt[place]["history"]["loss"]) < 3
        assert "measures" not in spoilt[place]


def test_a_job_alone_is_that_of_scan(run):
    alone, scanned = run(jobs("vmap")[0]), run(jobs("scan")[0])
    assert (alone["history"], alone["measures"]) == (scanned["history"], scanned["measures"])


def test_a_comparison_in_packs(run, tmp_path):
    settings = {"subset": 300, "epochs": 2, "seeds": 2, "lr": "shared=0.003", "out": tmp_path}
    one, packed = (lab.compare("digits", ["cce", "mse"], engine=engine, **settings) for engine in ("scan", "vmap"))
    np.testing.assert_allclose(packed.table().accuracy, one.table().accuracy, atol=1e-6)
    assert "for several runs at once" in packed.report().read_text()


class Watch:
    def __init__(self):
        self.told = []

    def started(self, job):
        self.told.append(("started", job["id"]))

    def epoch(self, job, done):
        self.told.append((done, job["id"]))

    def note(self, text):
        self.told.append(text)


def test_packs_hold_jobs_of_one_loss_and_stage_and_what_ends_one_ends_its_members():
    given = [{"id": n, "group": n % 2, "stage": "final" if n < 8 else "tune"} for n in range(10)]
    packs, watch = [], Watch()

    def trial(pack, on_epoch):
        packs.append([job["id"] for job in pack["jobs"]])
        if 1 in packs[-1]:
            raise ValueError("no luck")
        on_epoch(1)
        return {"status": "ok", "results": [{"status": "ok", "value": job["id"]} for job in pack["jobs"]]}

    found = {job["id"]: result for job, result in Packed(Serial(), trial, 3).run(given, watch)}
    assert sorted(packs) == [[0, 2, 4], [1, 3, 5], [6], [7], [8], [9]]
    assert {key for key, result in found.items() if result["status"] == "error"} == {1, 3, 5}
    assert found[3]["reason"] == "ValueError: no luck"
    assert all(found[key]["value"] == key for key in (0, 2, 4, 6, 7, 8, 9))
    assert {each for each in watch.told if each[0] == 1} == {(1, key) for key in (0, 2, 4, 6, 7, 8, 9)}


@pytest.mark.parametrize(("device", "engine"), [("cpu", "scan"), ("gpu", "vmap")])
def test_the_dense_network_is_packed_where_a_gpu_is(run, monkeypatch, device, engine):
    import jax

    monkeypatch.setattr(jax, "default_backend", lambda: device)
    assert choice.choose("auto", Network("mlp", (8, 8), Output((10,), "linear"))) == engine
