"""The losses written from their definitions with sixty digits, as an oracle for the fast implementations.

Every loss takes rows (nested lists; a flat list of class numbers for the sparse loss) and returns one value per row.
`gradient` differentiates the sum of those values with respect to the predictions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mpmath import mp, mpf

mp.dps = 60
EPS = mpf("1e-7")


@dataclass(frozen=True)
class Dual:
    """A number together with its gradient with respect to the predictions of its row."""

    value: mpf
    slopes: tuple[mpf, ...]

    def through(self, value: mpf, slope: mpf) -> Dual:
        """A function of this number: its value and its derivative here."""
        return Dual(value, tuple(slope * s for s in self.slopes))

    def __add__(self, other: Number) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value + other.value, tuple(a + b for a, b in zip(self.slopes, other.slopes, strict=True)))
        return Dual(self.value + other, self.slopes)

    def __mul__(self, other: Number) -> Dual:
        if isinstance(other, Dual):
            left, right = self.through(mpf(0), other.value), other.through(mpf(0), self.value)
            return Dual(self.value * other.value, (left + right).slopes)
        return self.through(self.value * other, mpf(other))

    def __pow__(self, exponent: float) -> Dual:
        slope = exponent * self.value ** (exponent - 1) if exponent else mpf(0)
        return self.through(self.value**exponent, slope)

    def __neg__(self) -> Dual:
        return self * -1

    def __sub__(self, other: Number) -> Dual:
        return self + -other

    def __rsub__(self, other: Number) -> Dual:
        return -self + other

    def __truediv__(self, other: Number) -> Dual:
        return self * (other**-1 if isinstance(other, Dual) else 1 / mpf(other))

    def __rtruediv__(self, other: Number) -> Dual:
        return self**-1 * other

    def __abs__(self) -> Dual:
        return self.through(abs(self.value), mp.sign(self.value) if self.value else mp.nan)

    __radd__ = __add__
    __rmul__ = __mul__


Number = Dual | mpf | float
Row = Sequence[Any]
LOSSES: dict[str, Callable[..., Dual]] = {}


def log(x: Dual) -> Dual:
    return x.through(mp.log(x.value), 1 / x.value)


def log1p(x: Dual) -> Dual:
    return x.through(mp.log1p(x.value), 1 / (1 + x.value))


def exp(x: Dual) -> Dual:
    return x.through(mp.exp(x.value), mp.exp(x.value))


def maximum(a: Dual, b: Number) -> Dual:
    """The larger of the two; at a tie the gradient is undefined (NaN)."""
    b = b if isinstance(b, Dual) else a.through(mpf(b), mpf(0))
    if a.value == b.value and a.slopes != b.slopes:
        return a.through(a.value, mp.nan)
    return a if a.value >= b.value else b


def clip(x: Dual, low: mpf, high: mpf = mp.inf) -> Dual:
    """The clipped value with the gradient of the unclipped one."""
    return x.through(min(max(x.value, low), high), mpf(1))


def mean(terms: Row) -> Dual:
    return sum(terms) / len(terms)


def pairs(y: Row, p: Row) -> list[tuple[Any, Any]]:
    return list(zip(y, p, strict=True))


def row_results(formula: Callable[..., Dual], y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[Dual]:
    """The formula for every row, each prediction carrying its own unit slope."""
    results = []
    for y, row in pairs(y_true, y_pred):
        target = [mpf(v) for v in y] if isinstance(y, list) else y
        unit = [[mpf(i == j) for j in range(len(row))] for i in range(len(row))]
        p = [Dual(mpf(v), tuple(slopes)) for v, slopes in pairs(row, unit)]
        results.append(formula(target, p, **parameters))
    return results


def rowwise(formula: Callable[..., Dual]) -> Callable[..., list[mpf]]:
    """Make the formula for one row a loss over all rows."""
    LOSSES[formula.__name__] = formula

    @functools.wraps(formula)
    def loss(y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[mpf]:
        return [result.value for result in row_results(formula, y_true, y_pred, **parameters)]

    return loss


def gradient(name: str, y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[list[mpf]]:
    """The gradient of the summed values with respect to y_pred, NaN where it does not exist."""
    return [list(result.slopes) for result in row_results(LOSSES[name], y_true, y_pred, **parameters)]


@rowwise
def mean_squared_error(y: Row, p: Row) -> Dual:
    return mean([(b - a) ** 2 for a, b in pairs(y, p)])


@rowwise
def mean_absolute_error(y: Row, p: Row) -> Dual:
    return mean([abs(b - a) for a, b in pairs(y, p)])


@rowwise
def mean_absolute_percentage_error(y: Row, p: Row) -> Dual:
    return 100 * mean([abs(b - a) / max(abs(a), EPS) for a, b in pairs(y, p)])


@rowwise
def mean_squared_logarithmic_error(y: Row, p: Row) -> Dual:
    return mean([(log(1 + clip(b, EPS)) - mp.log(1 + max(a, EPS))) ** 2 for a, b in pairs(y, p)])


@rowwise
def huber(y: Row, p: Row, delta: float = 1.0) -> Dual:
    d = mpf(delta)
    errors = [b - a for a, b in pairs(y, p)]
    return mean([e**2 / 2 if abs(e.value) <= d else d * abs(e) - d**2 / 2 for e in errors])


@rowwise
def log_cosh(y: Row, p: Row) -> Dual:
    errors = [b - a for a, b in pairs(y, p)]
    return mean([e.through(mp.log(mp.cosh(e.value)), mp.tanh(e.value)) for e in errors])


def signed(label: mpf) -> mpf:
    return mpf(-1) if label == 0 else label


@rowwise
def hinge(y: Row, p: Row) -> Dual:
    return mean([maximum(1 - signed(a) * b, 0) for a, b in pairs(y, p)])


@rowwise
def squared_hinge(y: Row, p: Row) -> Dual:
    return mean([maximum(1 - signed(a) * b, 0) ** 2 for a, b in pairs(y, p)])


@rowwise
def categorical_hinge(y: Row, p: Row) -> Dual:
    best_other = functools.reduce(maximum, [(1 - a) * b for a, b in pairs(y, p)])
    return maximum(best_other - sum(a * b for a, b in pairs(y, p)) + 1, 0)


@rowwise
def kl_divergence(y: Row, p: Row) -> Dual:
    return sum(a * ((mp.log(a) if a else 0) - log(clip(b, EPS, mpf(1)))) for a, b in pairs(y, p))


@rowwise
def poisson(y: Row, p: Row) -> Dual:
    return mean([b - a * log(clip(b, mpf(0)) + EPS) for a, b in pairs(y, p)])


@rowwise
def cosine_similarity(y: Row, p: Row) -> Dual:
    y_norm = mp.sqrt(max(sum(a**2 for a in y), EPS**2))
    p_norm = maximum(sum(b**2 for b in p), EPS**2) ** mpf("0.5")
    return -sum((a / y_norm) * (b / p_norm) for a, b in pairs(y, p))


def smooth(y: Row, label_smoothing: float, classes: int) -> list[mpf]:
    s = mpf(label_smoothing)
    return [a * (1 - s) + s / classes for a in y]


def binary_parts(x: Dual, from_logits: bool) -> tuple[Dual, Dual, Dual, Dual]:
    """P, 1 - P, -log P and -log(1 - P), none of them by a cancelling difference."""
    if from_logits:
        return 1 / (1 + exp(-x)), 1 / (1 + exp(x)), log1p(exp(-x)), log1p(exp(x))
    c = clip(x, EPS, 1 - EPS)
    return c, 1 - c, -log(c), -log(1 - c)


def class_parts(row: Row, from_logits: bool) -> list[tuple[Dual, Dual]]:
    """1 - P and -log P for every class; with odds = (1 - P) / P nothing cancels for logits."""
    if from_logits:
        odds = [sum(exp(other - z) for j, other in enumerate(row) if j != k) for k, z in enumerate(row)]
        return [(o / (1 + o), log1p(o)) for o in odds]
    total = maximum(sum(row), EPS)
    clipped = [clip(x / total, EPS, 1 - EPS) for x in row]
    return [(1 - c, -log(c)) for c in clipped]


@rowwise
def binary_crossentropy(y: Row, p: Row, from_logits: bool = False, label_smoothing: float = 0.0) -> Dual:
    terms = []
    for a, x in pairs(smooth(y, label_smoothing, 2), p):
        _, _, minus_log_p, minus_log_q = binary_parts(x, from_logits)
        terms.append(a * minus_log_p + (1 - a) * minus_log_q)
    return mean(terms)


@rowwise
def binary_focal_crossentropy(
    y: Row,
    p: Row,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Dual:
    terms = []
    for a, x in pairs(smooth(y, label_smoothing, 2), p):
        prob, rest, minus_log_p, minus_log_q = binary_parts(x, from_logits)
        weight = a * mpf(alpha) + (1 - a) * (1 - mpf(alpha)) if apply_class_balancing else mpf(1)
        missing = a * rest + (1 - a) * prob
        terms.append(weight * missing ** mpf(gamma) * (a * minus_log_p + (1 - a) * minus_log_q))
    return mean(terms)


@rowwise
def categorical_crossentropy(y: Row, p: Row, from_logits: bool = False, label_smoothing: float = 0.0) -> Dual:
    targets = smooth(y, label_smoothing, len(p))
    return sum(a * minus_log for a, (_, minus_log) in pairs(targets, class_parts(p, from_logits)))


@rowwise
def sparse_categorical_crossentropy(
    y: int, p: Row, from_logits: bool = False, ignore_class: int | None = None, label_smoothing: float = 0.0
) -> Dual:
    if y == ignore_class:
        return p[0].through(mpf(0), mpf(0))
    targets = smooth([mpf(k == y) for k in range(len(p))], label_smoothing, len(p))
    return sum(a * minus_log for a, (_, minus_log) in pairs(targets, class_parts(p, from_logits)))


@rowwise
def categorical_focal_crossentropy(
    y: Row,
    p: Row,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Dual:
    alphas = list(alpha) if isinstance(alpha, Sequence) else [alpha] * len(p)
    targets = smooth(y, label_smoothing, len(p))
    parts = pairs(pairs(alphas, targets), class_parts(p, from_logits))
    return sum(mpf(w) * a * rest ** mpf(gamma) * minus_log for (w, a), (rest, minus_log) in parts)


@rowwise
def sparse_categorical_focal_crossentropy(
    y: int,
    p: Row,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    ignore_class: int | None = None,
) -> Dual:
    if y == ignore_class:
        return p[0].through(mpf(0), mpf(0))
    row = [mpf(k == y) for k in range(len(p))]
    return LOSSES["categorical_focal_crossentropy"](row, p, alpha, gamma, from_logits, label_smoothing)


@rowwise
def categorical_generalized_cross_entropy(
    y: int, p: Row, q: float = 0.5, from_logits: bool = False, ignore_class: int | None = None
) -> Dual:
    if y == ignore_class:
        return p[0].through(mpf(0), mpf(0))
    minus_log = class_parts(p, from_logits)[y][1]
    return (1 - exp(-mpf(q) * minus_log)) / mpf(q)


@rowwise
def quantile(y: Row, p: Row, quantile: float = 0.5) -> Dual:
    tau = mpf(quantile)
    return mean([maximum(tau * (a - b), (tau - 1) * (a - b)) for a, b in pairs(y, p)])


@rowwise
def asymmetric_cost(y: Row, p: Row, over: float = 1.0, under: float = 1.0) -> Dual:
    return mean([mpf(over) * maximum(b - a, 0) + mpf(under) * maximum(a - b, 0) for a, b in pairs(y, p)])
