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
    """per_sample on (4, 5) gives (4,), the mean over them is the class's value; a set gives one value."""
    y, p = case.draw()
    mean = case.changed(reduction="sum_over_batch_size")
    values = case.per_sample(y, p)
    assert values.shape == case.value_shape(p), f"{case}: shape {values.shape} for {p.shape}"
    close(mean.value(y, p), values.astype("float64").mean(), TOLERANCE[case.dtype], f"{case}, mean")


def reductions_are_sums(case: Case) -> None:
    """sum, mean, weighted mean, none and normalizer, against NumPy's own sums of the weighted values."""
    y, p = case.draw()
    values = case.reference.per_sample(y, p)
    case.only(case.samples_are_independent or values.shape in ((), (ROWS,)), "a weight belongs to an element of a set")
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
    weight = np.ones(ROWS)
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
    """A NaN prediction makes its own sample NaN, and no other that does not depend on it."""
    y, p = case.draw()
    broken = p.copy()
    broken[0] = np.nan
    values = case.per_sample(y, broken)
    if not case.samples_are_independent:
        assert np.isnan(values).all(), f"{case}: a NaN prediction gave {values}"
        return
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
    case.only(case.samples_are_independent and not case.takes_batches_only, "it takes batches only")
    own = case.loss.get_config().get("axis", -1)
    shifted = [axis - 1 for axis in own] if isinstance(own, list) else own - 1
    sample = case.changed(axis=shifted).loss if np.min(own) > 0 else case.loss
    mapped = case.framework.mapped(sample.per_sample)
    case.only(mapped is not None, f"{case.framework.name} has no vmap")
    y, p = case.draw()
    result = case.framework.numpy(mapped(*case.arrays(y, p)))  # type: ignore[misc]
    close(result, case.per_sample(y, p), TOLERANCE[case.dtype], f"{case}, vmap")


def extremes(case: Case) -> tuple[Values, Values]:
    """Edge labels against edge predictions; class rows mix the edges of their domain at random."""
    targets, outputs = case.loss.targets, case.loss.outputs
    rng = np.random.default_rng(1)
    shape = case.shape(rows=200)
    y = case.usable(targets.draw(rng, shape))
    p = rng.choice(np.array(outputs.edges), shape)
    if y.shape == p.shape and targets.name not in ("one_hot", "distribution"):
        y = rng.choice(np.array(targets.edges), shape)
    p[0] = 0.0
    y = case.moved(y) if y.shape == p.shape else y
    return case.rounded(y), case.rounded(case.moved(p))


def _first(wrong: Values, y: Values, p: Values) -> str:
    row = np.unravel_index(int(np.argmax(wrong)), wrong.shape)[:1]
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
