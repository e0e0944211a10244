"""The frameworks and dtypes that a test runs over."""

import pytest

from losslab.testing import FRAMEWORKS


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(params=list(FRAMEWORKS))
def framework(request):
    """Every framework in turn; float64 exists in it, except in a test of float32: JAX has it only when asked."""
    pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    chosen = FRAMEWORKS[request.param]
    asked = request.getfixturevalue("dtype") if "dtype" in request.fixturenames else "float64"
    with chosen.precision(asked):
        yield chosen
