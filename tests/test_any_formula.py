"""Formulas that do what a graph cannot hold, or read what changes: large arrays get what small ones get."""

import random
import types

import numpy as np
import pytest

import losslab
from losslab._fast import _numpy
from losslab._ops import ops_for

torch = pytest.importorskip("torch", reason="torch is not installed")

SETTINGS = types.SimpleNamespace(factor=1.0)
Y, P = np.random.default_rng(0).normal(size=(2, 4, 3))
LARGE_Y, LARGE_P = np.random.default_rng(1).normal(size=(2, 20_000, 3))


def branches(ops, y_true, y_pred):
    error = y_pred - y_true
    return error if error > 0 else -error


def chains_comparisons(ops, y_true, y_pred):
    return ops.where(-1 < y_pred < 1, 0.0, y_pred - y_true)


def takes_the_maximum_of_python(ops, y_true, y_pred):
    return max(y_pred - y_true, y_true - y_pred)


def loops(ops, y_true, y_pred):
    return sum(row for row in y_pred)


def is_a_number(ops, y_true, y_pred):
    return 0.0


def sums_too_much(ops, y_true, y_pred):
    return ops.sum(ops.sum(y_pred - y_true))


def sums_not(ops, y_true, y_pred):
    return ops.square(y_pred - y_true)


def keeps_the_axis(ops, y_true, y_pred):
    return ops.sum(ops.square(y_pred - y_true), keepdims=True)


WRONG = {
    losslab.ElementLoss: [
        branches,
        chains_comparisons,
        takes_the_maximum_of_python,
        loops,
        is_a_number,
        sums_too_much,
    ],
    losslab.RowLoss: [sums_not, keeps_the_axis, is_a_number, branches],
}
CALLS = {
    "numpy": lambda loss, y, p: loss(y, p),
    "gradient": lambda loss, y, p: loss.value_and_grad(y, p),
    "torch": lambda loss, y, p: loss(torch.tensor(y), torch.tensor(p)),
    "derivatives": lambda loss, y, p: loss.derivatives(y, p),
}


def declared(family, formula):
    return type("Own", (family,), {"formula": lambda self, *arrays: formula(*arrays)})()


def refusal(call):
    with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
        call()
    return type(caught.value), str(caught.value).replace("20000", "4")


@pytest.mark.parametrize("way", CALLS)
@pytest.mark.parametrize(
    ("family", "formula"), [(family, formula) for family, formulas in WRONG.items() for formula in formulas]
)
def test_what_is_wrong_is_said_for_every_size(family, formula, way):
    loss = declared(family, formula)
    if way == "numpy":
        expected = refusal(lambda: loss._composed(ops_for(), Y, P, None, None, None, {}))
        assert refusal(lambda: loss(Y, P)) == expected
    else:
        expected = refusal(lambda: CALLS[way](loss, Y, P))
    if way != "derivatives":
        assert refusal(lambda: CALLS[way](loss, LARGE_Y, LARGE_P)) == expected


@pytest.mark.parametrize("way", ["numpy", "gradient", "torch"])
def test_what_a_formula_reads_is_read_at_every_call(way, monkeypatch):
    def formula(ops, y_true, y_pred):
        return SETTINGS.factor * ops.square(y_pred - y_true)

    def value():
        found = CALLS[way](loss, LARGE_Y, LARGE_P)
        return float(found[0] if isinstance(found, tuple) else found)

    loss = declared(losslab.ElementLoss, formula)
    once = value()
    monkeypatch.setattr(SETTINGS, "factor", 2.0)
    assert value() == pytest.approx(2 * once, rel=1e-12)


def test_a_formula_may_be_another_at_every_call():
    loss = declared(losslab.ElementLoss, lambda ops, y_true, y_pred: random.random() * ops.square(y_pred))
    assert len({float(loss(LARGE_Y, LARGE_P)) for _ in range(3)}) == 3


@pytest.mark.parametrize("way", ["numpy", "gradient", "torch"])
def test_what_a_graph_cannot_hold_is_composed(way):
    loss = declared(losslab.ElementLoss, lambda ops, y_true, y_pred: sum(row for row in y_pred) / len(y_pred) - y_true)
    found = CALLS[way](loss, LARGE_Y, LARGE_P)
    value = float(found[0] if isinstance(found, tuple) else found)
    assert value == pytest.approx(LARGE_P.mean() - LARGE_Y.mean(), rel=1e-9)


@pytest.mark.parametrize("loss", [losslab.MeanSquaredError(), losslab.BinaryCrossentropy(), losslab.Hinge()], ids=repr)
def test_an_empty_batch_has_an_empty_gradient(loss):
    value, gradient = loss.value_and_grad(np.zeros((0, 3)), np.zeros((0, 3)))
    assert value == 0
    assert gradient.shape == (0, 3)


def test_a_formula_is_run_in_blocks_where_it_can_be(monkeypatch):
    """Else the tests above would test nothing but the composed form."""
    used = []
    work_for = _numpy.work_for
    monkeypatch.setattr(_numpy, "work_for", lambda *given: used.append(work_for(*given)) or used[-1])
    declared(losslab.RowLoss, lambda ops, y_true, y_pred: ops.sum(ops.square(y_pred - y_true)))(LARGE_Y, LARGE_P)
    assert used[0] is not None
