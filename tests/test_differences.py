"""The page of differences from Keras: every row's two expressions give what the page says."""

import math
import pathlib
import tomllib

import numpy as np
import pytest

import losslab

keras = pytest.importorskip("keras", reason="keras is not installed")
jax = pytest.importorskip("jax", reason="jax is not installed")

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "differences.toml"
ROWS = tomllib.loads(PAGE.read_text())["difference"]


def grad(loss, y_true, y_pred):
    return jax.grad(lambda p: loss(jax.numpy.array(y_true), p))(jax.numpy.array(y_pred))


NAMES = {
    "losslab": losslab,
    "keras": keras,
    "grad": grad,
    "math": math,
    **{name: getattr(np, name) for name in ("array", "zeros", "ones", "float16", "float32")},
}


def outcome(expression):
    """What an expression gives, as the page writes it: numbers in three digits, or the error's name."""
    try:
        result = eval(expression, NAMES)
    except (TypeError, ValueError) as error:
        return type(error).__name__
    if isinstance(result, str):
        return result
    numbers = [f"{x + 0.0:.3g}" for x in np.asarray(result).ravel()]  # + 0.0: no minus zero
    return numbers[0] if len(numbers) == 1 else f"[{', '.join(numbers)}]"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["about"])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_the_page_says_what_is(row):
    ours, theirs = row["gives"]
    assert ours != theirs
    assert outcome(row["losslab"]) == ours
    if keras.backend.backend() != "jax":
        pytest.skip("the page gives the numbers of Keras on JAX")
    assert outcome(row["keras"]) == theirs
