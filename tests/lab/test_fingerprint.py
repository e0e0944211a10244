"""An edited loss is another loss: its digest says so, and the lab does not show the old one's results."""

import os
import subprocess
import sys

import numpy as np
import pytest

import losslab
from losslab import lab
from losslab.lab import fingerprint

NOTEBOOK = """
import losslab, numpy as np
FACTOR, WEIGHTS, UNUSED = 2.0, [1.0, 2.0], 5
def helper(e):
    return e * FACTOR
class MyOwn(losslab.ElementLoss):
    power = 2
    def formula(self, ops, y_true, y_pred):
        return sum(weight * ops.abs(helper(y_pred - y_true)) for weight in WEIGHTS) ** self.power
"""


def cell(text=NOTEBOOK):
    """Run a notebook's cell: a class without a source file."""
    names = {"__name__": "a_notebook"}
    exec(text, names)
    return names["MyOwn"]()


def factory(factor):
    class MyOwn(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return factor * ops.square(y_pred - y_true)

    return MyOwn()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FACTOR, WEIGHTS, UNUSED = 2.0", "FACTOR, WEIGHTS, UNUSED = 3.0"),
        ("[1.0, 2.0]", "[1.0, 3.0]"),
        ("[1.0, 2.0]", "np.ones(2)"),
        ("e * FACTOR", "e / FACTOR"),
        ("power = 2", "power = 3"),
        ("ops.abs", "ops.square"),
        ("losslab.ElementLoss", "losslab.RowLoss"),
        ("    power", "    targets = losslab.domains.BINARY\n    power"),
    ],
)
def test_an_edit_of_a_notebook_is_seen(old, new):
    assert NOTEBOOK.count(old) == 1
    assert fingerprint.of(cell()) == fingerprint.of(cell())
    assert fingerprint.of(cell(NOTEBOOK.replace(old, new))) != fingerprint.of(cell())


@pytest.mark.parametrize(
    ("old", "new"), [("UNUSED = 2.0, [1.0, 2.0], 5", "UNUSED = 2.0, [1.0, 2.0], 6"), ("\n", "\n\n")]
)
def test_what_the_formula_does_not_use_is_no_edit(old, new):
    assert fingerprint.of(cell(NOTEBOOK.replace(old, new))) == fingerprint.of(cell())


def test_a_factorys_values_are_seen():
    assert fingerprint.of(factory(1)) == fingerprint.of(factory(1)) != fingerprint.of(factory(-1))
    one, same, other = (factory(np.array(values)) for values in ([1.0, 2.0], [1.0, 2.0], [1.0, 3.0]))
    assert fingerprint.of(one) == fingerprint.of(same) != fingerprint.of(other)
    assert fingerprint.of(factory(losslab.Huber())) != fingerprint.of(factory(losslab.Huber(delta=2.0)))


def test_an_edit_beside_the_class_in_its_file_is_seen(tmp_path, monkeypatch):
    path = tmp_path / "my_losses.py"
    path.write_text(NOTEBOOK)
    monkeypatch.syspath_prepend(tmp_path)
    import my_losses

    try:
        before = fingerprint.of(my_losses.MyOwn())
        builders = [*map(fingerprint.of_code, (my_losses.helper, my_losses.MyOwn))]
        path.write_text(NOTEBOOK + "# edited\n")
        assert fingerprint.of(my_losses.MyOwn()) != before
        assert len({*builders, *map(fingerprint.of_code, (my_losses.helper, my_losses.MyOwn))}) == 4
    finally:
        del sys.modules["my_losses"]


def test_digests_are_the_same_in_every_process():
    code = (
        f"import losslab; names = {{'__name__': 'a_notebook'}}; exec({NOTEBOOK!r}, names); "
        "from losslab.lab import fingerprint; "
        "losses = [*map(losslab.get, losslab.names()), names['MyOwn']()]; "
        "[loss([[0, 1]], [[0.5, 0.5]]) for loss in losses[:3]]; "
        "print(*map(fingerprint.of, losses))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    }
    assert len(printed) == 1
    assert len(set(printed.pop().split())) == len(losslab.names()) + 1


def test_the_lab_runs_an_edited_loss_again(tmp_path):
    def compare(factor):
        @losslab.register
        class Edited(losslab.ElementLoss):
            def formula(self, ops, y_true, y_pred):
                return factor * ops.square(y_pred - y_true)

        settings = {"subset": 200, "epochs": 2, "seeds": 1, "lr": "shared=0.01"}
        return lab.compare("digits", [Edited()], out=tmp_path, **settings).summary.arms[0]

    assert compare(1.0).deciding.values != compare(-1.0).deciding.values
    assert len((tmp_path / "runs.jsonl").read_text().splitlines()) == 2


FACTOR = 1.0


def test_an_edited_constant_is_compiled_again(tmp_path, monkeypatch):
    @losslab.register
    class UsesAConstant(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return FACTOR * ops.square(y_pred - y_true)

    def compare():
        settings = {"subset": 200, "epochs": 2, "seeds": 1, "lr": "shared=0.01"}
        return lab.compare("digits", [UsesAConstant()], out=tmp_path, **settings).summary.arms[0]

    before = compare()
    monkeypatch.setitem(UsesAConstant.formula.__globals__, "FACTOR", -1.0)
    assert compare().deciding.values != before.deciding.values


RECURSIVE = """
import losslab
class Wrapped(losslab.ElementLoss):
    def formula(self, ops, y_true, y_pred):
        return ops.abs(y_pred - y_true) + 0.0 * len(KEPT)
KEPT = [Wrapped()]
"""


def test_a_loss_that_reaches_itself_has_a_digest():
    names = {"__name__": "a_notebook"}
    exec(RECURSIVE, names)
    assert fingerprint.of(names["Wrapped"]()) == fingerprint.of(names["KEPT"][0])
