"""Every task, trained: it learns what there is to learn, in the labels' own unit, and the report can be read."""

import json
from dataclasses import asdict

import numpy as np
import pytest

import losslab
from losslab import lab
from losslab.lab import plan, report
from losslab.lab.errors import LabError
from losslab.lab.tasks import task_from

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 4)).astype("float32")
PICTURES = RNG.integers(0, 60, (40, 10, 14), dtype=np.uint8)
MASKS = np.zeros_like(PICTURES)
for picture, mask, row, column in zip(PICTURES, MASKS, RNG.integers(0, 6, 40), RNG.integers(0, 9, 40), strict=True):
    picture[row : row + 4, column : column + 5] += 150
    mask[row : row + 4, column : column + 5] = 255

CASES = {
    "binary": (X, X[:, 0] + X[:, 1] > 1.5, ["bce", "cce", "hinge", "focal"], "average_precision", 0.8),
    "labels": (X, np.stack([X[:, 0] > 0, X[:, 1] > 1], axis=1), ["bce", "hinge", "mse"], "mean_average_precision", 0.8),
    # far from 0 and of another scale than 1: a network that had to find that out would take longer
    "regression": (X, 5000 + 100 * X[:, 0], ["mse", "mae", "huber:delta=20", "poisson", "msle"], "rmse", 50.0),
    "segmentation": (PICTURES, MASKS, ["bce", "scce", "dice"], "iou", 0.6),
}


@pytest.mark.parametrize("task", CASES)
def test_a_task_is_learned_under_every_loss_that_serves_it(tmp_path, task):
    x, y, losses, decides, good = CASES[task]
    found = lab.compare((x, y), losses, epochs=25, seeds=1, lr="shared=0.01", batch=4, out=tmp_path)
    assert (found.exit_code, found.summary.decides.key) == (0, decides)
    for arm in found.summary.arms:
        value = arm.deciding.mean / found.summary.decides.factor
        assert value > good if found.summary.decides.higher_is_better else value < good, (arm.label, value)
    page = found.report().read_text()
    assert f"Measured by {found.summary.decides.name} on" in page
    assert {"difference", "score", "curves"} <= {path.stem for path in (tmp_path / "plots").iterdir()}
    assert set(found.table().columns) >= {measure.key for measure in found.summary.measures}


def test_several_numbers_at_once_and_a_cost_that_decides(tmp_path):
    """The cost is that of the quantile 0.9, and the loss that minimises it finds it."""
    y = np.stack([10 * X[:, 0], RNG.normal(size=len(X))], axis=1)
    cost = "quantile:quantile=0.9"
    settings = {"epochs": 15, "seeds": 5, "lr": "shared=0.003", "out": tmp_path}
    found = lab.compare((X, y), ["mse", cost, "cosine_similarity"], cost=cost, **settings)
    assert [arm.verdict for arm in found.summary.arms[1:]] == ["better", "worse"]
    assert f"the cost is {cost}" in found.report().read_text()


def test_a_run_that_learns_has_not_diverged_however_the_parts_differ(tmp_path):
    """Of heavy tails the validation part may have less than the training part."""
    y = X[:, 0] + 2 * RNG.standard_t(3, size=len(X))
    found = lab.compare((X, y), ["mse", "huber"], epochs=5, seeds=5, lr="shared=0.001", out=tmp_path)
    assert [arm.counts["diverged"] for arm in found.summary.arms] == [0, 0]


def test_where_the_measure_is_undefined_the_loss_chooses_the_rate(tmp_path):
    """One of the second class, and not for validation: average precision says nothing there."""
    train, test = (X[:300], np.arange(300) == 7), (X[300:], X[300:, 0] > 0)
    found = lab.compare((train, test), ["bce"], epochs=3, seeds=1, quick=True, out=tmp_path)
    assert found.exit_code == 0
    assert all(value is None for row in found.summary.arms[0].tuning for value in row.values)
    assert found.summary.arms[0].rate is not None


OWN_COST = """import losslab
class Cost(losslab.ElementLoss):
    factor: float = losslab.param(2.0, gt=0)
    def formula(self, ops, y_true, y_pred):
        return self.factor * ops.abs(y_pred - y_true)
"""
SHORT = {"epochs": 2, "seeds": 1, "lr": "shared=0.01"}


def test_a_cost_of_ones_own_is_found_by_its_path_and_an_edited_one_is_another(tmp_path):
    """It is four times the mean absolute error, then sixteen times; the report is made without its file."""
    file, out = tmp_path / "mine.py", tmp_path / "out"
    groups = []
    for power, factor in ((1, 4.0), (2, 16.0)):
        file.write_text(OWN_COST.replace("self.factor *", f"self.factor ** {power} *"))
        found = lab.compare((X, X[:, 0]), ["mse"], cost=f"{file}:Cost:factor=4", out=out, **SHORT)
        row = found.table().iloc[0]
        assert row["cost"] == pytest.approx(factor * row["mae"])
        groups.append(json.loads((out / "config.json").read_text())["arms"][0]["group"])
    assert groups[0] != groups[1]
    file.unlink()
    report.render(out)
    assert "the cost is cost:factor=4" in found.report().read_text()


def test_an_edit_of_the_cost_while_runs_are_made_is_refused(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(OWN_COST)
    [arm] = plan.arms([f"{file}:Cost"])
    task = task_from({"name": "regression", "measure": None, "cost": asdict(arm)})
    file.write_text(OWN_COST.replace("2.0", "3.0"))
    with pytest.raises(LabError, match="was edited while the comparison ran"):
        task.score(losslab.get("mse"), (X[:, :1], X[:, 1:2]))


def test_a_cost_may_be_a_loss_object(tmp_path):
    found = lab.compare((X, X[:, 0]), ["mse"], cost=losslab.AsymmetricCost(over=1, under=3), out=tmp_path, **SHORT)
    assert json.loads((tmp_path / "config.json").read_text())["task"]["cost"]["loss"]["config"]["under"] == 3
    assert np.isfinite(found.table()["cost"].iloc[0])


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("categorical_crossentropy", "categorical_crossentropy cannot be the cost of these numbers"),
        ("poisson", "the smallest target is -"),
        ("cosine_similarity", "it compares rows of numbers"),
        ("mse:reduction=none", "gives values of shape (320,)"),
        ("maee", "did you mean"),
        ("no.py:Cost", "no file no.py"),
        (lambda y_true, y_pred: 0, "is not a losslab.Loss"),
    ],
)
def test_what_cannot_be_a_cost_is_refused(tmp_path, cost, said):
    with pytest.raises(LabError) as refusal:
        lab.compare((X, X[:, 0]), ["mse"], cost=cost, out=tmp_path, **SHORT)
    assert said in str(refusal.value)
    assert not (tmp_path / "runs.jsonl").exists()


def test_a_cost_that_is_not_finite_is_refused(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(OWN_COST.replace("self.factor * ops.abs(y_pred - y_true)", "ops.log(y_true)"))
    with pytest.raises(LabError, match="gives nan where all 320 predictions"):
        lab.compare((X, X[:, 0]), ["mse"], cost=f"{file}:Cost", out=tmp_path / "out", **SHORT)
