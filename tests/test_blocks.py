"""Losses in blocks, forced on small arrays: every promise holds, and the numbers are those of the composed formula."""

import numpy as np
import pytest

import losslab
from losslab._fast import _label_sums, _numpy, _torch
from losslab._fast._work import is_fast
from losslab._fast.blocks import _layout, _threads, _worker
from losslab._ops import ops_for
from losslab.testing import FRAMEWORKS, PROPERTIES, Case, NotApplicable, _objects, close

from .catalogue import DEFAULTS, LOSSES


class Spread(losslab.RowLoss):
    """Every way in which a number of a row reaches its elements: a mean, a maximum that ties, a label."""

    def formula(self, ops, y_true, y_pred):
        centred = y_pred - ops.mean(y_pred, keepdims=True)
        top = ops.max(ops.maximum(y_pred, 0.5), keepdims=True)
        return ops.sum(ops.square(centred) + y_true * (top - y_pred)) - ops.sum(centred * ops.abs(top) - top)


FURTHER = [
    Spread(),
    losslab.BinaryCrossentropy(ignore_class=0),
    losslab.BinaryFocalCrossentropy(ignore_class=1, from_logits=True),
]
IN_BLOCKS = [loss for loss in LOSSES if is_fast(loss)]
# What is compiled is not in blocks, and what an object promises has no numbers
ELSEWHERE = {check.__name__ for check in _objects.PROPERTIES} | {
    "compiled_equals_eager",
    "gradient_survives_compilation",
}
PROMISES = [
    pytest.param(loss, holds, id=f"{loss!r}-{name}")
    for loss in IN_BLOCKS
    for name, holds in PROPERTIES.items()
    if name not in ELSEWHERE and (loss in DEFAULTS or name != "class_ids_are_in_range")  # which compiles three times
]

torch = pytest.importorskip("torch", reason="blocks are compared with what torch differentiates")


@pytest.fixture(autouse=True)
def _small_blocks(dtype, monkeypatch):
    """Blocks of two rows or so, on two threads, whatever the size; in float32 as for few classes, else for many."""
    monkeypatch.setattr(_layout, "_FEW", 100 if dtype == "float32" else 0)
    monkeypatch.setattr(_numpy, "_LARGE", 0)
    monkeypatch.setattr(_torch, "_LARGE", 0)
    monkeypatch.setattr(_torch, "fused", lambda *arguments: None)
    monkeypatch.setattr(_worker, "_CACHE", 32)
    monkeypatch.setattr(_label_sums, "_BLOCK", 8)
    monkeypatch.setattr(_threads, "_PER_THREAD", 10)
    monkeypatch.setattr(_threads, "_cores", lambda: 2)


@pytest.mark.parametrize(("loss", "holds"), PROMISES)
def test_promise(loss, dtype, holds):
    try:
        holds(Case(loss, FRAMEWORKS["torch"], dtype))
    except NotApplicable as reason:
        pytest.skip(str(reason))


def options(shape, rng):
    """Weights, masks and a divisor, in every shape that they may have."""
    weight = rng.uniform(0.5, 2.0, shape)
    weight.flat[0] = 0.0
    mask = rng.random(shape) < 0.7
    mask.flat[-1] = False
    return {
        "none": {},
        "weight": {"sample_weight": weight},
        "weight of samples": {"sample_weight": weight[:, *(0,) * (weight.ndim - 1)]},
        "one weight": {"sample_weight": 3.0},
        "mask": {"mask": mask},
        "both": {"sample_weight": weight, "mask": mask},
        "normalizer": {"sample_weight": weight, "normalizer": 7.0},
        "nothing left": {"mask": mask & False},
    }


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum", "none"])
@pytest.mark.parametrize("loss", IN_BLOCKS + FURTHER, ids=repr)
def test_values_and_gradients_are_the_composed_ones(loss, reduction, dtype):
    loss = loss.replace(reduction=reduction)
    case = Case(loss, FRAMEWORKS["torch"], dtype)
    y, p = case.draw(seed=3)
    shape = case.value_shape(p) or y.shape  # of a set the elements are weighed
    every = options(shape, np.random.default_rng(1))
    for what in every if reduction == "sum_over_batch_size" else ["weight", "both"]:
        given = every[what]
        expected = composed(case, y, p, given)
        close_pair(in_torch(case, y, p, given), expected, case, f"torch, {what}")
        close_pair(in_numpy(case, y, p, given), expected, case, f"NumPy, {what}")


def composed(case, y, p, given):
    y, x = case.arrays(y, p)
    given = case._options(given)
    x.requires_grad_()
    value = case.loss._composed(
        ops_for(x), y, x, given.get("sample_weight"), given.get("mask"), given.get("normalizer"), {}
    )
    (gradient,) = torch.autograd.grad(value.sum(), x)
    return value.detach().numpy(), gradient.numpy()


def in_torch(case, y, p, given):
    y, x = case.arrays(y, p)
    value, gradient = case.loss.value_and_grad(y, x, **case._options(given))
    return value.numpy(), gradient.numpy()


def in_numpy(case, y, p, given):
    numpy = Case(case.loss, FRAMEWORKS["numpy"], case.dtype)
    return case.loss.value_and_grad(*numpy.arrays(y, p), **numpy._options(given))


def close_pair(actual, expected, case, what):
    for part, a, b in zip(("value", "gradient"), actual, expected, strict=True):
        assert np.asarray(a).dtype == case.dtype
        size = 1.0 if part == "value" else 0.0  # values of about 1 may cancel in their sum
        close(np.append(a, size), np.append(b, size), 1e-6 if case.dtype == "float32" else 1e-12, f"{part}, {what}")
        assert np.shape(a) == np.shape(b)


@pytest.mark.parametrize("loss", [losslab.BinaryCrossentropy(), losslab.MeanSquaredLogarithmicError()], ids=repr)
def test_what_is_no_number_stays_none(loss, dtype):
    p = np.array([[0.5, np.inf], [np.nan, -np.inf]], dtype)
    case = Case(loss, FRAMEWORKS["torch"], dtype)
    expected = composed(case, np.ones_like(p), p, {})
    for actual in (in_torch(case, np.ones_like(p), p, {}), in_numpy(case, np.ones_like(p), p, {})):
        assert np.array_equal(np.isnan(actual[0]), np.isnan(expected[0]))
        assert np.array_equal(np.isnan(actual[1]), np.isnan(expected[1]))
