"""QuACK beside losslab's linear cross-entropy: a stand-in with its interface, on the CPU. Its kernels need a GPU."""

import sys
import types

import pytest
import torch
from torch.nn import functional

import losslab
from losslab._linear import _torch_quack

SECONDS = {"losslab": 2.0, "QuACK": 1.0}


class StandIn:
    """`quack.linear_cross_entropy.chunked_linear_cross_entropy`, with what it asks of its arguments."""

    def __init__(self, factor=1.0):
        self.factor, self.calls = factor, 0

    def __call__(self, x, weight, target, chunk_size=4096, ignore_index=-100, reduction="mean"):
        assert x.shape[0] % 8 == 0
        assert reduction == "sum"
        self.calls += 1
        values = functional.cross_entropy((x @ weight.T).float(), target, ignore_index=ignore_index, reduction="sum")
        return values * self.factor


@pytest.fixture
def quack(monkeypatch):
    stand_in = StandIn()
    module = types.ModuleType("quack.linear_cross_entropy")
    module.chunked_linear_cross_entropy = lambda *args, **given: stand_in(*args, **given)
    monkeypatch.setitem(sys.modules, "quack", types.ModuleType("quack"))
    monkeypatch.setitem(sys.modules, "quack.linear_cross_entropy", module)
    monkeypatch.setattr(_torch_quack, "_INSTALLED", True)
    monkeypatch.setattr(_torch_quack, "_has_kernels", lambda x: True)
    monkeypatch.setattr(_torch_quack, "_CHOSEN", {})
    monkeypatch.setattr(_torch_quack, "_seconds", _seconds)
    return stand_in


def _seconds(function, tokens):
    return SECONDS["QuACK" if function is _torch_quack.quack_total else "losslab"]


def arrays(tokens=13, dtype=torch.bfloat16):
    generator = torch.Generator().manual_seed(1)
    hidden, weight = (torch.randn(rows, 16, generator=generator).to(dtype).requires_grad_() for rows in (tokens, 24))
    return hidden, weight, torch.randint(0, 24, (tokens,), generator=generator)


def value_and_gradients(loss, hidden, weight, labels, upstream=3.0):
    value = loss(hidden, weight, labels)
    return value.detach(), *torch.autograd.grad(value * upstream, (hidden, weight))


def the_same(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a.float(), b.float(), atol=2e-2 * float(b.detach().abs().max()), rtol=0)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
def test_it_is_taken_where_it_is_faster(quack, reduction):
    loss = losslab.LinearCrossEntropy(reduction=reduction, ignore_class=3)
    hidden, weight, labels = arrays()
    labels[[1, 4]] = 3
    expected = value_and_gradients(loss, *(x.detach().double().requires_grad_() for x in (hidden, weight)), labels)
    for calls in (2, 3):  # the first call tries it too
        found = value_and_gradients(loss, hidden, weight, labels)
        the_same([x.double() for x in found], expected)
        assert quack.calls == calls


def test_it_is_not_taken_where_it_is_slower(quack, monkeypatch):
    monkeypatch.setitem(SECONDS, "QuACK", 5.0)
    for _ in range(2):
        losslab.linear_cross_entropy(*arrays())
    assert quack.calls == 1


def test_it_is_not_taken_where_its_numbers_differ(quack):
    quack.factor = 1.1
    with pytest.warns(UserWarning, match="its numbers differ"):
        value = losslab.linear_cross_entropy(*arrays())
    hidden, weight, labels = arrays()
    torch.testing.assert_close(value, functional.cross_entropy((hidden @ weight.T).float(), labels), atol=0.02, rtol=0)


def test_an_error_of_its_own_costs_a_warning(quack, monkeypatch):
    monkeypatch.delitem(sys.modules, "quack.linear_cross_entropy")
    with pytest.warns(UserWarning, match=r"itself, not by QuACK: No module named 'quack"):
        losslab.linear_cross_entropy(*arrays())
    losslab.linear_cross_entropy(*arrays())


def test_a_graph_may_be_gone_through_twice_and_differentiated(quack):
    hidden, weight, labels = arrays()
    value = losslab.linear_cross_entropy(hidden, weight, labels)
    first = torch.autograd.grad(value, (hidden, weight), retain_graph=True)
    the_same(torch.autograd.grad(value, (hidden, weight), retain_graph=True), first)
    again = torch.autograd.grad(value, (hidden, weight), create_graph=True)
    the_same([x.detach() for x in again], first)
    assert again[0].requires_grad


def test_one_gradient_may_be_all_that_is_needed(quack):
    hidden, weight, labels = arrays()
    value = losslab.linear_cross_entropy(hidden.detach(), weight, labels)
    the_same(
        torch.autograd.grad(value, weight),
        value_and_gradients(losslab.LinearCrossEntropy(), hidden, weight, labels, 1)[2:],
    )


def test_a_wrong_label_that_nobody_looked_at_is_nan(quack):
    hidden, weight, labels = arrays()
    labels[2] = -1
    assert torch.isnan(_torch_quack.quack_total(hidden, weight, labels))


@pytest.mark.parametrize(
    "given",
    [
        {"bias": torch.zeros(24, dtype=torch.bfloat16)},
        {"softcap": 5.0},
        {"label_smoothing": 0.1},
        {"class_weight": {1: 2.0}},
        {"z_loss": 0.1},
        {"temperature": 2.0},
        {"sample_weight": [0.5] * 13},
        {"reduction": "none"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_what_it_lacks_stays_with_losslab(quack, given):
    losslab.linear_cross_entropy(*arrays(), **given)
    assert quack.calls == 0


def test_other_arrays_stay_with_losslab(quack):
    losslab.linear_cross_entropy(*arrays(dtype=torch.float32))
    hidden, weight, labels = arrays()
    losslab.linear_cross_entropy(hidden, weight[:23], labels % 23)
    with torch.no_grad():
        losslab.linear_cross_entropy(hidden, weight, labels)
    assert quack.calls == 0
