"""AUC, precision, recall, F1 and means at their edges."""

import keras
import numpy as np
import pytest

import losslab

M = losslab.metrics


@pytest.mark.parametrize("thresholds", [None, 200])
@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_an_area_that_does_not_exist_is_nan_with_a_reason(thresholds, curve):
    with pytest.warns(M.UndefinedMetricWarning, match="auc is undefined: no label is a yes"):
        assert np.isnan(M.auc([0, 0], [0.2, 0.4], curve=curve, num_thresholds=thresholds))
    if curve == "PR":  # every prediction is right, whatever the threshold
        assert M.auc([1, 1], [0.2, 0.4], curve=curve, num_thresholds=thresholds) == pytest.approx(1.0)
    else:
        with pytest.warns(M.UndefinedMetricWarning, match="no label is a no"):
            assert np.isnan(M.auc([1, 1], [0.2, 0.4], num_thresholds=thresholds))


def test_the_reason_names_the_column():
    with pytest.warns(M.UndefinedMetricWarning, match="no label is a yes in column 1"):
        assert np.isnan(M.auc([[0, 0], [1, 0]], [[0.2, 0.4], [0.3, 0.1]], average="macro"))


@pytest.mark.parametrize("metric", [M.AUC(), M.Mean(), M.Accuracy(), M.F1Score(), M.get("mse")], ids=repr)
def test_nothing_seen_is_nan_with_a_reason(metric):
    with pytest.warns(M.UndefinedMetricWarning, match=f"{metric.name} is undefined: nothing has been given"):
        assert np.isnan(metric.result())


@pytest.mark.parametrize("metric", [M.BinaryAccuracy(), M.Accuracy(), M.get("mse")], ids=repr)
def test_nothing_left_is_nan_with_a_reason(metric):
    metric.update([1.0], [0.5], sample_weight=[0.0])
    with pytest.warns(M.UndefinedMetricWarning, match="the weights of all that it has seen sum to 0"):
        assert np.isnan(metric.result())
    metric.reset()


def test_scores_outside_of_the_bins_are_refused_not_clipped(framework):
    y_true, logits = framework.array(np.array([0, 1, 1])), framework.array(np.array([-3.0, 2.0, 5.0]))
    with pytest.raises(ValueError, match=r"y_pred holds -3, but bins need probabilities in \[0, 1\]: give from_logits"):
        M.auc(y_true, logits, num_thresholds=200)
    assert M.auc(y_true, logits, num_thresholds=200, from_logits=True) == pytest.approx(1.0)
    assert M.auc(y_true, logits) == 1.0
    if framework.compiles:  # where looking is impossible
        metric = M.AUC(num_thresholds=200)
        metric.add(framework.compiled(metric.statistics)(y_true, logits))
        assert np.isnan(metric.result())


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_keras_bins_at_their_edges(curve):
    """Scores that lie on the thresholds, and 0 and 1."""
    y_true = np.array([0, 1, 0, 1, 1, 0, 1])
    y_pred = np.array([0.0, 0.0, 0.25, 0.25, 0.5, 0.75, 1.0], "float32")
    theirs = keras.metrics.AUC(num_thresholds=5, curve=curve)
    theirs.update_state(y_true, y_pred)
    assert M.auc(y_true, y_pred, num_thresholds=5, curve=curve) == pytest.approx(float(theirs.result()), rel=1e-6)


def test_many_bins_approach_the_exact_area():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 2000)
    y_pred = np.clip(rng.normal(0.4 + 0.2 * y_true, 0.2), 0, 1)
    assert M.auc(y_true, y_pred, num_thresholds=20_000) == pytest.approx(M.auc(y_true, y_pred), abs=1e-4)


def test_several_columns_need_an_average():
    with pytest.raises(ValueError, match=r"average='binary' is for one column, but y_pred has 3: give average='macro'"):
        M.precision([0, 1], np.eye(3)[:2])


def test_several_labels_need_a_threshold(framework):
    y_true, y_pred = framework.array(np.array([[1, 1, 0], [0, 0, 1]])), framework.array(np.eye(3)[:2])
    with pytest.raises(ValueError, match=r"1 of 2 label rows name no class or several, the first is .*threshold=0.5"):
        M.recall(y_true, y_pred, average="macro")
    assert M.recall(y_true, y_pred, average="micro", threshold=0.5) == pytest.approx(1 / 3)
    if framework.compiles:  # where looking is impossible
        metric = M.Recall(average="macro")
        metric.add(framework.compiled(metric.statistics)(y_true, y_pred))
        assert np.isnan(metric.result())


@pytest.mark.parametrize("wrong", [3, -1, 1.5])
def test_a_class_id_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="1 of 2 label rows name no class or several"):
        M.f1_score([wrong, 0], np.eye(3)[:2], average="macro")
    assert M.f1_score([wrong, 0], np.eye(3)[:2][::-1], average="micro", mask=[False, True]) == 1.0


def test_nothing_positive_scores_zero():
    assert M.precision([0, 1], [0.1, 0.2]) == 0.0
    assert M.recall([0, 0], [0.1, 0.2]) == 0.0
    assert M.f1_score([0, 0], [0.1, 0.2]) == 0.0


def test_sequences_weigh_by_step():
    """(N, T, C) scores with (N, T) ids, and a mask of steps."""
    ids, scores = np.array([[0, 1], [2, 0]]), np.eye(3)[[[0, 1], [1, 1]]]
    assert M.precision(ids, scores, average="micro") == 0.5
    assert M.precision(ids, scores, average="micro", mask=[[True, True], [False, False]]) == 1.0
    with pytest.raises(ValueError, match="sample_weight has shape"):
        M.precision(ids, scores, average="micro", sample_weight=np.ones((2, 2, 3)))


def test_elements_of_several_labels_can_be_masked_alone():
    """A label that is missing, of a sample whose others are there."""
    y_true, y_pred = np.array([[1.0, np.nan], [0.0, 1.0]]), np.array([[0.9, 0.1], [0.2, 0.8]])
    assert M.auc(y_true, y_pred, mask=~np.isnan(y_true)) == 1.0
    assert M.f1_score(y_true, y_pred, mask=~np.isnan(y_true), threshold=0.5, average="micro") == 1.0


def test_mean(framework, dtype):
    values = np.array([[1.0, 2.0], [3.0, 4.0], [np.nan, 5.0]], dtype)
    weight = np.array([1.0, 3.0, 0.0], dtype)
    assert M.mean(framework.array(values), framework.array(weight)) == (1 * 1.5 + 3 * 3.5) / 4
    assert M.mean(framework.array(values), mask=framework.array(weight > 0)) == 2.5
    metric = M.Mean()
    for row in values[:2]:
        metric.update(framework.array(row))
    assert metric.result() == 2.5


def test_long_streams_lose_no_count():
    """float32 stops counting at 2**24: one more is no more."""
    metric = M.BinaryAccuracy()
    million = np.ones(2**20, "float32")
    for _ in range(16):
        metric.update(million, million)
    metric.update(np.ones(1, "float32"), np.zeros(1, "float32"))
    assert metric.sums["weight"] == 2**24 + 1
    assert metric.result() == 2**24 / (2**24 + 1)
