"""Finished runs to numbers and sentences: what counts, and what is said of it."""

from dataclasses import replace

import pytest

from losslab.lab import analysis
from losslab.lab.tasks.classes import ACCURACY, Classes


def run(stage, seed, lr, status="ok", val=0.9, test=0.9, group="g", loss=1.0):
    measured = stage == "final" and status == "ok"
    return {
        "group": group,
        "stage": stage,
        "seed": seed,
        "lr": lr,
        "status": status,
        "val_score": val,
        "history": {"val_score": [val], "val_loss": [loss]},
    } | (
        {"measures": dict.fromkeys((measure.key for measure in Classes.known), None) | {"accuracy": test}}
        if measured
        else {}
    )


def test_the_best_rate_has_the_best_mean_of_those_where_the_most_runs_succeeded():
    records = [run("tune", 1, 0.1, val=0.95), run("tune", 2, 0.1, status="diverged", val=None)]
    records += [run("tune", seed, rate, val=val) for seed in (1, 2) for rate, val in ((0.01, 0.3), (0.03, 0.2))]
    rows = analysis.tuning_rows(records, ACCURACY)
    assert [(row.rate, row.mean) for row in rows] == [(0.01, 30.0), (0.03, 20.0), (0.1, 95.0)]
    assert analysis.best_rate(rows, ACCURACY) == 0.01
    assert analysis.best_rate(rows, replace(ACCURACY, higher_is_better=False)) == 0.03
    assert analysis.best_rate(analysis.tuning_rows(records[1:2], ACCURACY), ACCURACY) is None
    assert analysis.best_rate((), ACCURACY) is None


TASK = {"name": "classes", "measure": None, "cost": None}


def config(*groups, seeds=4, shared_rate=0.1, task=TASK):
    return {
        "arms": [{"label": group, "group": group} for group in groups],
        "task": task,
        "protocol": {"rates": (0.01, 0.1, 0.3), "seeds": seeds, "shared_rate": shared_rate, "epochs": 1},
        "data": {"test_examples": 400},
    }


def test_of_equal_rates_and_of_undefined_measures_the_loss_decides():
    for val in (0.0, None):
        losses = {0.001: 0.9, 0.01: 0.4, 0.1: 0.7}
        records = [run("tune", 1, rate, val=val, loss=loss) for rate, loss in losses.items()]
        assert analysis.best_rate(analysis.tuning_rows(records, ACCURACY), ACCURACY) == 0.01


def test_rates_of_another_grid_in_the_same_folder_are_not_chosen():
    values = {1e-4: 0.9, 1e-3: 0.5, 3e-3: 0.6, 1e-2: 0.7, 3e-2: 0.8, 0.1: 0.7}
    rows = analysis.tuning_rows([run("tune", 1, rate, val=val) for rate, val in values.items()], ACCURACY)
    chosen = analysis.tried(rows, (1e-3, 3e-3, 1e-2), ACCURACY)
    assert [row.rate for row in chosen] == [1e-3, 3e-3, 1e-2, 3e-2, 0.1]  # extended twice, beyond 0.01 and 0.03
    assert analysis.best_rate(chosen, ACCURACY) == 3e-2


def test_diverged_runs_are_counted_and_said():
    records = [run("final", seed, 0.1, group="a") for seed in range(4)]
    records += [run("final", seed, 0.1, "diverged" if seed < 2 else "ok", group="b") for seed in range(4)]
    summary = analysis.summarize(config("a", "b"), records)
    assert summary.arms[1].counts == {"planned": 4, "ok": 2, "diverged": 2, "error": 0, "tuning_error": 0}
    assert summary.arms[1].deciding.contrast.seeds == 2
    assert "diverged 2/4" in summary.arms[1].sentence
    assert not summary.complete


