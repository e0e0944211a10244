"""The page on comparing says what the code does: each number stands in one sentence, and is the code's."""

from pathlib import Path

from losslab.lab import pairs, plan
from losslab.lab.tasks import TASKS
from losslab.lab.tasks.classes import ACCURACY

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "comparing.md").read_text().split())


def test_the_numbers_of_the_verdicts():
    for sentence in (
        f"a paired t interval at {pairs.CONFIDENCE:.0%}".replace("%", " %"),
        f"exact up to {pairs.MOST_ENUMERATED} pairs",
        f"unless there are at least {pairs.FEWEST_PAIRS} pairs",
        f"the whole interval lies within ±{ACCURACY.band} points",
        f"how many would settle it, up to {pairs.MOST_PAIRS}",
        f"up to {plan.MOST_EXTENSIONS} more are tried",
        f"more than {100 * plan.DIVERGED_ABOVE:.0f} % above the untrained network's",
    ):
        assert PAGE.count(sentence) == 1, sentence


def test_every_task_and_what_decides_it_is_there():
    for name, kind in TASKS.items():
        assert f"| `{name}` |" in PAGE
        assert all(f"`{key}`" in PAGE for key in kind.scores), name


def test_the_order_of_the_verdicts():
    """The differences of each case fit a later line of the page too, and get the verdict of the first that fits."""
    cases = [
        ([0.0, 0.0], "practically equal"),  # and fewer than 5 pairs
        ([0.1, 0.1, 0.1, 0.11], "not enough seeds"),  # and within the band
        ([0.1, 0.1, 0.1, 0.1, 0.11], "practically equal"),  # and 0 excluded
        ([0.5, 0.5, 0.5, 0.5, 0.51], "better"),
    ]
    for differences, verdict in cases:
        baseline = dict.fromkeys(range(len(differences)), 90.0)
        other = {seed: 90.0 + difference for seed, difference in enumerate(differences)}
        assert pairs.contrasts(baseline, [other], ACCURACY.band)[0].verdict == verdict
