"""The circle loss: who is whose partner."""

import numpy as np
import pytest

import losslab
from losslab.testing import Case, close

RNG = np.random.default_rng(0)
IDS = np.array([0, 1, 0, 1, 0])
ROWS = RNG.normal(size=(5, 3))
ROWS /= np.linalg.norm(ROWS, axis=1, keepdims=True)


def test_the_batch_as_references_changes_nothing(framework, dtype):
    case = Case(losslab.Circle(gamma=10.0), framework, dtype)
    y, p = case.arrays(IDS, ROWS)
    given = case.loss.per_sample(y, p, ref_labels=y, ref_embeddings=p)
    close(framework.numpy(given), case.per_sample(IDS, ROWS), 1e-6, "the batch itself")


def test_references_take_the_place_of_the_batch():
    """Row i against rows j of the references alone: the batch of row i and them, i's own value."""
    others = RNG.permutation(ROWS)
    labels = np.array([1, 0, 0, 1, 1])
    loss = losslab.Circle(gamma=10.0, remove_diagonal=False, reduction="none")
    values = loss(IDS, ROWS, ref_labels=labels, ref_embeddings=others)
    for i in range(5):
        batch = losslab.Circle(gamma=10.0, reduction="none")(
            np.append(labels, IDS[i]), np.concatenate([others, ROWS[i : i + 1]])
        )
        assert values[i] == pytest.approx(batch[-1], rel=1e-12)


def test_a_row_without_partners_is_not_counted(framework):
    """No other row of its id: value 0, out of the mean; a batch of one id has nothing to push apart, 0 in all."""
    case = Case(losslab.Circle(gamma=10.0), framework, "float64")
    ids = np.array([0, 0, 1, 1, 2])
    values = case.per_sample(ids, ROWS)
    assert values[4] == 0
    close(case.value(ids, ROWS), np.array(values[:4].mean()), 1e-12, "mean of the paired")
    assert case.value(np.zeros(5, int), ROWS) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losslab.circle(IDS, ROWS, ref_labels=IDS), "give both or neither"),
        (lambda: losslab.circle(IDS, ROWS[:, None]), r"y_true has shape \(5,\) and y_pred \(5, 1, 3\)"),
        (lambda: losslab.circle(IDS[:, None, None][:, [0, 0]], ROWS[:, None][:, [0, 0]]), r"y_pred must be \(N, D\)"),
        (
            lambda: losslab.circle(IDS, ROWS, ref_labels=IDS, ref_embeddings=ROWS[:, :2]),
            r"ref_embeddings has shape \(5, 2\), but y_pred has rows of 3 numbers",
        ),
    ],
)
def test_bad_pairs_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
