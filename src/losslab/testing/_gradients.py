"""Properties of gradients: right, finite, alive where the prediction is confidently wrong, the same when compiled."""

import numpy as np

from ._case import TOLERANCE, Case, close, total
from ._frameworks import Values
from ._values import extremes

_STEP = 1e-6
_NEAR = 2e-5  # what is left of a central difference's error, relative to the largest slope


def gradient_is_the_slope(case: Case) -> None:
    """The gradient is the central difference of the value on NumPy in float64, away from kinks."""
    case.only_with_gradients()
    y, p = case.draw()
    tolerance = max(_NEAR, TOLERANCE[case.dtype])
    close(case.gradient(y, p), _slope(case.reference, y, p), tolerance, f"{case}, gradient")


def gradient_is_finite(case: Case) -> None:
    """Every combination of edge labels and edge predictions has a finite gradient."""
    case.only_with_gradients()
    y, p = extremes(case)
    gradient = case.gradient(y, p)
    rows = ~np.isfinite(gradient).all(axis=-1)
    assert not rows.any(), f"{case}: gradient {gradient[rows][0]} for {y[rows][0]}, {p[rows][0]}"


def a_confidently_wrong_sample_learns(case: Case) -> None:
    """Logits of ±1e4 and probabilities of 0 against the label keep a gradient."""
    case.only_with_gradients()
    case.only(not case.loss.fades, "its gradient fades on purpose")
    case.only(case.rank == 2 or case.is_rowwise, "its predictions are not (N, C)")
    case.only(case.loss.targets.name in ("binary", "one_hot", "class_id"), "its labels are no classes")
    wrong = {"logit": (-1e4, 1e4), "logits": (-1e4, 1e4), "probability": (0.0, 1.0), "distribution": (0.0, 1.0)}
    case.only(case.loss.outputs.name in wrong, "its predictions are neither logits nor probabilities")
    low, high = wrong[case.loss.outputs.name]
    ids = np.zeros(1, "int64")
    rows = np.eye(case.columns)[ids]
    p = np.where(rows == 1, low, high) if case.loss.targets.name == "binary" else np.full(rows.shape, low)
    p[0, 1] = high
    y = ids if case.takes_ids else case.moved(rows)
    slope = case.gradient(y, case.moved(p)).reshape(-1)[0]
    assert slope < -1e-3 / case.columns, f"{case}: the true class at {low} has gradient {slope}"


def gradient_survives_compilation(case: Case) -> None:
    """The gradient inside jax.jit, torch.compile and tf.function is the eager one."""
    case.only_with_gradients()
    y, p = case.draw()
    labels, predictions = case.arrays(y, p)
    function = case.framework.compiled(lambda labels, x: total(case.loss(labels, x)))
    compiled = case.framework.gradient(lambda x: function(labels, x), predictions)
    close(compiled, case.gradient(y, p), TOLERANCE[case.dtype], f"{case}, compiled gradient")


def _slope(case: Case, y: Values, p: Values) -> Values:
    slope = np.empty_like(p)
    for index in np.ndindex(p.shape):
        step = np.zeros_like(p)
        step[index] = _STEP
        ahead, behind = (case.value(y, p + sign * step).sum() for sign in (1, -1))
        slope[index] = (ahead - behind) / (2 * _STEP)
    return slope


PROPERTIES = (
    gradient_is_the_slope,
    gradient_is_finite,
    a_confidently_wrong_sample_learns,
    gradient_survives_compilation,
)
