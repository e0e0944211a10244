"""The comparison from Python."""

import pytest

import losslab
from losslab import lab


def test_compare_from_python(tmp_path, capfd):
    @losslab.register
    class FourthPower(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return (y_pred - y_true) ** 4

    found = lab.compare(
        "digits",
        [FourthPower(), losslab.Huber(delta=0.5)],
        subset=200,
        epochs=2,
        seeds=2,
        lr="shared=0.01",
        out=tmp_path,
    )
    assert [arm.label for arm in found.summary.arms] == ["fourth_power", "Huber(delta=0.5)"]
    assert len(found.verdicts) == 2
    assert found.exit_code == 0
    assert found.report.exists()
    assert capfd.readouterr() == ("", "")


def test_adding_a_loss_changes_nobody_elses_run(tmp_path):
    settings = {"subset": 200, "epochs": 2, "seeds": 2, "lr": "shared=0.01"}
    two = lab.compare("digits", ["cce", "mse"], out=tmp_path / "two", **settings).summary.arms
    three = lab.compare("digits", ["hinge", "cce", "mse"], out=tmp_path / "three", **settings).summary.arms
    assert [arm.accuracy.values for arm in two] == [arm.accuracy.values for arm in three[1:]]


def test_the_package_offers_two_names():
    assert lab.__all__ == ["Comparison", "compare"]
    with pytest.raises(AttributeError):
        _ = lab.nothing
