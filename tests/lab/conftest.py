"""Fixtures of the lab's tests: the command line in this process and in its own, and clusters on this machine."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# A comparison small enough to run many times: 12 runs of a few hundredths of a second each.
SMALL = ["--subset", "300", "--epochs", "3", "--seeds", "6", "--lr", "shared=0.01", "--losses", "cce,mse"]


@pytest.fixture(scope="session")
def small():
    return list(SMALL)


@pytest.fixture(scope="session")
def start():
    """Start `python -m losslab` with these arguments in its own process."""

    def popen(*arguments, **options):
        return subprocess.Popen(
            [sys.executable, "-m", "losslab", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    return popen


@pytest.fixture(scope="session")
def finished(start, tmp_path_factory, small):
    """A finished small comparison: (run folder, its process, stdout, stderr). Read it only."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    process = start("compare", *small, "--out", folder, env=os.environ | {"KERAS_BACKEND": "torch"})
    stdout, stderr = process.communicate()
    return folder, process, stdout, stderr


@pytest.fixture
def refused(capsys):
    """Run a command line in this process; return its exit code and its stderr, which must be three lines."""
    from losslab.cli import run

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        lines = captured.err.splitlines()
        assert [line.split(":")[0] for line in lines] == ["error", "why", "fix"], captured.err
        assert captured.out == ""
        return code, captured.err

    return call


# Clusters are processes that end with their standard input: with the tests, however these end.
DASK = """
import sys
from distributed import LocalCluster
with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""

RAY = """
import os, subprocess, sys
command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
os.environ.pop("CUDA_VISIBLE_DEVICES", None)  # what is hidden, Ray does not take on trust
with subprocess.Popen([*command, *sys.argv[1:]], stderr=subprocess.STDOUT) as ray:
    os.close(1)  # or the tests would not see that Ray ended
    sys.stdin.read()
    ray.terminate()
"""
QUIET = {"PYTHONUNBUFFERED": "1", "RAY_USAGE_STATS_ENABLED": "0", "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}
# Ray's server forks while gRPC has threads; one in six was dead at once.
QUIET |= {"GRPC_ENABLE_FORK_SUPPORT": "0"}
# A token in the home folder, which a cluster may have left there, would be asked for.
QUIET |= {"RAY_AUTH_MODE": "disabled"}


def _begun(code, *arguments):
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | QUIET | {"PYTHONPATH": os.pathsep.join(filter(None, folders))},
    )


def _free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def dask_cluster():
    """Two workers with a thread each; gives HOST:PORT."""
    pytest.importorskip("distributed", reason="distributed is not installed")
    with _begun(DASK) as process:
        yield process.stdout.readline().strip().removeprefix("tcp://")
        process.communicate()


@pytest.fixture(scope="module")
def ray_cluster():
    """Four CPUs and two GPUs, which Ray takes on trust; gives the HOST:PORT for clients."""
    pytest.importorskip("ray", reason="ray is not installed")
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:  # a short name, for sockets
        options = {"port": 0, "ray-client-server-port": port, "num-cpus": 4, "num-gpus": 2, "temp-dir": folder}
        given = [f"--{name}={value}" for name, value in options.items()]
        with _begun(RAY, *given, "--include-dashboard=false") as process:
            assert any("block" in line for line in process.stdout), "Ray did not start"
            yield f"127.0.0.1:{port}"
            process.communicate()
