"""The losses written from their definitions with sixty digits, as an oracle for the fast implementations.

Every loss takes rows (nested lists; a flat list of class numbers for the sparse loss) and returns one value per row,
or one number where all rows are one set. `gradient` differentiates the sum of those values with respect to the
predictions.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mpmath import mp, mpf

mp.dps = 60
EPS = mpf("1e-7")


@dataclass(frozen=True)
class Dual:
    """A number together with its gradient with respect to the predictions of its row, or of all rows."""

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
LOSSES: dict[str, Callable[..., Any]] = {}
SLOPES: dict[str, Callable[..., list[mpf]]] = {}


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


def zero(x: Dual) -> Dual:
    """The constant 0."""
    return x.through(mpf(0), mpf(0))


def mean(terms: Row) -> Dual:
    return sum(terms) / len(terms)


def pairs(y: Row, p: Row) -> list[tuple[Any, Any]]:
    return list(zip(y, p, strict=True))


def flat(nested: Any) -> list[Any]:
    return [leaf for part in nested for leaf in flat(part)] if isinstance(nested, list) else [nested]


def shaped(numbers: Iterator[Any], like: Any) -> Any:
    """The numbers in the nesting of another list."""
    return [shaped(numbers, part) for part in like] if isinstance(like, list) else next(numbers)


def exact(nested: Any) -> Any:
    return shaped(map(mpf, flat(nested)), nested)


def variables(nested: Any) -> Any:
    """Every number with a unit slope of its own."""
    numbers = flat(nested)
    units = [tuple(mpf(i == j) for j in range(len(numbers))) for i in range(len(numbers))]
    return shaped(itertools.starmap(Dual, pairs([mpf(v) for v in numbers], units)), nested)


def row_results(formula: Callable[..., Dual], y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[Dual]:
    """The formula for every row; the slopes are those with respect to the row."""
    rows = pairs(y_true, y_pred)
    return [formula(exact(y) if isinstance(y, list) else y, variables(p), **parameters) for y, p in rows]


def rowwise(formula: Callable[..., Dual]) -> Callable[..., list[mpf]]:
    """Make the formula for one row a loss over all rows."""

    @functools.wraps(formula)
    def loss(y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[mpf]:
        return [result.value for result in row_results(formula, y_true, y_pred, **parameters)]

    def slopes(y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[mpf]:
        return [slope for result in row_results(formula, y_true, y_pred, **parameters) for slope in result.slopes]

    LOSSES[formula.__name__], SLOPES[formula.__name__] = formula, slopes
    return loss


def batchwise(formula: Callable[..., list[Dual]]) -> Callable[..., list[mpf] | mpf]:
    """Make a loss of the formula for all rows at once: one result, or a list of results that all rows may influence."""

    def results(y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[Dual] | Dual:
        return formula(exact(y_true), variables(y_pred), **parameters)

    @functools.wraps(formula)
    def loss(y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[mpf] | mpf:
        found = results(y_true, y_pred, **parameters)
        return [result.value for result in found] if isinstance(found, list) else found.value

    def slopes(y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> list[mpf]:
        return list(sum(flat(results(y_true, y_pred, **parameters))).slopes)

    LOSSES[formula.__name__], SLOPES[formula.__name__] = formula, slopes
    return loss


def gradient(name: str, y_true: Row, y_pred: Sequence[Row], **parameters: Any) -> Any:
    """The gradient of the summed values with respect to y_pred, NaN where it does not exist."""
    return shaped(iter(SLOPES[name](y_true, y_pred, **parameters)), y_pred)


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


def binary_entropy(y: mpf, minus_log_p: Dual, minus_log_q: Dual, class_weight: Sequence[float] | None) -> Dual:
    """The class weights multiply the terms of the smoothed label."""
    negative, positive = class_weight or (1, 1)
    return mpf(positive) * y * minus_log_p + mpf(negative) * (1 - y) * minus_log_q


def mean_of_kept(y: Row, terms: list[Dual], ignore_class: int | None) -> Dual:
    """The mean over the labels that are not ignored; 0 where none is left."""
    kept = [term for a, term in pairs(y, terms) if a != ignore_class]
    return mean(kept) if kept else zero(terms[0])


def mostly(y: Row, ignore_class: int | None) -> bool:
    """More than half of the row belongs to the ignored class."""
    return ignore_class is not None and 2 * y[ignore_class] > sum(y)


def entropies(y: Row, p: Row, from_logits: bool, class_weight: Sequence[float] | None) -> list[tuple[Dual, Dual]]:
    """1 - P and -w y log P for every class."""
    weighted = [mpf(w) * a for w, a in pairs(class_weight or [1] * len(p), y)]
    return [(rest, a * minus_log) for a, (rest, minus_log) in pairs(weighted, class_parts(p, from_logits))]


@rowwise
def binary_crossentropy(
    y: Row,
    p: Row,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    class_weight: Sequence[float] | None = None,
    ignore_class: int | None = None,
) -> Dual:
    terms = []
    for a, x in pairs(smooth(y, label_smoothing, 2), p):
        _, _, minus_log_p, minus_log_q = binary_parts(x, from_logits)
        terms.append(binary_entropy(a, minus_log_p, minus_log_q, class_weight))
    return mean_of_kept(y, terms, ignore_class)


@rowwise
def binary_focal_crossentropy(
    y: Row,
    p: Row,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    class_weight: Sequence[float] | None = None,
    ignore_class: int | None = None,
) -> Dual:
    terms = []
    for a, x in pairs(smooth(y, label_smoothing, 2), p):
        prob, rest, minus_log_p, minus_log_q = binary_parts(x, from_logits)
        weight = a * mpf(alpha) + (1 - a) * (1 - mpf(alpha)) if apply_class_balancing else mpf(1)
        missing = a * rest + (1 - a) * prob
        terms.append(weight * missing ** mpf(gamma) * binary_entropy(a, minus_log_p, minus_log_q, class_weight))
    return mean_of_kept(y, terms, ignore_class)


@rowwise
def categorical_crossentropy(
    y: Row,
    p: Row,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    class_weight: Sequence[float] | None = None,
    ignore_class: int | None = None,
) -> Dual:
    if mostly(y, ignore_class):
        return zero(p[0])
    return sum(term for _, term in entropies(smooth(y, label_smoothing, len(p)), p, from_logits, class_weight))


@rowwise
def sparse_categorical_crossentropy(
    y: int,
    p: Row,
    from_logits: bool = False,
    ignore_class: int | None = None,
    label_smoothing: float = 0.0,
    class_weight: Sequence[float] | None = None,
) -> Dual:
    if y == ignore_class:
        return zero(p[0])
    row = [mpf(k == y) for k in range(len(p))]
    return LOSSES["categorical_crossentropy"](row, p, from_logits, label_smoothing, class_weight)


@rowwise
def categorical_focal_crossentropy(
    y: Row,
    p: Row,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    class_weight: Sequence[float] | None = None,
    ignore_class: int | None = None,
) -> Dual:
    if mostly(y, ignore_class):
        return zero(p[0])
    alphas = list(alpha) if isinstance(alpha, Sequence) else [alpha] * len(p)
    parts = entropies(smooth(y, label_smoothing, len(p)), p, from_logits, class_weight)
    return sum(mpf(a) * rest ** mpf(gamma) * term for a, (rest, term) in pairs(alphas, parts))


@rowwise
def sparse_categorical_focal_crossentropy(
    y: int,
    p: Row,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    ignore_class: int | None = None,
    class_weight: Sequence[float] | None = None,
) -> Dual:
    if y == ignore_class:
        return zero(p[0])
    row = [mpf(k == y) for k in range(len(p))]
    return LOSSES["categorical_focal_crossentropy"](row, p, alpha, gamma, from_logits, label_smoothing, class_weight)


@rowwise
def categorical_generalized_cross_entropy(
    y: int,
    p: Row,
    q: float = 0.5,
    from_logits: bool = False,
    ignore_class: int | None = None,
    class_weight: Sequence[float] | None = None,
) -> Dual:
    if y == ignore_class:
        return zero(p[0])
    minus_log = class_parts(p, from_logits)[y][1]
    weight = mpf(class_weight[y]) if class_weight else mpf(1)
    return weight * (1 - exp(-mpf(q) * minus_log)) / mpf(q)


@rowwise
def quantile(y: Row, p: Row, quantile: float = 0.5) -> Dual:
    tau = mpf(quantile)
    return mean([maximum(tau * (a - b), (tau - 1) * (a - b)) for a, b in pairs(y, p)])


@rowwise
def asymmetric_cost(y: Row, p: Row, over: float = 1.0, under: float = 1.0) -> Dual:
    return mean([mpf(over) * maximum(b - a, 0) + mpf(under) * maximum(a - b, 0) for a, b in pairs(y, p)])


def sets(rows: Any, axis: int | Sequence[int] | None) -> list[list[Any]]:
    """What is summed over: everything, the columns, or what lies behind the first axis."""
    if axis is None:
        return [flat(rows)]
    return [list(column) for column in zip(*rows, strict=True)] if axis == 0 else [flat(row) for row in rows]


@batchwise
def dice(y: Any, p: Any, axis: int | Sequence[int] | None = None, smooth: float = 0.0) -> list[Dual] | Dual:
    s = mpf(smooth)
    results = []
    for a, b in pairs(sets(y, axis), sets(p, axis)):
        results.append(1 - (2 * sum(v * x for v, x in pairs(a, b)) + s) / (sum(a) + sum(b) + s + EPS))
    return results[0] if axis is None else results


@batchwise
def tversky(
    y: Any,
    p: Any,
    axis: int | Sequence[int] | None = None,
    alpha: float = 0.5,
    beta: float = 0.5,
    smooth: float = 0.0,
) -> list[Dual] | Dual:
    s = mpf(smooth)
    results = []
    for a, b in pairs(sets(y, axis), sets(p, axis)):
        both = sum(v * x for v, x in pairs(a, b))
        false_positive = sum((1 - v) * x for v, x in pairs(a, b))
        false_negative = sum(v * (1 - x) for v, x in pairs(a, b))
        results.append(1 - (both + s) / (both + mpf(alpha) * false_positive + mpf(beta) * false_negative + s + EPS))
    return results[0] if axis is None else results


@batchwise
def circle(y: Row, p: Any, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True) -> list[Dual]:
    g, m = mpf(gamma), mpf(margin)
    results = []
    for i, row in enumerate(p):
        distances = [maximum(1 - sum(a * b for a, b in pairs(row, other)), 0) for other in p]
        alike = [d for j, d in enumerate(distances) if y[j] == y[i] and not (remove_diagonal and j == i)]
        unlike = [d for j, d in enumerate(distances) if y[j] != y[i]]
        pull = sum(exp(-g * maximum(m + d, 0) * (m - d)) for d in alike)
        push = sum(exp(g * maximum(1 + m - d, 0) * (1 - m - d)) for d in unlike)
        results.append(log1p(pull * push) if alike and unlike else zero(row[0]))
    return results


def without_repeats_and_blanks(path: Sequence[int], blank: int) -> list[int]:
    return [symbol for symbol, _ in itertools.groupby(path) if symbol != blank]


def sequence_probability(label: list[Any], steps: Sequence[Row], blank: int) -> Dual:
    """Every one of the classes^steps paths is looked at: no recursion that an implementation could share."""
    minus_logs = [[minus_log for _, minus_log in class_parts(step, from_logits=True)] for step in steps]
    paths = itertools.product(range(len(steps[0])), repeat=len(steps))
    fitting = [path for path in paths if without_repeats_and_blanks(path, blank) == label]
    return sum(exp(-sum(step[k] for step, k in pairs(minus_logs, path))) for path in fitting)


@batchwise
def ctc(
    y: Sequence[Row],
    p: Sequence[Any],
    blank: int = 0,
    label_length: Sequence[int] | None = None,
    logit_length: Sequence[int] | None = None,
) -> list[Dual]:
    """Without lengths a label is padded with the blank, and every step counts."""
    label_lengths = label_length or [sum(symbol != blank for symbol in row) for row in y]
    logit_lengths = logit_length or [len(steps) for steps in p]
    labels = [list(row[:length]) for row, length in pairs(y, label_lengths)]
    used = [steps[:length] for steps, length in pairs(p, logit_lengths)]
    return [-log(sequence_probability(label, steps, blank)) for label, steps in pairs(labels, used)]


def pixels(rows: Any, depth: int) -> list[Any]:
    """The nested rows as one list of pixels, each of which is `depth` lists deep."""
    return [rows] if depth == nesting(rows) else [pixel for part in rows for pixel in pixels(part, depth)]


def nesting(rows: Any) -> int:
    return 1 + nesting(rows[0]) if isinstance(rows, list) else 0


@batchwise
def sparse_categorical_dice(
    y: Any,
    p: Any,
    from_logits: bool = False,
    smooth: float = 0.0,
    per_image: bool = False,
    class_weight: Sequence[float] | None = None,
    ignore_class: int | None = None,
) -> list[Dual] | Dual:
    s = mpf(smooth)
    results = []
    for labels, rows in pairs(y, p) if per_image else [(y, p)]:
        kept = [(a, row) for a, row in pairs(pixels(labels, 0), pixels(rows, 1)) if a != ignore_class]
        parts = [
            [exp(-minus_log) for _, minus_log in class_parts(row, True)] if from_logits else row for _, row in kept
        ]
        costs = []
        for k, w in enumerate(class_weight or [1] * len(pixels(p, 1)[0])):
            shared = sum(part[k] for (a, _), part in pairs(kept, parts) if a == k)
            sizes = sum(a == k for a, _ in kept) + sum(part[k] for part in parts)
            costs.append(mpf(w) * (1 - (2 * shared + s) / (sizes + s + EPS)))
        results.append(mean(costs))
    return results if per_image else results[0]
