"""Properties of values: forms, agreement, reductions, precision, saturation."""

import functools

import numpy as np

from ._case import ROWS, TOLERANCE, Case, close
from ._frameworks import Values


def agrees_with_numpy(case: Case) -> None:
    """The value is that of the same formula on NumPy in float64, on the same numbers."""
    y, p = case.draw()
    close(case.per_sample(y, p), case.reference.per_sample(y, p), TOLERANCE[case.dtype], f"{case}, per sample")
    close(case.value(y, p), case.reference.value(y, p), TOLERANCE[case.dtype], f"{case}, reduced")


def function_form_reduces_the_last_axis(case: Case) -> None:
    """per_sample on (4, 5) gives (4,), the mean over them is the class's value."""
    y, p = case.draw()
    mean = case.changed(reduction="sum_over_batch_size")
    values = case.per_sample(y, p)
    axis = case.loss.axis
    assert values.shape == np.moveaxis(p, axis, -1).shape[:-1], f"{case}: shape {values.shape} for {p.shape}"
    close(mean.value(y, p), values.astype("float64").mean(), TOLERANCE[case.dtype], f"{case}, mean")


def reductions_are_sums(case: Case) -> None:
    """sum, mean, weighted mean, none and normalizer, against NumPy's own sums of the weighted values."""
    y, p = case.draw()
    values = case.reference.per_sample(y, p)
    weight = case.rounded(np.linspace(0.5, 2.0, values.size).reshape(values.shape))
    weighted = values * weight
    expected = {
        "none": weighted,
        "sum": weighted.sum(),
        "sum_over_batch_size": weighted.sum() / values.size,
        "mean_with_sample_weight": weighted.sum() / weight.sum(),
    }
    for reduction, number in expected.items():
        result = case.changed(reduction=reduction).value(y, p, sample_weight=weight)
        close(result, number, TOLERANCE[case.dtype], f"{case}, {reduction}")
    divided = case.changed(reduction="mean").value(y, p, normalizer=8)
    close(divided, values.sum() / 8, TOLERANCE[case.dtype], f"{case}, normalizer")


def precision_is_kept(case: Case) -> None:
    """float64 stays float64, float32 stays float32; half precision is computed and returned in float32."""
    y, p = case.draw()
    labels, predictions = case.arrays(y, p)
    result = case.framework.dtype(case.loss(labels, predictions))
    assert result == case.dtype, f"{case}: returned {result}"
    for half in case.framework.half:
        low = case.framework.cast(predictions, half)
        exact = case.framework.cast(low, "float32")
        value = case.loss(labels, low)
        assert case.framework.dtype(value) == "float32", f"{case}: {half} returned {case.framework.dtype(value)}"
        close(
            case.framework.numpy(value), case.framework.numpy(case.loss(labels, exact)), 1e-6, f"{case}, {half} input"
        )


def inputs_are_not_written(case: Case) -> None:
    y, p = case.draw()
    weight = np.ones(case.per_sample(y, p).shape)
    arrays = case.arrays(y, p, weight)
    case.loss(arrays[0], arrays[1], sample_weight=arrays[2], mask=arrays[2] > 0)
    for array, before in zip(arrays, (y, p, weight), strict=True):
        assert np.array_equal(case.framework.numpy(array).astype(before.dtype), before), f"{case}: an input was changed"


def lists_and_numpy_labels_join(case: Case) -> None:
    """Lists and NumPy arrays as labels give the value of the framework's own arrays."""
    y, p = case.draw()
    labels, predictions = case.arrays(y, p)
    expected = case.framework.numpy(case.loss(labels, predictions))
    for other in (y, y.tolist()):
        result = case.loss(other, predictions)
        assert type(result) is type(case.loss(labels, predictions)), f"{case}: {type(other)} labels gave {type(result)}"
        close(case.framework.numpy(result), expected, TOLERANCE[case.dtype], f"{case}, {type(other).__name__} labels")


def nan_in_is_nan_out(case: Case) -> None:
    """A NaN prediction makes its own sample NaN, and no other."""
    y, p = case.draw()
    broken = p.copy()
    broken[0] = np.nan
    values = case.per_sample(y, broken)
    assert np.isnan(values[0]).all(), f"{case}: NaN predictions gave {values[0]}"
    close(values[1:], case.per_sample(y, p)[1:], TOLERANCE[case.dtype], f"{case}, beside a NaN sample")


def extreme_values_are_finite(case: Case) -> None:
    """Every combination of edge labels and edge predictions has a finite value."""
    y, p = extremes(case)
    values = case.per_sample(y, p)
    assert np.isfinite(values).all(), f"{case}: not finite for {_first(~np.isfinite(values), y, p)}"


def compiled_equals_eager(case: Case) -> None:
    """jax.jit, torch.compile(fullgraph=True), tf.function give the eager value, plain and with every argument."""
    case.only(case.framework.compiles, f"{case.framework.name} compiles nothing")
    y, p = case.draw()
    weight = case.rounded(np.linspace(0.0, 2.0, ROWS))
    plain = case.arrays(y, p)
    full = [*plain, *case.arrays(weight, np.arange(ROWS) > 0)]
    normalizer = None if case.loss.reduction == "none" else 8
    for given, divisor in ((plain, None), (full, normalizer)):
        function = functools.partial(case.loss, normalizer=divisor)
        result, eager = case.framework.compiled(function)(*given), function(*given)
        numpy = case.framework.numpy
        close(numpy(result), numpy(eager), TOLERANCE[case.dtype], f"{case}, compiled")


def mapped_equals_a_batch(case: Case) -> None:
    """vmap over samples gives the per-sample values."""
    axis = case.loss.axis
    sample = case.loss if axis < 0 else case.changed(axis=axis - 1).loss
    mapped = case.framework.mapped(sample.per_sample)
    case.only(mapped is not None, f"{case.framework.name} has no vmap")
    y, p = case.draw()
    result = case.framework.numpy(mapped(*case.arrays(y, p)))  # type: ignore[misc]
    close(result, case.per_sample(y, p), TOLERANCE[case.dtype], f"{case}, vmap")


def extremes(case: Case) -> tuple[Values, Values]:
    """Edge labels against edge predictions; class rows mix the edges of their domain at random."""
    targets, outputs = case.loss.targets, case.loss.outputs
    rng = np.random.default_rng(1)
    rows = 200
    y = targets.draw(rng, (rows, case.columns))
    p = rng.choice(np.array(outputs.edges), (rows, case.columns))
    if targets.name not in ("class_id", "one_hot", "distribution"):
        y = rng.choice(np.array(targets.edges), (rows, case.columns))
    p[0] = 0.0
    y = y if case.takes_ids else case.moved(y)
    return case.rounded(y), case.rounded(case.moved(p))


def _first(wrong: Values, y: Values, p: Values) -> str:
    row = int(np.argmax(wrong))
    return f"y_true {y[row]}, y_pred {p[row]}"


PROPERTIES = (
    agrees_with_numpy,
    function_form_reduces_the_last_axis,
    reductions_are_sums,
    precision_is_kept,
    inputs_are_not_written,
    lists_and_numpy_labels_join,
    nan_in_is_nan_out,
    extreme_values_are_finite,
    compiled_equals_eager,
    mapped_equals_a_batch,
)
