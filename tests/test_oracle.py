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
    tolerance = 1e-9 if _is_saturated(case) else TOLERANCE[dtype]
    _each_close(own.per_sample(y, p), _numbers(case["values"]), tolerance)
    if framework.differentiates and case["gradient"] is not None:
        summed = Case(type(loss).from_config({**loss.get_config(), "reduction": "sum"}), framework, dtype)
        _each_close(summed.gradient(y, p), _numbers(case["gradient"]), 5 * tolerance)


def _each_close(actual, expected, tolerance):
    """Each value at its own scale, each gradient at that of its row: what is below is rounding of larger numbers."""
    scale = np.abs(expected) if expected.ndim < 2 else np.abs(expected).max(axis=-1, keepdims=True)
    room = tolerance * np.maximum(np.broadcast_to(scale, expected.shape), 0.1)
    wrong = ~(np.abs(actual - expected) <= room)
    assert not wrong.any(), f"got {actual[wrong]}, expected {expected[wrong]}"
