"""Fixtures of the lab's tests: the command line in this process and in its own."""

import os
import subprocess
import sys

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
