"""Trials that go wrong in every way, for processes to import."""

import json
import os
import signal
import time
from pathlib import Path


def trial(job, on_epoch):
    return globals()[job["kind"]](job, on_epoch)


def succeeds(job, on_epoch):
    for done in (1, 2):
        on_epoch(done)
    return {"status": "ok", "value": job["value"] ** 2}


def raises(job, on_epoch):
    raise ValueError(f"no {job['value']}")


def is_killed_once(job, on_epoch):
    been_here = Path(job["folder"]) / f"{job['value']}"
    if not been_here.exists():
        been_here.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return succeeds(job, on_epoch)


def is_killed(job, on_epoch):
    os.kill(os.getpid(), signal.SIGKILL)


def exits(job, on_epoch):
    os._exit(3)


def hangs(job, on_epoch):
    on_epoch(1)
    time.sleep(3600)


def gives_what_is_no_json(job, on_epoch):
    return {"status": "ok", "value": object()}


def gives_nan(job, on_epoch):
    return json.loads('{"status": "ok", "value": NaN}')


def shares_a_gpu(job, on_epoch):
    (Path(job["folder"]) / f"{job['value']}").touch()
    while len(os.listdir(job["folder"])) < 4:  # until all four run at a time
        os.sched_yield()
    preallocates = os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"]
    return {"status": "ok", "value": os.environ["CUDA_VISIBLE_DEVICES"], "preallocates": preallocates}
