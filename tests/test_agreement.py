"""The frameworks against each other: values and gradients, on ordinary data and at the edges of the domains."""

import pytest

from losslab.testing import FRAMEWORKS, Case, close
from losslab.testing._values import extremes

from .catalogue import LOSSES

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}

jax = pytest.importorskip("jax", reason="the comparison is against JAX, which is not installed")


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("other", ["torch", "tensorflow"])
def test_gradients_agree(loss, other, dtype):
    pytest.importorskip(other, reason=f"{other} is not installed")
    with jax.enable_x64(True):
        ours, theirs = (Case(loss, FRAMEWORKS[name], dtype) for name in ("jax", other))
        y, p = ours.draw(seed=7)
        close(theirs.gradient(y, p), ours.gradient(y, p), TOLERANCE[dtype], f"{theirs} against JAX")


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("other", ["numpy", "torch", "tensorflow"])
def test_edge_values_agree(loss, other):
    pytest.importorskip(other, reason=f"{other} is not installed")
    with jax.enable_x64(True):
        ours, theirs = (Case(loss, FRAMEWORKS[name], "float64") for name in ("jax", other))
        y, p = extremes(ours)
        close(theirs.per_sample(y, p), ours.per_sample(y, p), 1e-12, f"{theirs} against JAX")
