"""What every metric promises, over the table, on four frameworks and in two float dtypes."""

import copy
import pickle

import numpy as np
import pytest

import losslab

from .table import TABLE, N, draw

NAN = float("nan")
ONE_DTYPE = pytest.mark.parametrize("dtype", ["float32"])


@pytest.fixture(params={(row.metric, row.kind): row for row in TABLE}.values(), ids=str)
def row(request):
    """Each metric and kind of data once, whatever number of oracles they have."""
    return request.param


@pytest.fixture
def arrays(row, framework, dtype):
    """(y_true, y_pred) of the row in the framework, the float dtype asked."""

    def cast(x):
        return framework.array(x.astype(dtype) if x.dtype.kind == "f" else x)

    y_true, y_pred = draw(row.kind)
    return cast(y_true), cast(y_pred)


@pytest.fixture
def weight(framework, dtype):
    return framework.array(np.random.default_rng(1).choice([0.0, 0.5, 1.0, 2.0], N).astype(dtype))


def fresh(row):
    metric = copy.copy(row.metric)
    metric.reset()
    return metric


def whole(row, y_true, y_pred, **options):
    metric = fresh(row)
    metric.update(y_true, y_pred, **options)
    return metric.result()


def close(a, b, dtype, tolerance=1e-12):
    np.testing.assert_allclose(a, b, rtol=max(tolerance, {"float32": 2e-6, "float64": 1e-12}[dtype]), atol=0)


def counts_only(row):
    """Whether the sums are whole numbers, which add without rounding."""
    fractions = (losslab.metrics.LossMetric, losslab.metrics.CosineSimilarity)
    of_several_labels = (losslab.metrics.MeanMetric, losslab.metrics.Accuracy)
    return not isinstance(row.metric, of_several_labels if row.kind in ("multi_label", "unknown_labels") else fractions)


def test_value(row, arrays, weight, framework, dtype):
    y_true, y_pred = (framework.numpy(x).astype(np.float64) for x in arrays)
    y_true = y_true.astype(int) if row.kind == "ids" else y_true
    close(whole(row, *arrays), row.expected(y_true, y_pred, np.ones(N)), dtype, row.tolerance)
    expected = row.expected(y_true, y_pred, framework.numpy(weight).astype(np.float64))
    close(whole(row, *arrays, sample_weight=weight), expected, dtype, row.tolerance)


@ONE_DTYPE
def test_uneven_batches_are_the_whole(row, arrays, weight, dtype):
    metric = fresh(row)
    for part in (slice(0, 7), slice(7, 8), slice(8, N)):
        metric.update(*(x[part] for x in arrays), sample_weight=weight[part])
    close(metric.result(), whole(row, *arrays, sample_weight=weight), dtype)


@ONE_DTYPE
def test_merged_halves_are_the_whole(row, arrays):
    halves = fresh(row), fresh(row)
    for metric, part in zip(halves, (slice(0, N // 2), slice(N // 2, N)), strict=True):
        metric.update(*(x[part] for x in arrays))
    merged = pickle.loads(pickle.dumps(halves[0]))
    merged.merge(pickle.loads(pickle.dumps(halves[1])))
    np.testing.assert_allclose(merged.result(), whole(row, *arrays), rtol=0 if counts_only(row) else 1e-6, atol=0)


@ONE_DTYPE
def test_reset_forgets(row, arrays):
    metric = fresh(row)
    metric.update(arrays[0][:9], arrays[1][:9])
    metric.reset()
    assert metric.sums == {}
    metric.update(*arrays)
    np.testing.assert_array_equal(metric.result(), whole(row, *arrays))


def test_removal(row, framework, dtype):
    y_true, y_pred = draw(row.kind)
    spoilt_true, spoilt_pred = y_true.copy(), y_pred.astype(dtype)
    spoilt_pred[::3] = NAN
    spoilt_true[::3] = 99 if y_true.dtype.kind == "i" else NAN
    keep = np.arange(N) % 3 != 0
    expected = whole(row, y_true[keep], y_pred[keep].astype(dtype))
    for options in (
        {"sample_weight": keep.astype(dtype)},
        {"sample_weight": keep[:, None].astype(dtype)},
        {"mask": keep, "sample_weight": np.where(keep, 1.0, NAN)},
    ):
        given = {name: framework.array(x) for name, x in options.items()}
        close(whole(row, framework.array(spoilt_true), framework.array(spoilt_pred), **given), expected, dtype)


@ONE_DTYPE
def test_nan_in_nan_out(row, framework, dtype):
    y_true, y_pred = draw(row.kind)
    y_pred = y_pred.astype(dtype)
    y_pred[3] = NAN
    assert np.isnan(whole(row, framework.array(y_true), framework.array(y_pred))).all()


@ONE_DTYPE
def test_inputs_are_not_written(row, arrays, weight, framework):
    mask = framework.array(np.arange(N) % 2 == 0)
    given = (*arrays, weight, mask)
    before = [framework.numpy(x).copy() for x in given]
    whole(row, *arrays, sample_weight=weight, mask=mask)
    for x, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(framework.numpy(x), old)


@ONE_DTYPE
def test_statistics_can_be_compiled(row, arrays, weight, framework, dtype):
    if isinstance(row.metric, losslab.metrics.AUC) and row.metric.num_thresholds is None:
        pytest.skip("the exact AUC keeps its scores on the host")
    metric = fresh(row)
    metric.add(framework.compiled(metric.statistics)(*arrays, weight))
    close(metric.result(), whole(row, *arrays, sample_weight=weight), dtype, 1e-6)


def test_parameters_are_a_value(row):
    metric = row.metric
    named = [vars(losslab), vars(losslab.metrics)]  # CosineSimilarity is a loss and a metric
    first, last = named if isinstance(metric, losslab.metrics.CosineSimilarity) else reversed(named)
    assert eval(repr(metric), first | last) == metric
    assert type(metric).from_config(metric.get_config()) == metric
    assert losslab.metrics.deserialize(losslab.metrics.serialize(metric)) == metric
    seen = fresh(row)
    seen.update(*draw(row.kind))
    assert seen == metric
    assert hash(seen) == hash(metric)
    assert losslab.metrics.get(seen) is seen


def test_a_copy_goes_its_own_way(row):
    metric = fresh(row)
    metric.update(*draw(row.kind))
    before = metric.result()
    copy.copy(metric).update(*draw(row.kind, seed=5))
    np.testing.assert_array_equal(metric.result(), before)
