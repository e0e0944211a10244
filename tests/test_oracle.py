"""Values and gradients against 50-digit arithmetic (tests/oracle)."""

import json
import pathlib

import numpy as np
import pytest

import losslab
from losslab.testing import Case

CASES = json.loads((pathlib.Path(__file__).parent / "oracle" / "values.json").read_text())

# Near 1 a probability is known to one rounding error of 1, which is large beside 1 - p = 1e-7: in float32 the clipping
# point itself is 1 - 1.19e-7. What float64 can hold of these cases is 1e-16 / 1e-7.
NEAR_ONE = 1 - 1e-6
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}


def _exponent_error(case):
    """How far a sum's exponents are off, in units of rounding: so much, relatively, is a term off, and its slope.

    Circle: a dot product of unit rows of length D errs by at most D, its distance d by D + 2 (1 - x rounds a number
    up to 2), and the exponents γ(d² - m²) and γ((1 - d)² - m²) change by up to 4γ and 2γ times that, d being at most 2.
    CTC: an alignment may be as far behind the best one as the loss is large, before it catches up.
    """
    if case["loss"] == "circle":
        return 6 * case["params"].get("gamma", 80.0) * (len(case["y_pred"][0]) + 2)
    return max(map(float, case["values"])) if case["loss"] == "ctc" else 0.0


def _label(case):
    return f"{case['loss']}-{json.dumps(case['params'])}"


def _is_saturated(case):
    probabilities = not case["params"].get("from_logits") and "crossentropy" in case["loss"]
    p = np.array(case["y_pred"])
    if "binary" not in case["loss"]:
        p = p / np.maximum(p.sum(axis=-1, keepdims=True), 1e-7)
    return probabilities and bool((p > NEAR_ONE).any())


def _numbers(nested):
    return np.array(nested, dtype=object).astype(float)


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{_label(case)}" for i, case in enumerate(CASES)])
def test_values_and_gradients(case, framework, dtype):
    if dtype == "float32" and _is_saturated(case):
        pytest.skip("float32 has no number close to 1 - 1e-7")
    loss = losslab.get({"class_name": case["loss"], "config": case["params"]})
    own = Case(loss, framework, dtype)
    y, p = np.array(case["y_true"]), np.array(case["y_pred"])
    data = {name: np.array(x) for name, x in case.get("data", {}).items()}
    tolerance = 1e-9 if _is_saturated(case) else TOLERANCE[dtype]
    roundoff = _exponent_error(case) * np.finfo(dtype).eps / 2
    expected = _numbers(case["values"])
    values = loss.per_sample(*own.arrays(y, p), **{name: own.arrays(x)[0] for name, x in data.items()})
    # The logarithm of a sum is off by as much as its exponents, softplus of it below 1 in proportion to itself
    _each_close(framework.numpy(values), expected, np.maximum(tolerance, roundoff / np.maximum(expected, 1)))
    if framework.differentiates and case["gradient"] is not None:
        summed = Case(type(loss).from_config({**loss.get_config(), "reduction": "sum"}), framework, dtype)
        _each_close(summed.gradient(y, p, **data), _numbers(case["gradient"]), 5 * max(tolerance, roundoff))


def _each_close(actual, expected, tolerance):
    """Each value at its own scale, each gradient at that of its row: what is below is rounding of larger numbers."""
    assert actual.shape == expected.shape, f"got shape {actual.shape}, expected {expected.shape}"
    scale = np.abs(expected) if expected.ndim < 2 else np.abs(expected).max(axis=-1, keepdims=True)
    room = tolerance * np.maximum(np.broadcast_to(scale, expected.shape), 0.1)
    wrong = ~(np.abs(actual - expected) <= room)
    assert not wrong.any(), f"got {actual[wrong]}, expected {expected[wrong]}"
