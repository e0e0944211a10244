"""Ids are made of content: what changes a run's numbers changes its id, and nothing else does."""

from dataclasses import replace

import pytest

import losslab
from losslab.lab import plan
from losslab.lab.errors import LabError

PROTOCOL = plan.protocol("mlp", "scan")
TASK = {"name": "classes", "measure": None, "cost": None}
DATA = {"source": "digits", "target": None, "subset": None, "digest": "d"}


def ids(losses, protocol=PROTOCOL, data=DATA, stage="final", rate=0.01, task=TASK):
    rates = [(arm, rate) for arm in plan.arms(losses)]
    jobs = plan.jobs(stage, rates, protocol.final_seed_list, protocol, task, data)
    return {(job["label"], job["seed"]): job["id"] for job in jobs}


def test_adding_a_loss_changes_no_other_id():
    two, three = ids(["cce", "mse"]), ids(["hinge", "cce", "mse"])
    assert {key: three[key] for key in two} == two


def test_more_seeds_change_no_other_id():
    few, many = ids(["cce"]), ids(["cce"], replace(PROTOCOL, seeds=20))
    assert {key: many[key] for key in few} == few


def test_ids_are_distinct_and_stable():
    made = ids(["cce", "mse", "huber", "huber:delta=2"])
    assert len(set(made.values())) == len(made) == 4 * PROTOCOL.seeds
    assert made == ids(["categorical_crossentropy", "MSE", "huber", "huber:delta=2"])


@pytest.mark.parametrize(
    "change", [{"epochs": 3}, {"batch": 7}, {"model": "cnn"}, {"engine": "step"}, {"noise": 0.1}, {"optimizer": "sgd"}]
)
def test_the_protocol_is_part_of_the_id(change):
    assert not set(ids(["cce"]).values()) & set(ids(["cce"], replace(PROTOCOL, **change)).values())


def test_data_rate_stage_and_task_are_part_of_the_id_but_not_the_path():
    base = ids(["cce"])
    task = TASK | {"measure": "accuracy"}
    changes = ({"data": DATA | {"digest": "e"}}, {"rate": 0.1}, {"stage": "tune"}, {"task": task})
    for other in (ids(["cce"], **change) for change in changes):
        assert not set(base.values()) & set(other.values())
    assert ids(["cce"], data=DATA | {"source": "elsewhere.npz"}) == base


def test_jobs_are_seed_major():
    jobs = plan.jobs("final", [(arm, 0.1) for arm in plan.arms(["cce", "mse"])], [0, 1], PROTOCOL, TASK, DATA)
    assert [job["seed"] for job in jobs] == [0, 0, 1, 1]


def test_one_loss_under_two_names_is_one_arm():
    assert [arm.label for arm in plan.arms(["mse", "mean_squared_error", "MSE", "mae"])] == [
        "mean_squared_error",
        "mean_absolute_error",
    ]


def test_what_a_run_could_not_make_by_name_is_refused():
    class Unknown(losslab.ElementLoss):
        pass

    with pytest.raises(LabError, match=r"Unknown is not registered(.|\n)*@losslab.register"):
        plan.arms([Unknown()])
    with pytest.raises(LabError, match=r"not a losslab\.Loss"):
        plan.arms([lambda y_true, y_pred: 0.0])


def test_a_loss_with_anothers_name_is_refused_and_not_taken_for_it():
    class Huber(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return y_pred - y_true

    class MeanSquaredError(losslab.ElementLoss):
        scale: float = 1.0

        def formula(self, ops, y_true, y_pred):
            return y_pred - y_true

    for loss in (Huber(), MeanSquaredError()):
        with pytest.raises(LabError, match=r"is not registered(.|\n)*under a name that no other loss has"):
            plan.arms([loss])


def test_a_loss_made_before_its_class_was_edited_is_refused():
    def define():
        @losslab.register
        class MadeTwice(losslab.ElementLoss):
            def formula(self, ops, y_true, y_pred):
                return y_pred - y_true

        return MadeTwice()

    old, new = define(), define()
    assert plan.arms([new])
    with pytest.raises(LabError, match="make the loss anew"):
        plan.arms([old])


def test_a_list_of_losses():
    assert plan.split_names("mse, huber:delta=2,,focal:alpha=[1,2]:gamma=3,") == [
        "mse",
        "huber:delta=2",
        "focal:alpha=[1,2]:gamma=3",
    ]


def test_labels_tell_parameters():
    labels = [arm.label for arm in plan.arms(["huber:delta=2", losslab.Huber(), losslab.Huber(delta=3.0)])]
    assert labels == ["huber:delta=2", "huber", "Huber(delta=3.0)"]


def test_tuning_seeds_are_not_final_seeds():
    protocol = replace(PROTOCOL, seeds=1000)
    assert not set(protocol.tuning_seed_list) & set(protocol.final_seed_list)


@pytest.mark.parametrize(
    ("best", "next_rate"), [(1e-3, None), (3e-3, 1e-2), (3e-4, 1e-4)], ids=["inside", "upper end", "lower end"]
)
def test_the_grid_is_extended_beyond_its_ends(best, next_rate):
    assert plan.neighbour([3e-4, 1e-3, 3e-3], best) == next_rate


@pytest.mark.parametrize("text", ["", "fast", "shared", "shared=", "shared=x", "shared=-1", "shared=0", "shared=inf"])
def test_bad_learning_rates(text):
    with pytest.raises(LabError, match="bad learning rate"):
        plan.learning_rate(text)


def test_learning_rates():
    assert plan.learning_rate("auto") is None
    assert plan.learning_rate("shared=3e-3") == 3e-3


def test_model_by_shape():
    shapes = [(64,), (8, 8), (28, 28), (32, 32, 3)]
    assert [plan.model_for("classes", shape) for shape in shapes] == ["mlp", "mlp", "cnn", "cnn"]
    assert plan.model_for("segmentation", (8, 8)) == "unet"
