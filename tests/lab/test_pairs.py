"""The statistics of pairs against SciPy and against numbers worked out by hand."""

import numpy as np
import pytest
from scipy import stats

from losslab.lab import pairs

RNG = np.random.default_rng(3)
BAND = 0.2


def compared(baseline, *others, **given):
    return pairs.contrasts(baseline, others, BAND, **given)


@pytest.mark.parametrize("n", [2, 3, 8, 20])
def test_interval_is_scipys_paired_t(n):
    a, b = RNG.normal(97, 1, n), RNG.normal(97.5, 1, n)
    expected = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert pairs.paired_interval(b - a) == pytest.approx((expected.low, expected.high), rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, 8, 12])
def test_sign_flip_p_is_scipys_exact_permutation_test(n):
    differences = RNG.normal(0.5, 1, n)
    exact = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert pairs.sign_flip_p(differences) == pytest.approx(exact.pvalue, abs=1e-12)


def test_sign_flip_p_by_hand():
    # All eight differences of one sign: only the two extreme sign vectors of 2^8 reach the sum.
    assert pairs.sign_flip_p(np.full(8, 0.3)) == 2 / 256
    assert pairs.sign_flip_p(np.zeros(5)) == 1.0


def test_sign_flip_p_knows_no_unit():
    differences = RNG.normal(0.5, 1, 8)
    assert pairs.sign_flip_p(1e-12 * differences) == pairs.sign_flip_p(differences) < 1


def test_sign_flip_p_beyond_enumeration_is_close_to_the_t_test():
    differences = RNG.normal(0.4, 1, 40)
    assert pairs.sign_flip_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.02)


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.5, 0.6, 0.7, 0.6, 0.5], "better"),
        ([-0.5, -0.6, -0.7, -0.6, -0.5], "worse"),
        ([0.05, -0.05, 0.05, -0.05, 0.0, 0.05], "practically equal"),
        ([0.10, 0.11, 0.10, 0.11, 0.10], "practically equal"),
        ([3.0, -2.0, 1.0, -3.0, 2.0], "not enough seeds"),
        ([5.0, 5.1, 5.2, 5.1], "not enough seeds"),
        ([0.0, 0.0], "practically equal"),
        ([0.4], "no interval"),
    ],
)
def test_verdict(differences, verdict):
    baseline = dict.fromkeys(range(len(differences)), 90.0)
    other = {seed: 90.0 + difference for seed, difference in enumerate(differences)}
    assert compared(baseline, other)[0].verdict == verdict


def test_identical_arms_differ_by_exactly_zero():
    arm = {0: 96.3, 1: 97.1, 2: 95.9}
    contrast = compared(arm, dict(arm))[0]
    assert (contrast.mean, contrast.low, contrast.high, contrast.p, contrast.p_sign_flip) == (0, 0, 0, 1, 1)


def test_pairs_are_the_common_seeds():
    contrast = compared({0: 90.0, 1: 91.0, 3: 80.0}, {0: 92.0, 1: 93.0, 2: 99.0})[0]
    assert (contrast.seeds, contrast.mean) == (2, 2.0)
    assert compared({0: 90.0}, {1: 90.0}) == [None]


@pytest.mark.parametrize(("mean", "family"), [(0.5, 1), (0.5, 5), (-1.0, 1), (1.0, 5)])
def test_seeds_needed_call_a_difference_four_times_in_five(mean, family):
    """The power of a t test is the noncentral t distribution's."""
    n = pairs.seeds_needed(mean, 1.0, BAND, family)
    critical = stats.t.ppf(1 - 0.025 / family, n - 1)
    assert stats.nct.sf(critical, n - 1, abs(mean) * np.sqrt(n)) == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("mean", [0.0, 0.1])
def test_seeds_needed_call_equals_equal_four_times_in_five_at_least(mean):
    n = pairs.seeds_needed(mean, 0.4, BAND)
    drawn = np.random.default_rng(0).normal(mean, 0.4, (4000, n))
    half = stats.t.ppf(0.975, n - 1) * drawn.std(axis=1, ddof=1) / np.sqrt(n)
    assert 0.78 < np.mean(np.abs(drawn.mean(axis=1)) + half < BAND) < 0.92


def test_seeds_needed_has_ends():
    assert pairs.seeds_needed(0.0, 0.1, BAND) == pairs.FEWEST_PAIRS  # settled as equal, not as different
    assert pairs.seeds_needed(0.1, 50.0, BAND) is None


@pytest.mark.parametrize("n", [2, 5, 8, 30])
def test_p_is_scipys_paired_t_test(n):
    a, b = RNG.normal(97, 1, n), RNG.normal(97.5, 1, n)
    assert pairs.paired_p(b - a) == pytest.approx(stats.ttest_rel(b, a).pvalue, rel=1e-10)


def test_p_without_any_spread():
    assert pairs.paired_p(np.zeros(4)) == 1.0
    assert pairs.paired_p(np.full(4, 0.25)) == 0.0


def test_holm_by_hand():
    """Holm 1979: the smallest p times n, the next times n - 1, never below the one before."""
    assert pairs.holm([0.02, 0.01, 0.5, None, 0.04]) == pytest.approx([0.06, 0.04, 0.5, None, 0.08], nan_ok=True)
    assert pairs.holm([0.9, 0.8]) == [1.0, 1.0]
    assert pairs.holm([]) == []


def test_a_difference_that_is_called_alone_may_not_be_among_many():
    baseline = dict.fromkeys(range(8), 90.0)
    clear = {seed: 90.0 + x for seed, x in enumerate([0.2, 0.9, 0.5, 0.1, 1.1, 0.3, 0.9, -0.1])}
    noise = [{seed: 90.0 + (-1) ** seed for seed in range(8)}] * 9
    alone, among = compared(baseline, clear)[0], compared(baseline, clear, *noise)[0]
    assert (alone.verdict, among.verdict) == ("better", "not enough seeds")
    assert among.p == pytest.approx(10 * alone.p)
    assert among.low == alone.low > 0
    assert among.needed > alone.seeds


def test_lower_may_be_better():
    baseline = dict.fromkeys(range(5), 1.0)
    other = {seed: 0.5 + 0.01 * seed for seed in range(5)}
    contrast = compared(baseline, other, higher_is_better=False)[0]
    assert (contrast.verdict, contrast.mean) == ("better", pytest.approx(-0.48))


def test_no_difference_is_called_among_equals_more_often_than_one_time_in_twenty():
    """400 comparisons of five losses with a baseline whose differences are noise, skewed as accuracies are."""
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(400):
        arms = [dict(enumerate(100 * rng.beta(60, 2, 8))) for _ in range(6)]
        called += any(found.verdict in ("better", "worse") for found in compared(arms[0], *arms[1:]))
    assert called / 400 < 0.08


def test_the_interval_of_a_share_by_hand():
    """Wilson: (k + z²/2 ± z √(k (n - k)/n + z²/4)) / (n + z²) with z = 1.96, for 2 of 8."""
    z = 1.959964
    half = z * np.sqrt(2 * 6 / 8 + z**2 / 4)
    expected = (2 + z**2 / 2 - half) / (8 + z**2), (2 + z**2 / 2 + half) / (8 + z**2)
    assert pairs.share_interval(2, 8) == pytest.approx(expected, rel=1e-5)
