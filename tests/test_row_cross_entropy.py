"""The cross-entropy of rows of logits: recomputed gradients equal the formula's, with torch operations and kernels."""

import itertools
import math

import numpy as np
import pytest

from losslab._linear._options import RowOptions

torch = pytest.importorskip("torch", reason="torch is not installed")

from losslab._fast import _torch_rows_function  # noqa: E402
from losslab._linear import _rows  # noqa: E402

row_cross_entropy, composed_rows = _torch_rows_function.row_cross_entropy, _torch_rows_function.composed_rows

CLASSES = 7
WEIGHTS = (1.0, 0.5, 2.0, 1.5, 0.0, 3.0, 1.0)
OPTIONS = [
    RowOptions(weights, smoothing, softcap, temperature, z_loss)
    for weights, smoothing, (softcap, temperature), z_loss in itertools.product(
        (None, WEIGHTS), (0.0, 0.1), ((None, 1.0), (4.0, 0.7)), (0.0, 0.01)
    )
]
EVERYTHING = OPTIONS[-1]
FACTORS = torch.tensor([1.0, 0.0, -0.5, 3.0, 0.25], dtype=torch.float64)


@pytest.fixture(params=["torch", "triton"])
def rows(request, monkeypatch):
    """Which row step does the work. The kernels run in Triton's interpreter."""
    if request.param == "torch":
        yield request.param
        return
    pytest.importorskip("triton", reason="triton is not installed: it has wheels for Linux alone")
    from losslab._linear import _triton_rows

    for module in (_rows, _torch_rows_function):
        monkeypatch.setattr(module, "rows_for", lambda logits: _triton_rows)
    with np.errstate(all="ignore"):
        yield request.param


def batch(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    logits = (3 * torch.randn(5, CLASSES, generator=generator, dtype=torch.float64)).to(dtype)
    return logits.requires_grad_(), torch.tensor([0, 6, 3, 2, 2]), FACTORS.to(torch.promote_types(dtype, torch.float32))


def definition(logits, labels, options):
    """The value of each row, from the sum over classes."""
    u = logits if options.softcap is None else options.softcap * torch.tanh(logits / options.softcap)
    u = u / options.temperature
    lse = torch.logsumexp(u, 1, keepdim=True)
    one_hot = torch.nn.functional.one_hot(labels, CLASSES).to(u.dtype)
    share = (1 - options.label_smoothing) * one_hot + options.label_smoothing / CLASSES
    weights = u.new_tensor(options.class_weight or [1.0] * CLASSES)
    return (share * weights * (lse - u)).sum(1) + options.z_loss * lse[:, 0].square()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_values_and_gradients_are_those_of_the_definition(options, rows):
    """In float32 as good as float32 allows; in float64 on torch operations."""
    dtype, tolerance = (torch.float32, 3e-6) if rows == "triton" else (torch.float64, 1e-13)
    logits, labels, scale = batch(dtype)
    expected = scale.double() * definition(logits.double(), labels, options)
    found = row_cross_entropy(logits, labels, options, scale)
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)
    for upstream in (torch.ones(5), torch.tensor([0.5, 2.0, -1.0, 1e4, 1e-4])):
        (slope,) = torch.autograd.grad(found, logits, upstream.to(found.dtype), retain_graph=True)
        (by_autograd,) = torch.autograd.grad(expected, logits, upstream.double(), retain_graph=True)
        atol = tolerance * upstream.max()
        torch.testing.assert_close(slope.double(), by_autograd.double(), rtol=10 * tolerance, atol=atol)


def test_what_pytorch_gives(rows):
    logits, labels, _ = batch(torch.float32)
    expected = torch.nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=0.1)
    found = row_cross_entropy(logits, labels, RowOptions(label_smoothing=0.1))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", [RowOptions(), EVERYTHING], ids=["plain", "everything"])
def test_first_and_second_derivatives_by_differences(options):
    logits, labels, scale = batch()
    call = lambda logits, scale: row_cross_entropy(logits, labels, options, scale)  # noqa: E731
    scale = scale.clone().requires_grad_()
    with torch.no_grad():
        scale += 1.0  # at 0 a row is removed: no difference to be taken
    assert torch.autograd.gradcheck(call, (logits, scale))
    assert torch.autograd.gradgradcheck(call, (logits, scale))


def test_a_removed_row_is_nothing_whatever_is_in_it(rows):
    logits, labels, scale = batch(torch.float32)
    whole = torch.autograd.grad(row_cross_entropy(logits, labels, EVERYTHING, scale).sum(), logits)[0]
    spoilt = logits.detach().clone()
    spoilt[1], labels[1] = math.nan, -100
    spoilt.requires_grad_()
    for call in (row_cross_entropy, composed_rows):
        values = call(spoilt, labels, EVERYTHING, scale)
        (slope,) = torch.autograd.grad(values.sum(), spoilt)
        assert values[1] == 0
        assert not slope[1].any()
        torch.testing.assert_close(slope, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrong", [-1, CLASSES, 10**12])
def test_a_label_that_is_no_class_makes_its_row_nan_and_no_other(wrong, rows):
    logits, labels, scale = batch(torch.float32)
    labels[3] = wrong
    for call in (row_cross_entropy, composed_rows):
        values = call(logits, labels, EVERYTHING, scale)
        (slope,) = torch.autograd.grad(values[[0, 1, 2, 4]].sum(), logits, retain_graph=True)
        assert values.isnan().tolist() == [False, False, False, True, False]
        assert slope[[0, 1, 2, 4]].isfinite().all()
    (slope,) = torch.autograd.grad(row_cross_entropy(logits, labels, EVERYTHING, scale).sum(), logits)
    assert slope.isnan().all(1).tolist() == [False, False, False, True, False]


def test_logits_are_left_alone_and_the_graph_serves_twice(rows):
    logits, labels, scale = batch(torch.float32)
    before, version = logits.detach().clone(), logits._version
    total = row_cross_entropy(logits, labels, EVERYTHING, scale).sum()
    once = torch.autograd.grad(total, logits, retain_graph=True)[0]
    twice = torch.autograd.grad(2 * total, logits)[0]
    assert torch.equal(logits, before)
    assert logits._version == version
    torch.testing.assert_close(twice, 2 * once)


def test_logits_that_are_a_part_of_wider_rows(rows):
    logits, labels, scale = batch(torch.float32)
    apart = torch.nn.functional.pad(logits.detach(), (2, 3), value=math.nan)[:, 2 : 2 + CLASSES].requires_grad_()
    found = [torch.autograd.grad(row_cross_entropy(x, labels, EVERYTHING, scale).sum(), x)[0] for x in (logits, apart)]
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype, rows):
    logits, labels, scale = batch(dtype)
    found = row_cross_entropy(logits, labels, EVERYTHING, scale)
    assert found.dtype == torch.float32
    wide = logits.detach().double().requires_grad_()
    expected = scale.double() * definition(wide, labels, EVERYTHING)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    (slope,) = torch.autograd.grad(found.sum(), logits)
    assert slope.dtype == dtype
    (by_autograd,) = torch.autograd.grad(expected.sum(), wide)
    torch.testing.assert_close(slope.double(), by_autograd, rtol=2**-7, atol=1e-5)
