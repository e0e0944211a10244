"""How often the 95 % interval of a comparison holds the true difference: python benchmarks/coverage.py

Accuracies of two losses on the same seeds, drawn many times; what a seed gives both is left out, as pairing does.
Their noise is normal, skewed like accuracies near 100 %, or heavy-tailed; the true difference is known.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from losslab.lab.pairs import contrasts, paired_interval

REPEATS = 20_000
SEEDS = (5, 8, 16)
LOSSES = 5  # that equal the baseline, for the last column
FAMILIES = 2_000

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0.0, 1.7, shape)


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return 100 * (rng.beta(60, 2, shape) - 60 / 62)


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.standard_t(4, shape)


NOISE: dict[str, tuple[Draw, Draw]] = {  # of the two losses, each with mean 0
    "normal": (normal, normal),
    "skewed": (skewed, skewed),
    "heavy-tailed (t, 4)": (heavy, heavy),
    "one normal, one skewed": (normal, skewed),
}


def coverage(first: Draw, second: Draw, seeds: int) -> float:
    """The share of intervals that hold a true difference of 0.3."""
    rng, shape = np.random.default_rng(0), (REPEATS, seeds)
    differences = 0.3 + second(rng, shape) - first(rng, shape)
    intervals = np.array([paired_interval(row) for row in differences])
    return float(np.mean((intervals[:, 0] <= 0.3) & (intervals[:, 1] >= 0.3)))


def called_wrongly(first: Draw, second: Draw, seeds: int) -> float:
    """The share of comparisons of LOSSES equals with a baseline in which any is called better or worse."""
    rng, called = np.random.default_rng(1), 0
    for _ in range(FAMILIES):
        baseline, *others = (dict(enumerate(draw(rng, (seeds,)))) for draw in (first, *[second] * LOSSES))
        called += any(c and c.verdict in ("better", "worse") for c in contrasts(baseline, others, band=0.0))
    return called / FAMILIES


def main() -> None:
    print(f"{'noise':24}{'seeds':>6}{'coverage':>10}{f'any of {LOSSES} equals called':>28}")
    for name, draws in NOISE.items():
        for seeds in SEEDS:
            print(f"{name:24}{seeds:>6}{coverage(*draws, seeds):>10.1%}{called_wrongly(*draws, seeds):>28.1%}")


if __name__ == "__main__":
    main()
