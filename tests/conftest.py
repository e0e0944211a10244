"""Frameworks for every test, set up before the first of them is imported."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest

from losslab.testing import FRAMEWORKS


@pytest.fixture(params=list(FRAMEWORKS))
def framework(request):
    """Every framework in turn, in a context in which float64 exists."""
    pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    chosen = FRAMEWORKS[request.param]
    with chosen.precision():
        yield chosen


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param
