"""Scores of predicted distributions against scikit-learn, hand calculations and a known temperature."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import log_loss

from losslab.lab.calibration import BINS, best_temperature, scores

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(500, 4)) * 3
IDS = RNG.integers(0, 4, 500)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_nll_is_scikit_learns():
    assert scores(LOGITS, IDS).nll == pytest.approx(log_loss(IDS, softmax(LOGITS), labels=range(4)), rel=1e-12)


def test_brier_by_hand():
    """(0.7 - 1)² + 0.3² and 0.8² + (0.2 - 1)²."""
    found = scores(np.log([[0.7, 0.3], [0.8, 0.2]]), np.array([0, 1]))
    assert found.brier == pytest.approx((0.18 + 1.28) / 2)


def test_ece_by_hand():
    """Bin (0.6, 0.667]: 0.65 against 1 of 2 right. Bin (0.867, 0.933]: 0.9 against 2 of 2."""
    p = np.array([[0.65, 0.35], [0.65, 0.35], [0.9, 0.1], [0.1, 0.9]])
    found = scores(np.log(p), np.array([0, 1, 0, 1]))
    assert found.ece == pytest.approx(0.5 * 0.15 + 0.5 * 0.1)
    assert [(found.count, found.accuracy) for found in found.bins] == [(2, 0.5), (2, 1.0)]


def test_ece_against_every_prediction_sorted_into_its_bin():
    p = softmax(LOGITS)
    edges = np.linspace(0, 1, BINS + 1)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == IDS
    expected = 0.0
    for low, high in itertools.pairwise(edges):
        here = (confidence > low) & (confidence <= high)
        if here.any():
            expected += here.mean() * abs(right[here].mean() - confidence[here].mean())
    assert scores(LOGITS, IDS).ece == pytest.approx(expected, rel=1e-12)


def test_certain_predictions_fall_into_the_last_bin():
    found = scores(np.array([[1000.0, 0.0], [1000.0, 0.0]]), np.array([0, 1]))
    assert (found.ece, found.nll, len(found.bins)) == (0.5, 500.0, 1)


@pytest.mark.parametrize("factor", [0.2, 1.0, 4.0])
def test_a_known_temperature_is_found(factor):
    """Labels drawn from softmax(z), logits that are too large by a factor."""
    z = RNG.normal(size=(40_000, 3))
    ids = np.array([RNG.choice(3, p=p) for p in softmax(z)])
    assert best_temperature(z * factor, ids) == pytest.approx(factor, rel=0.03)


def test_the_temperature_is_applied():
    assert scores(LOGITS, IDS, 2.5).nll == pytest.approx(scores(LOGITS / 2.5, IDS).nll, rel=1e-12)
