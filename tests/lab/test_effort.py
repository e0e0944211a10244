"""What a loss takes to train: epochs to a target, with runs that never reach it, and seconds an epoch."""

import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from losslab.lab import effort
from losslab.lab.measures import Measure
from losslab.lab.sensitivity import rates_near_best

ACCURACY = Measure("accuracy", "accuracy, %", 100, True, 0.2, 2)
RMSE = Measure("rmse", "RMSE", 1, False, 0.01, 4, relative=True)


def run(seed, *curve, status="ok", seconds=None):
    timed = {} if seconds is None else {"epoch_seconds": seconds}
    return {"seed": seed, "status": status, "history": {"val_score": list(curve)}} | timed


def test_the_target_is_a_standard_deviation_short_of_the_baselines_end():
    runs = [run(0, 0.5, 0.9), run(1, 0.6, 0.94), run(2, 0.1, 0.1, status="diverged")]
    assert effort.target_of(runs, ACCURACY) == pytest.approx(92 - np.std([90, 94], ddof=1))
    assert effort.target_of([run(0, 3.0, 1.0), run(1, 3.0, 2.0)], RMSE) == pytest.approx(1.5 + np.sqrt(0.5))


def test_the_target_is_short_by_what_is_practically_equal_where_the_runs_end_alike():
    assert effort.target_of([run(0, 0.5, 0.9)], ACCURACY) == pytest.approx(89.8)
    assert effort.target_of([run(seed, 3.0, 2.0) for seed in range(3)], RMSE) == pytest.approx(2.02)


@pytest.mark.parametrize("runs", [[], [run(0, 0.9)], [run(0, 0.5, 0.9, status="diverged")], [run(0, 0.5, None)]])
def test_no_target_without_a_curve(runs):
    assert effort.target_of(runs, ACCURACY) is None
    (found,) = effort.efforts([runs], None, 5, ACCURACY)
    assert (found.reached, found.epochs.mean) == ({}, None)


def test_a_run_that_never_reaches_the_target_is_counted_with_all_epochs():
    arm = [run(0, 0.5, 0.9, 0.8), run(1, 0.5, 0.6, 0.7), run(2, 0.9, 0.9, status="diverged"), run(3, status="error")]
    (found,) = effort.efforts([arm], 85.0, 3, ACCURACY)
    assert found.reached == {0: 2, 1: None, 2: None}
    assert found.epochs.values == {0: 2.0, 1: 3.0, 2: 3.0}


def test_lower_may_be_better():
    (found,) = effort.efforts([[run(0, 3.0, 1.0, 2.0), run(1, None, 2.5, 2.4)]], 1.5, 3, RMSE)
    assert found.reached == {0: 2, 1: None}


def test_the_mean_is_the_restricted_mean_of_kaplan_and_meier():
    rng, epochs = np.random.default_rng(0), 12
    runs = [run(seed, *np.sort(rng.random(epochs))) for seed in range(30)]
    (found,) = effort.efforts([runs], 97.0, epochs, ACCURACY)
    assert {None, epochs} < set(found.reached.values())
    at = [epoch for epoch in found.reached.values() if epoch]
    never = [epochs] * (len(runs) - len(at))
    survival = ecdf(CensoredData(uncensored=at, right=never)).sf
    restricted = sum(survival.evaluate(epoch) for epoch in range(epochs))
    assert found.epochs.mean == pytest.approx(restricted)


def test_fewer_epochs_are_better_and_a_fraction_of_one_is_nothing():
    def arm(*before):
        return [run(seed, *[0.5] * place, *[0.9] * (20 - place)) for seed, place in enumerate(before)]

    arms = [arm(8, 8, 8, 8, 8, 8), arm(4, 5, 4, 4, 4, 4), arm(14, 12, 12, 14, 13, 12), arm(8, 7, 8, 8, 8, 8)]
    contrasts = [found.epochs.contrast for found in effort.efforts(arms, 80.0, 20, ACCURACY)]
    assert [contrast.verdict for contrast in contrasts[1:]] == ["better", "worse", "practically equal"]
    assert contrasts[3].mean == pytest.approx(-1 / 6)


def test_the_epoch_that_holds_compilation_does_not_count():
    baseline = [run(0, 0.9, seconds=[9.0, 2.0, 2.0]), run(1, 0.9, seconds=[2.0, 2.0, 2.0])]
    other = [run(0, 0.9, seconds=[9.0, 3.0, 3.2]), run(1, 0.9, seconds=[2.8, 3.2, 2.8]), run(2, 0.9, status="error")]
    untimed = [run(0, 0.9)]
    costs = [found.cost for found in effort.efforts([baseline, other, untimed], None, 1, ACCURACY)]
    assert [cost.seconds for cost in costs] == [2.0, 3.0, None]
    assert [cost.ratio for cost in costs] == [1.0, 1.5, None]


def test_rates_near_the_best_stop_at_the_first_that_is_not():
    means = {1e-4: 96.5, 1e-3: 90.0, 1e-2: 96.2, 1e-1: 97.0}
    assert rates_near_best(means, ACCURACY) == (1e-2, 1e-1)
    assert rates_near_best({0.1: 2.02, 1.0: 2.0, 10.0: 2.03}, RMSE) == (0.1, 1.0)
    assert rates_near_best({}, ACCURACY) is None
