"""losslab.parallel on PyTorch: gloo processes, forked from one of their own."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]

pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked, which this system cannot")
@pytest.mark.parametrize("count", [2, 4])
def test_properties_of_several_processes(count):
    command = [sys.executable, "-W", "error", "-m", "tests.parallel.suite.torch_processes", str(count)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
