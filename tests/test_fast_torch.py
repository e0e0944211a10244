"""Blocks under everything that PyTorch does with a function: twice backward, transforms, forward mode."""

import weakref

import numpy as np
import pytest

import losslab
from losslab._fast import _label_sums, _torch, _torch_fused, _torch_rows
from losslab._fast.blocks import _threads, _work, _worker
from losslab._ops import ops_for

torch = pytest.importorskip("torch", reason="torch is not installed")

LOSSES = [
    losslab.BinaryFocalCrossentropy(from_logits=True),
    losslab.LogCosh(),
    losslab.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=0.1, ignore_class=2),
    losslab.CategoricalFocalCrossentropy(gamma=1.5, axis=1),
    losslab.CosineSimilarity(),
    losslab.SparseCategoricalDice(from_logits=True, ignore_class=2, axis=1),
]


# PyTorch's forward mode compiles its rules with a function that it has deprecated itself
forward_mode = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")


@pytest.fixture(autouse=True)
def used(monkeypatch):
    """Blocks for any size, and how often they were used."""
    calls = []
    monkeypatch.setattr(_torch, "_LARGE", 0)
    monkeypatch.setattr(_torch, "fused", lambda *arguments: None)
    monkeypatch.setattr(_worker, "_CACHE", 32)
    monkeypatch.setattr(_label_sums, "_BLOCK", 8)
    total, sums = _worker.total, _label_sums.LabelWork._sums
    monkeypatch.setattr(_work, "total", lambda run: calls.append(run) or total(run))
    monkeypatch.setattr(_label_sums.LabelWork, "_sums", lambda work: calls.append(work) or sums(work))
    return calls


def drawn(loss, shape=(3, 2, 4)):
    """Labels and predictions in float64, their rows along the loss's axis; the predictions are a leaf."""
    rng = np.random.default_rng(5)
    y, p = loss.targets.draw(rng, shape), loss.outputs.draw(rng, shape)
    y, p = (np.moveaxis(x, -1, loss.axis).copy() if x.ndim == len(shape) else x for x in (y, p))
    return torch.tensor(y), torch.tensor(p, requires_grad=True)


def composed(loss, y, p, *given):
    given = (*given, *(None,) * (3 - len(given)))
    return loss._composed(ops_for(p), y, p, *given, {})


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "none"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_first_and_second_derivatives_are_the_slopes(loss, reduction):
    loss = loss.replace(reduction=reduction)
    y, p = drawn(loss)
    assert torch.autograd.gradcheck(lambda x: loss(y, x), p)
    assert torch.autograd.gradgradcheck(lambda x: loss(y, x), p)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_graph_may_be_walked_again_and_under_any_upstream_gradient(loss, used):
    y, p = drawn(loss)
    (expected,) = torch.autograd.grad(composed(loss, y, p), p)
    value = loss(y, p)
    for upstream in (1.0, 0.5, -3.0):
        (gradient,) = torch.autograd.grad(value, p, torch.tensor(upstream, dtype=p.dtype), retain_graph=True)
        torch.testing.assert_close(gradient, upstream * expected, rtol=1e-12, atol=1e-15)
    value.backward(retain_graph=True)
    kept = p.grad
    value.backward()
    torch.testing.assert_close(kept, 2 * expected, rtol=1e-12, atol=1e-15)
    assert used


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_gradient_that_was_given_is_nobody_elses(loss):
    y, p = drawn(loss)
    value = loss(y, p)
    (first,) = torch.autograd.grad(value, p, retain_graph=True)
    expected = first.clone()
    first.zero_()
    (second,) = torch.autograd.grad(value, p)
    torch.testing.assert_close(second, expected, rtol=0, atol=0)


@forward_mode
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_transforms_see_the_composed_formula(loss, used):
    y, p = drawn(loss)
    p = p.detach()

    def value(x):
        return loss(y, x)

    (expected,) = torch.autograd.grad(composed(loss, y, p.requires_grad_()), p)
    p = p.detach()
    torch.testing.assert_close(torch.func.grad(value)(p), expected, rtol=1e-12, atol=1e-15)
    tangent = torch.ones_like(p)
    _, slope = torch.func.jvp(value, (p,), (tangent,))
    torch.testing.assert_close(slope, expected.sum(), rtol=1e-10, atol=1e-12)
    hessian = torch.func.hessian(value)(p)
    twice = torch.autograd.functional.hessian(value, p)
    torch.testing.assert_close(hessian, twice, rtol=1e-9, atol=1e-12)
    both = torch.func.vmap(torch.func.grad(value))(torch.stack([p, p]))
    torch.testing.assert_close(both[1], expected, rtol=1e-12, atol=1e-15)