def test_a_tuning_run_that_failed_is_counted_and_said():
    records = [run("tune", 10_000, 0.1, group="a"), run("tune", 10_001, 0.1, "error", val=None, group="a")]
    records += [run("final", seed, 0.1, group="a") for seed in range(4)]
    summary = analysis.summarize(config("a", shared_rate=None), records)
    assert summary.arms[0].counts["tuning_error"] == 1
    assert summary.arms[0].sentence.endswith("(failed in tuning 1).")
    assert not summary.complete
    assert analysis.summarize(config("a", shared_rate=None), [records[0], *records[2:]]).complete
    assert analysis.summarize(config("a", shared_rate=0.1), records).complete  # nothing was to be tuned


def test_an_arm_without_any_success_has_no_figure():
    records = [run("final", seed, 0.1, group="a") for seed in range(4)]
    records += [run("final", seed, 0.1, "diverged", group="b") for seed in range(4)]
    arm = analysis.summarize(config("a", "b"), records).arms[1]
    assert (arm.deciding.mean, arm.deciding.sd, arm.deciding.contrast, arm.verdict) == (None, None, None, "no result")
    assert arm.sentence == "b: diverged 4/4, 95 % interval 51 to 100 %."


def test_an_arm_that_no_rate_suits_says_so():
    records = [run("tune", 10_000, rate, "diverged", val=None, group="a") for rate in (0.1, 0.01)]
    arm = analysis.summarize(config("a", shared_rate=None), records).arms[0]
    assert (arm.rate, arm.sentence) == (None, "a: no learning rate worked in tuning.")


def test_an_arm_whose_baseline_failed_has_no_pair():
    records = [run("final", seed, 0.1, "diverged", group="a") for seed in range(4)]
    records += [run("final", seed, 0.1, group="b") for seed in range(4)]
    arms = analysis.summarize(config("a", "b"), records).arms
    assert [arm.verdict for arm in arms] == ["no result", "no pair"]


@pytest.mark.parametrize(("points", "text"), [(0.314, "+0.31"), (-0.314, "-0.31"), (-1e-9, "+0.00"), (0.0, "+0.00")])
def test_signed_points(points, text):
    assert analysis.signed(points) == text


def test_runs_of_other_rates_seeds_and_groups_do_not_count():
    wanted = [run("final", seed, 0.1, group="a") for seed in range(2)]
    others = [run("final", 0, 0.3, group="a", test=0.1), run("final", 5, 0.1, group="a", test=0.1)]
    others += [run("final", 0, 0.1, group="z", test=0.1), run("tune", 9, 0.1, group="a", val=0.1)]
    arm = analysis.summarize(config("a", seeds=2), wanted + others).arms[0]
    assert arm.deciding.values == {0: 90.0, 1: 90.0}


def test_summary_of_nothing():
    summary = analysis.summarize(config("a", "b"), [])
    assert [arm.sentence for arm in summary.arms] == ["a: not run 4/4.", "b: not run 4/4."]
    assert summary.test_noise is None


def test_of_an_error_less_is_better_and_the_band_is_a_share_of_the_baseline():
    task = {"name": "regression", "measure": "mae", "cost": None}
    values = {
        "a": (50.0, 50.1, 49.9, 50.0, 50.0),
        "b": (40.0, 40.2, 39.9, 40.1, 40.1),
        "c": (50.1, 50.0, 50.1, 50.2, 50.0),
    }
    records = []
    for group, found in values.items():
        records += [run("final", seed, 0.1, group=group) for seed in range(5)]
        for record, value in zip(records[-5:], found, strict=True):
            record["measures"] = {"mae": value, "rmse": value}
    summary = analysis.summarize(config(*values, seeds=5, task=task), records)
    assert summary.decides.key == "mae"
    assert [arm.verdict for arm in summary.arms] == ["baseline", "better", "practically equal"]
    assert summary.arms[0].sentence == "a is the baseline: 50.0000 test MAE."
    assert summary.arms[1].sentence.startswith("b is better than a by 9.9400 (95 % interval -10.0")
    assert summary.arms[2].sentence.endswith("within ±0.5).")
    assert summary.test_noise is None
