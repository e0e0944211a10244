"""losslab in Keras, on every backend: Keras reads its backend once, so each has a process of its own."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]

keras = pytest.importorskip("keras", reason="keras is not installed")


@pytest.fixture(params=["jax", "tensorflow", "torch"])
def backend(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


def pytest_in(backend, *arguments):
    """Run pytest with this Keras backend; fail with what it says."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, arguments)]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]


def test_losslab_in_keras(backend):
    """Files by name: under python_files=*.py pytest would rewrite the asserts of all of Keras, for most of a minute."""
    warning = "ignore:__array__ implementation"  # Keras' own, where a model is saved
    pytest_in(backend, "-W", warning, *sorted((HERE / "suite").glob("*.py")))


def test_keras_own_tests_pass_with_losslabs_losses(backend):
    if keras.__version__ != "3.15.1":
        pytest.skip(f"the list of differences is that of Keras 3.15.1, not {keras.__version__}")
    theirs = pathlib.Path(keras.__file__).parent / "src"
    files = theirs / "losses" / "losses_test.py", theirs / "trainers" / "compile_utils_test.py"
    pytest_in(backend, "-p", "upstream", "-c", os.devnull, "--import-mode=importlib", *files)