@forward_mode
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_forward_mode_outside_of_func(loss):
    y, p = drawn(loss)
    (expected,) = torch.autograd.grad(composed(loss, y, p), p)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(p.detach(), torch.ones_like(p))
        slope = torch.autograd.forward_ad.unpack_dual(loss(y, dual)).tangent
    torch.testing.assert_close(slope, expected.sum(), rtol=1e-10, atol=1e-12)


def test_what_else_wants_a_gradient_gets_it():
    loss = losslab.MeanSquaredError()
    y, p = (torch.randn(6, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    weight = torch.rand(6, dtype=torch.float64, requires_grad=True)
    loss(y, p, sample_weight=weight).backward()
    error = (p - y).detach()
    torch.testing.assert_close(weight.grad, error.square().mean(1) / 6)
    torch.testing.assert_close(y.grad, -2 * error * weight.detach()[:, None] / 24)


def test_only_what_is_asked_for_is_computed(used):
    loss = losslab.SparseCategoricalCrossentropy(from_logits=True)
    y, p = drawn(loss)
    with torch.no_grad():
        loss(y, p)
    loss(y, p.detach())
    assert len(used) == 2
    assert all("gradient" not in run.arrays for run in used)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype, used):
    loss = losslab.SparseCategoricalCrossentropy(from_logits=True)
    y, p = drawn(loss)
    p = p.detach().to(dtype).requires_grad_()
    value = loss(y, p)
    value.backward()
    x = p.detach().float().requires_grad_()
    expected = composed(loss, y, x)
    expected.backward()
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(p.grad, x.grad.to(dtype))
    assert used


def test_a_formula_that_cannot_be_traced_is_composed(used):
    class Sorted(losslab.RowLoss):
        def formula(self, ops, y_true, y_pred):
            return ops.sum(ops.square(ops.sort(y_pred) - ops.sort(y_true)))

    y, p = torch.randn(3, 4), torch.randn(3, 4, requires_grad=True)
    Sorted()(y, p).backward()
    torch.testing.assert_close(p.grad.sum(), 2 * (p - y).sum().detach() / 3)
    assert not used


def test_predictions_changed_after_the_call_are_noticed():
    y, p = drawn(losslab.LogCosh())
    x = p * 1.0
    value = losslab.LogCosh()(y, x)
    x.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "none"])
@pytest.mark.parametrize("changed", ["labels", "mask"])
def test_whatever_was_changed_after_the_call_is_noticed(changed, reduction):
    loss = losslab.LogCosh(reduction=reduction)
    y, p = drawn(loss)
    mask = torch.ones(3, 2, dtype=torch.bool)
    value = loss(y, p, mask=mask)
    (y if changed == "labels" else mask).zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.sum().backward()


def test_weights_changed_after_the_call_change_nothing():
    loss = losslab.LogCosh(reduction="none")
    y, p = drawn(loss)
    weight = torch.full((3, 2), 2.0, dtype=torch.float64)
    value = loss(y, p, weight)
    weight.zero_()
    (gradient,) = torch.autograd.grad(value.sum(), p)
    torch.testing.assert_close(gradient, torch.autograd.grad(2 * composed(loss, y, p).sum(), p)[0])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "none"])
def test_a_value_that_is_kept_keeps_no_arrays(reduction):
    loss = losslab.LogCosh(reduction=reduction)
    y, p = drawn(loss)
    held = weakref.ref(y)
    value = loss(y, p)
    value.sum().backward()
    del y
    assert held() is None


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "none"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_batch_of_upstream_gradients(loss, reduction):
    loss = loss.replace(reduction=reduction)
    y, p = drawn(loss)
    value = loss(y, p)
    upstream = torch.randn(3, *value.shape, dtype=value.dtype)
    (found,) = torch.autograd.grad(value, p, upstream, is_grads_batched=True)
    expected = [torch.autograd.grad(composed(loss, y, p), p, each)[0] for each in upstream]
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-10, atol=1e-14)


def test_no_more_threads_than_pytorch_takes(monkeypatch):
    monkeypatch.setattr(_threads, "_PER_THREAD", 1)
    monkeypatch.setattr(_threads, "_cores", lambda: 4)
    started = []
    pool = _threads.ThreadPoolExecutor
    monkeypatch.setattr(_threads, "ThreadPoolExecutor", lambda threads: started.append(threads) or pool(threads))
    y, p = drawn(losslab.LogCosh())
    for threads in (1, 2):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        losslab.LogCosh()(y, p).backward()
    assert started == [2]


def test_inference_mode_has_a_gradient():
    y, p = drawn(losslab.LogCosh())
    expected = losslab.LogCosh().value_and_grad(y, p)
    with torch.inference_mode():
        found = losslab.LogCosh().value_and_grad(y * 1, p * 1)
    torch.testing.assert_close(found, expected)


