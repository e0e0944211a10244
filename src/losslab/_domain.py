"""What `y_true` and `y_pred` of a loss may be. Shapes, labels' encoding, examples for tests and sentences for the docs
all follow from the domain that a loss declares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EPSILON = 1e-7
"""Where probabilities, rates and divisors are clipped, in every dtype: Keras' number."""

Values = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Values]


@dataclass(frozen=True)
class Domain:
    """One kind of label or prediction.

    Attributes:
        name: a short name, stable across versions.
        meaning: the sentence for docs and messages.
        draw: (generator, shape of the predictions) -> ordinary float64 values away from the edges; class ids are
            int64 and lack the last axis.
        edges: finite values at the edge of the domain and far outside the ordinary.
    """

    name: str
    meaning: str
    draw: Draw = field(repr=False, compare=False)
    edges: tuple[float, ...] = field(default=(), repr=False, compare=False)

    @property
    def is_id(self) -> bool:
        """Whether it is an integer for a whole row of predictions, so that labels lack the last axis."""
        return self.name in ("class_id", "identity")

    def __reduce__(self) -> Any:
        if DOMAINS.get(self.name) is self:  # pickled by name: there is one object of each
            return _named, (self.name,)
        return super().__reduce__()


def _named(name: str) -> Domain:
    return DOMAINS[name]


def _one_hot(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    rows: Values = np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    return rows


def _simplex(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    positive = rng.uniform(0.1, 1.0, shape)
    rows: Values = positive / positive.sum(axis=-1, keepdims=True)
    return rows


def _unit(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    rows = rng.normal(size=shape)
    unit: Values = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return unit


def _label_sequence(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Ids from 1 on for frames of this shape, (N, L) with L about half the frames; the rows' ends are padding."""
    *samples, frames, classes = shape
    length = max(1, frames // 2)
    ids: Values = rng.integers(1, classes, (*samples, length))
    return np.where(np.arange(length) < rng.integers(0, length + 1, (*samples, 1)), ids, 0)


_MAGNITUDES = (0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 50.0, -50.0, 1e4, -1e4)
_FRACTIONS = (0.0, 1e-30, 1e-8, 0.5, 1.0)

REAL = Domain("real", "a real number", lambda rng, shape: rng.normal(size=shape) * 2, _MAGNITUDES)
NON_NEGATIVE = Domain(
    "non_negative", "a number >= 0", lambda rng, shape: rng.uniform(0.1, 5.0, shape), (0.0, 1e-30, 1e-8, 1.0, 1e4)
)
COUNT = Domain(
    "count", "a count: 0, 1, 2, …", lambda rng, shape: rng.integers(0, 6, shape).astype(float), (0.0, 1.0, 1e4)
)
RATE = Domain(
    "rate", "an expected count > 0", lambda rng, shape: rng.uniform(0.1, 5.0, shape), (0.0, 1e-30, 1e-8, 1.0, 1e4)
)
SIGN = Domain("sign", "-1 or 1 (0 counts as -1)", lambda rng, shape: rng.choice([-1.0, 1.0], shape), (-1.0, 0.0, 1.0))
SCORE = Domain("score", "a real score; its sign is the class", REAL.draw, _MAGNITUDES)
SCORES = Domain("scores", "rows of real scores, one per class", REAL.draw, _MAGNITUDES)
BINARY = Domain(
    "binary", "0 or 1, or a probability", lambda rng, shape: rng.integers(0, 2, shape).astype(float), (0.0, 0.3, 1.0)
)
PROBABILITY = Domain(
    "probability", "a probability in [0, 1]", lambda rng, shape: rng.uniform(0.02, 0.98, shape), _FRACTIONS
)
LOGIT = Domain("logit", "a logit: log(p / (1 - p)), any real number", REAL.draw, _MAGNITUDES)
ONE_HOT = Domain("one_hot", "one-hot rows, or rows of class probabilities", _one_hot, (0.0, 0.3, 1.0))
DISTRIBUTION = Domain("distribution", "rows of probabilities that sum to 1", _simplex, _FRACTIONS)
LOGITS = Domain("logits", "rows of logits, one per class", REAL.draw, _MAGNITUDES)
CLASS_ID = Domain(
    "class_id",
    "an integer class id from 0 to the number of classes - 1",
    lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
)
IDENTITY = Domain(
    "identity",
    "an integer id; rows of one id belong together",
    lambda rng, shape: rng.permutation(np.arange(int(np.prod(shape[:-1]))) // 2).reshape(shape[:-1]),
)
EMBEDDING = Domain(
    "embedding", "rows of length 1, one per sample", _unit, (0.0, -0.0, 1e-30, 0.5, 1.0, -1.0, 1e4, -1e4)
)
LABEL_SEQUENCE = Domain("label_sequence", "rows of class ids, padded at the end with the blank", _label_sequence)
FRAMES = Domain("frames", "a row of logits for each frame of each sample", REAL.draw, _MAGNITUDES)

DOMAINS = {each.name: each for each in list(globals().values()) if isinstance(each, Domain)}
"""Name -> domain."""
