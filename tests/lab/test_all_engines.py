"""Every engine, on every backend of Keras, gives the same numbers for the same seed."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

from losslab.lab import plan
from losslab.lab.backend import use_keras
from losslab.lab.data import DataSpec, load

TASK = {"name": "classes", "measure": None, "cost": None}
SPEC = DataSpec("digits", subset=600)
# The losses have class ids and one-hot labels, softmax and sigmoid; each is trained by another optimizer.
RUNS = (("sparse_categorical_crossentropy", "adam", 0.003), ("binary_crossentropy", "sgd", 0.3))
ELSEWHERE = {"tensorflow": ["fit:tensorflow"], "torch": ["fit:torch", "torch"]}
CODE = (
    "import json, sys; from losslab.lab.trainer import run_trial; "
    "print(json.dumps([[run_trial(job) for job in jobs] for jobs in json.load(sys.stdin)]))"
)


def jobs(engine):
    data = asdict(SPEC) | {"digest": load(SPEC).digest}
    found = []
    for loss, optimizer, rate in RUNS:
        chosen = plan.Protocol("mlp", engine, 3, 32, 1, 1, (rate,), optimizer=optimizer)
        found += plan.jobs("final", [(plan.arms([loss])[0], rate)], [0], chosen, TASK, data)
    return found


def begun(engines):
    """Start the runs of engines in a process of one thread, which costs a busy machine least."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("KERAS_BACKEND", None)
    process = subprocess.Popen(
        [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    json.dump([jobs(engine) for engine in engines], process.stdin)
    process.stdin.close()
    return process


@pytest.fixture(scope="module")
def results():
    """Engine -> the results of its runs; those on other backends come from processes beside this one."""
    there = [name for name in ELSEWHERE if importlib.util.find_spec(name)]
    processes = {name: begun(ELSEWHERE[name]) for name in there}
    use_keras("jax")
    from losslab.lab.trainer import run_trial

    found = {engine: [run_trial(job) for job in jobs(engine)] for engine in ("scan", "step", "fit:jax")}
    for name, process in processes.items():
        with process:
            found |= dict(zip(ELSEWHERE[name], json.loads(process.stdout.read()), strict=True))
    return found


@pytest.mark.parametrize("engine", ["step", "fit:jax", "fit:tensorflow", "fit:torch", "torch"])
def test_an_engine_gives_the_numbers_of_scan(results, engine):
    if engine not in results:
        pytest.skip(f"{engine.rpartition(':')[2]} is not installed")
    for scanned, other in zip(results["scan"], results[engine], strict=True):
        assert scanned["status"] == other["status"] == "ok"
        for key, values in scanned["history"].items():
            np.testing.assert_allclose(values, other["history"][key], rtol=1e-5, atol=1e-5, err_msg=key)
        for key in ("accuracy", "nll", "brier"):  # the others count bins, into which a rounding error moves an example
            assert other["measures"][key] == pytest.approx(scanned["measures"][key], rel=1e-5)
        assert other["history"]["loss"][-1] < other["history"]["loss"][0]