def test_weights_may_be_read_only():
    y, p = drawn(losslab.LogCosh())
    weight = np.ones((3, 2))
    weight.flags.writeable = False
    losslab.LogCosh(reduction="none")(y, p, weight).sum().backward()


def test_non_contiguous_and_transposed_predictions():
    loss = losslab.CategoricalFocalCrossentropy(from_logits=True)
    y, p = drawn(loss, (4, 6))
    expected = torch.autograd.grad(composed(loss, y, p), p)[0]
    x = p.detach().T.contiguous().T.requires_grad_()
    assert not x.is_contiguous()
    loss(y, x).backward()
    torch.testing.assert_close(x.grad, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("given", ["nothing", "weights", "mask", "both", "normalizer"])
@pytest.mark.parametrize(
    "loss",
    [
        losslab.SparseCategoricalCrossentropy(from_logits=True),
        losslab.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100, axis=1, reduction="none"),
        losslab.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=0.1, class_weight=[1.0, 2.0, 0.5, 3.0]),
    ],
    ids=repr,
)
def test_rows_are_the_composed_formula(loss, given, dtype):
    """What serves a GPU, with the rows that PyTorch computes on the CPU."""
    rng = np.random.default_rng(3)
    p = torch.tensor(rng.normal(size=(5, 4, 3) if loss.axis == 1 else (5, 3, 4)), dtype=dtype, requires_grad=True)
    y = torch.tensor(rng.integers(0, 4, (5, 3)))
    if loss.ignore_class is not None:
        y[0, 0] = loss.ignore_class
    weight = torch.tensor([0.0, 1.0, 2.0, 0.5, 1.0])
    mask = torch.tensor([[True], [False], [True], [True], [True]])
    arguments = {
        "nothing": (None, None, None),
        "weights": (weight, None, None),
        "mask": (None, mask, None),
        "both": (weight, mask, None),
        "normalizer": (weight, mask, None if loss.reduction == "none" else 4.0),
    }[given]
    value = _torch_rows.of_rows(loss, y, p, *arguments)
    expected = composed(loss, y, p, *arguments)
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-7)
    upstream = torch.rand(value.shape)
    gradients = [
        torch.autograd.grad(each, p, upstream.to(each.dtype), retain_graph=True)[0] for each in (value, expected)
    ]
    torch.testing.assert_close(*gradients, **({} if dtype == torch.bfloat16 else {"rtol": 1e-5, "atol": 1e-7}))


def test_rows_know_no_class_out_of_range():
    loss = losslab.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    value = _torch_rows.of_rows(loss, torch.tensor([0, 3, -1]), torch.zeros(3, 3), None, None, None)
    assert value.isnan().tolist() == [False, True, True]


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum"])
@pytest.mark.parametrize("shape", [(6, 4), (6,)], ids=str)
@pytest.mark.parametrize(
    "loss",
    [
        losslab.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        losslab.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        losslab.BinaryCrossentropy(from_logits=True),
        losslab.MeanSquaredError(),
        losslab.MeanAbsoluteError(),
        losslab.Huber(delta=0.3),
    ],
    ids=repr,
)
def test_fused_losses_are_the_composed_formula(loss, shape, reduction, monkeypatch):
    if len(shape) == 1 and isinstance(loss, losslab.RowLoss):
        shape = (1, 4)
    loss = loss.replace(reduction=reduction)
    y, p = drawn(loss, shape)
    found = _torch_fused.fused(loss, y, p)
    expected = composed(loss, y, p)
    if len(shape) == 2 and reduction == "sum" and not isinstance(loss, losslab.RowLoss):
        assert found is None  # PyTorch's sum is over elements, not over samples
        return
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    gradients = [torch.autograd.grad(value, p)[0] for value in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-15)


def test_what_pytorch_has_not_is_not_fused():
    y, p = torch.tensor([0, -100]), torch.zeros(2, 3)
    plain = losslab.SparseCategoricalCrossentropy(from_logits=True)
    assert _torch_fused.fused(plain, y, p) is None  # PyTorch would ignore the id -100
    y = torch.tensor([0, 1])
    for parameters in ({"ignore_class": 0}, {"class_weight": [1.0, 2.0, 3.0]}, {"from_logits": False}, {"axis": 0}):
        assert _torch_fused.fused(plain.replace(**parameters), y, p) is None
    assert _torch_fused.fused(losslab.BinaryFocalCrossentropy(), p, p) is None
    assert _torch_fused.fused(losslab.MeanSquaredError(), p, p[:1]) is None


def test_a_subclass_with_a_formula_of_its_own_is_not_fused():
    class Doubled(losslab.MeanSquaredError):
        def formula(self, ops, y_true, y_pred):
            return 2.0 * super().formula(ops, y_true, y_pred)

    assert float(Doubled()(torch.ones(2, 2), torch.zeros(2, 2))) == 2.0
