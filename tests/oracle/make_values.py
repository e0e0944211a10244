"""Evaluate the reference losses on fixed cases and write values.json beside this file."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import reference
from mpmath import mp, mpf

Rows = list[list[float]]
Case = tuple[Any, ...]  # a name, parameters, y_true, y_pred and, for some, further arguments of the call

DIGITS = 25
random_numbers = random.Random(20240229)

SHAPES = [(4, 3), (4, 5)]
SIZES = [[1e-6, -1e-5, 1e-4], [-1e-3, 0.01, -0.1], [1, -3, 10], [-100, 1000, -1e4]]
LARGE_LOGITS = [[50, -50, 0], [-80, 80, 79], [1e4, -1e4, 0], [-1e4, 1e4, 9999]]
SATURATED_ROWS = [[1, 0, 0], [0, 1e-10, 1], [1, 1e-10, 0], [0.5, 0.5, 0]]
UNNORMALISED_ROWS = [[2, 1, 1], [0.1, 0.2, 0.1], [30, 50, 20], [1e-3, 2e-3, 4e-3]]
ONE_HOT = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
SOFT = [[0.7, 0.2, 0.1], [0, 0.5, 0.5], [0.25, 0.25, 0.5], [1, 0, 0]]
CLASSES = [0, 1, 2, 0]


def single(x: Any) -> Any:
    """Round every float to float32."""
    if isinstance(x, list):
        return [single(v) for v in x]
    return x if isinstance(x, int) else struct.unpack("f", struct.pack("f", x))[0]


def uniform(shape: tuple[int, int], low: float, high: float) -> Rows:
    return [[random_numbers.uniform(low, high) for _ in range(shape[1])] for _ in range(shape[0])]


def choices(shape: tuple[int, int], options: list[float]) -> Rows:
    return [[random_numbers.choice(options) for _ in range(shape[1])] for _ in range(shape[0])]


def distributions(shape: tuple[int, int]) -> Rows:
    return [[v / sum(row) for v in row] for row in uniform(shape, 0.05, 1)]


def classes(shape: tuple[int, int]) -> list[int]:
    return [random_numbers.randrange(shape[1]) for _ in range(shape[0])]


def one_hot(shape: tuple[int, int]) -> Rows:
    return [[float(k == c) for k in range(shape[1])] for c in classes(shape)]


def unit_rows(shape: tuple[int, int]) -> Rows:
    return [[v / sum(x * x for x in row) ** 0.5 for v in row] for row in uniform(shape, -1, 1)]


def shifted(rows: Rows, by: float) -> Rows:
    return [[v + by for v in row] for row in rows]


def constant(value: float) -> Rows:
    return [[value] * 3 for _ in range(4)]


def regression() -> Iterator[Case]:
    plain = ["mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "log_cosh"]
    for name in [*plain, "huber"]:
        for shape in SHAPES:
            yield name, {}, uniform(shape, -3, 3), uniform(shape, -3, 3)
        yield name, {}, constant(0), SIZES
        yield name, {}, constant(1), shifted(SIZES, 1)
        same = uniform((4, 3), -3, 3)
        yield name, {}, same, same
        yield name, {}, uniform((4, 3), 1e3, 1e4), uniform((4, 3), -1e4, 1e4)
    yield "mean_absolute_percentage_error", {}, [[1e-10, 0, -1e-8]], [[1, 1e-10, 2]]
    yield "log_cosh", {}, constant(0), [[20, -20, 50], [88, -89, 90], [709, -710, 711], [1e-10, 0, -1e-8]]
    for delta in [1e-3, 0.5, 2.0, 10.0, 1e4]:
        yield "huber", {"delta": delta}, uniform((4, 3), -3, 3), uniform((4, 3), -3, 3)
        yield "huber", {"delta": delta}, constant(0), SIZES
    yield "huber", {"delta": 2.0}, constant(0), [[2, -2, 0], [1.75, 2.25, -1.75], [4, 8, -16], [1, -1, 0.5]]


def logarithmic() -> Iterator[Case]:
    name = "mean_squared_logarithmic_error"
    for shape in SHAPES:
        yield name, {}, uniform(shape, 0, 10), uniform(shape, 0, 10)
    same = uniform((4, 3), 0, 10)
    yield name, {}, same, same
    yield name, {}, uniform((4, 3), 0, 1e4), uniform((4, 3), 0, 1e4)
    yield name, {}, [[0, 1, 2], [1e-10, 0, 1e-8], [-0.5, -2, 3]], [[0, 0, 1e-10], [1, -1e-8, 1e4], [1, -0.5, -3]]


def margins() -> Iterator[Case]:
    for name in ["hinge", "squared_hinge"]:
        for labels in [[-1, 1], [0, 1], [-1, 0, 1]]:
            for shape in SHAPES:
                yield name, {}, choices(shape, labels), uniform(shape, -2, 2)
        yield name, {}, choices((4, 3), [-1, 1]), SIZES
        yield name, {}, choices((4, 1), [0, 1]), uniform((4, 1), -3, 3)
        yield name, {}, [[1, 1, -1], [0, -1, 0]], [[1, 0, -1], [-1, 2, 0.5]]
    name = "categorical_hinge"
    for shape in SHAPES:
        yield name, {}, one_hot(shape), uniform(shape, -2, 2)
    yield name, {}, ONE_HOT, uniform((4, 3), -4, -1)
    yield name, {}, ONE_HOT, [[9, 1, 2], [1, 9, -1], [-2, 3, 9], [-1, 2, 3]]
    yield name, {}, ONE_HOT, [[1e4, -1e4, 1], [1e4, -1e4, 1], [-50, 50, -50], [1e-6, 1e-5, 2e-6]]
    yield name, {}, SOFT, uniform((4, 3), -2, 2)
    yield name, {}, ONE_HOT, [[2, 1, 0], [1, 2, 1], [0, 0, 0], [0, 0, -1]]


def counts() -> Iterator[Case]:
    for shape in SHAPES:
        yield "poisson", {}, choices(shape, [0, 1, 2, 3, 7]), uniform(shape, 0.1, 8)
        yield "poisson", {}, uniform(shape, 0, 5), uniform(shape, 0.1, 8)
    yield "poisson", {}, [[0, 1, 2], [0, 1, 100], [3, 0, 1]], [[0, 0, 1e-10], [1e4, 1e4, 1e-6], [1e-3, 1e-8, 50]]
    yield "poisson", {}, [[0, 1, 2], [3, 0, 1]], [[-0.5, -0.5, 1], [-1e-8, -1e4, -3]]


def divergence() -> Iterator[Case]:
    name = "kl_divergence"
    for shape in SHAPES:
        yield name, {}, distributions(shape), distributions(shape)
        yield name, {}, one_hot(shape), distributions(shape)
    same = distributions((4, 3))
    yield name, {}, same, same
    yield name, {}, SOFT, SATURATED_ROWS
    yield name, {}, [[0, 0, 0], [1e-10, 1, 0], [2, 3, 0.5], [1, 1e-4, 0]], [*UNNORMALISED_ROWS[:3], [-0.1, 1e-10, 1.1]]


def directions() -> Iterator[Case]:
    name = "cosine_similarity"
    for shape in SHAPES:
        yield name, {}, uniform(shape, -1, 1), uniform(shape, -1, 1)
    yield name, {}, [[1, 2, 2], [1, 2, 2], [1, 0, 0], [3, 4, 0]], [[2, 4, 4], [-1, -2, -2], [0, 1, 5], [3, 4, 1e-3]]
    yield name, {}, [[0, 0, 0], [1, -2, 2], [0, 0, 0]], [[1, 2, 3], [0, 0, 0], [0, 0, 0]]
    yield name, {}, uniform((4, 3), -1e4, 1e4), uniform((4, 3), -1e-3, 1e-3)
    yield name, {}, [[1e-8, 0, -2e-8], [1e-6, 2e-6, 0]], [[1, 2, 3], [-1e-6, 3e-6, 1e-6]]
    yield name, {}, [[1, -2, 2]], [[1e-8, 2e-8, -1e-8]]


def binary() -> Iterator[Case]:
    name, zero_one = "binary_crossentropy", [0, 1]
    for shape in [(4, 1), *SHAPES]:
        for smoothing in [{}, {"label_smoothing": 0.1}]:
            yield name, smoothing, choices(shape, zero_one), uniform(shape, 0.02, 0.98)
            yield name, {"from_logits": True, **smoothing}, choices(shape, zero_one), uniform(shape, -4, 4)
    for options in [{}, {"label_smoothing": 0.5}, {"label_smoothing": 1.0}]:
        yield name, options, uniform((4, 3), 0, 1), uniform((4, 3), 0.02, 0.98)
        yield name, {"from_logits": True, **options}, uniform((4, 3), 0, 1), uniform((4, 3), -4, 4)
    yield from saturated_binary(name, [{}, {"label_smoothing": 0.1}])


def saturated_binary(name: str, variants: list[dict[str, Any]]) -> Iterator[Case]:
    half, probabilities = [[0.5] * 4], [[0, 1, 1e-10, 1.0000001]]
    for options in variants:
        for labels in [[[0] * 4], [[1] * 4], half]:
            yield name, options, labels, probabilities
        for label in [0, 1, 0.5]:
            yield name, {"from_logits": True, **options}, constant(label), LARGE_LOGITS


def binary_focal() -> Iterator[Case]:
    name = "binary_focal_crossentropy"
    variants: list[dict[str, Any]] = [{}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 1.0}, {"gamma": 5.0}]
    variants += [{"apply_class_balancing": True, "alpha": alpha} for alpha in [0.0, 0.25, 0.75, 1.0]]
    variants += [{"alpha": 0.9}, {"label_smoothing": 0.1}, {"label_smoothing": 1.0}]
    variants += [{"apply_class_balancing": True, "alpha": 0.6, "gamma": 1.5, "label_smoothing": 0.2}]
    for options in variants:
        yield name, options, choices((4, 3), [0, 1]), uniform((4, 3), 0.02, 0.98)
        yield name, {"from_logits": True, **options}, choices((4, 3), [0, 1]), uniform((4, 3), -4, 4)
    yield name, {}, uniform((4, 5), 0, 1), uniform((4, 5), 0.02, 0.98)
    yield name, {"from_logits": True}, uniform((4, 5), 0, 1), uniform((4, 5), -4, 4)
    yield from saturated_binary(name, [{}, {"gamma": 0.5, "apply_class_balancing": True}])


def categorical() -> Iterator[Case]:
    name = "categorical_crossentropy"
    for shape in SHAPES:
        for options in [{}, {"label_smoothing": 0.1}, {"label_smoothing": 1.0}]:
            yield name, options, one_hot(shape), distributions(shape)
            yield name, {"from_logits": True, **options}, one_hot(shape), uniform(shape, -4, 4)
    yield from saturated_categorical(name, [{}, {"label_smoothing": 0.1}])
    yield name, {}, [[1, 0, 0], [0.2, 0.3, 0.5]], [[0, 0, 0], [0, 0, 0]]


def saturated_categorical(name: str, variants: list[dict[str, Any]]) -> Iterator[Case]:
    for options in variants:
        for labels in [ONE_HOT, SOFT]:
            for probabilities in [SATURATED_ROWS, UNNORMALISED_ROWS]:
                yield name, options, labels, probabilities
            yield name, {"from_logits": True, **options}, labels, LARGE_LOGITS


def sparse() -> Iterator[Case]:
    name = "sparse_categorical_crossentropy"
    for shape in SHAPES:
        yield name, {}, classes(shape), distributions(shape)
        yield name, {"from_logits": True}, classes(shape), uniform(shape, -4, 4)
    for labels in [CLASSES, [1, 2, 1, 2]]:
        for probabilities in [SATURATED_ROWS, UNNORMALISED_ROWS]:
            yield name, {}, labels, probabilities
        yield name, {"from_logits": True}, labels, LARGE_LOGITS
    yield name, {}, [0, 2], [[0, 0, 0], [0, 0, 0]]
    for ignored in [-1, 0, 255]:
        labels = [ignored, 1, 2, ignored]
        yield name, {"ignore_class": ignored}, labels, distributions((4, 3))
        yield name, {"ignore_class": ignored, "from_logits": True}, labels, uniform((4, 3), -4, 4)
    yield name, {"ignore_class": 1}, [1, 1], distributions((2, 3))


def categorical_focal() -> Iterator[Case]:
    name = "categorical_focal_crossentropy"
    variants: list[dict[str, Any]] = [{}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 1.0}, {"gamma": 5.0}]
    variants += [{"alpha": 0.0}, {"alpha": 1.0}, {"alpha": [0.1, 0.25, 0.65]}]
    variants += [{"label_smoothing": 0.1}, {"label_smoothing": 1.0}]
    variants += [{"alpha": [1.0, 0.0, 2.0], "gamma": 1.5, "label_smoothing": 0.2}]
    for options in variants:
        yield name, options, one_hot((4, 3)), distributions((4, 3))
        yield name, {"from_logits": True, **options}, one_hot((4, 3)), uniform((4, 3), -4, 4)
    yield name, {}, distributions((4, 5)), distributions((4, 5))
    yield name, {"from_logits": True}, distributions((4, 5)), uniform((4, 5), -4, 4)
    yield from saturated_categorical(name, [{}, {"gamma": 0.5}])
    yield name, {}, [[1, 0, 0], [0.2, 0.3, 0.5]], [[0, 0, 0], [0, 0, 0]]


def sparse_smoothing() -> Iterator[Case]:
    name = "sparse_categorical_crossentropy"
    for smoothing in [0.1, 1.0]:
        yield name, {"label_smoothing": smoothing}, classes((4, 3)), distributions((4, 3))
        yield name, {"label_smoothing": smoothing, "from_logits": True}, classes((4, 5)), uniform((4, 5), -4, 4)


def sparse_focal() -> Iterator[Case]:
    name = "sparse_categorical_focal_crossentropy"
    variants: list[dict[str, Any]] = [{}, {"gamma": 0.0}, {"gamma": 0.5, "label_smoothing": 0.1}, {"ignore_class": 1}]
    for options in [*variants, {"alpha": [0.1, 0.25, 0.65], "gamma": 1.5}]:
        yield name, options, classes((4, 3)), distributions((4, 3))
        yield name, {"from_logits": True, **options}, classes((4, 3)), uniform((4, 3), -4, 4)
        yield name, {"from_logits": True, **options}, CLASSES, LARGE_LOGITS


def generalized() -> Iterator[Case]:
    name = "categorical_generalized_cross_entropy"
    for options in [{}, {"q": 0.1}, {"q": 0.7}, {"q": 1.0}, {"q": 0.7, "ignore_class": 1}]:
        yield name, options, classes((4, 3)), distributions((4, 3))
        yield name, options, CLASSES, SATURATED_ROWS
        yield name, {"from_logits": True, **options}, classes((4, 3)), uniform((4, 3), -4, 4)
        yield name, {"from_logits": True, **options}, CLASSES, LARGE_LOGITS


def costs() -> Iterator[Case]:
    for tau in [0.01, 0.5, 0.9]:
        yield "quantile", {"quantile": tau}, uniform((4, 3), -3, 3), uniform((4, 3), -3, 3)
        yield "quantile", {"quantile": tau}, constant(1), shifted(SIZES, 1)
    for options in [{}, {"over": 2.0, "under": 0.5}, {"over": 0.01, "under": 100.0}]:
        yield "asymmetric_cost", options, uniform((4, 3), -3, 3), uniform((4, 3), -3, 3)
        yield "asymmetric_cost", options, constant(1), shifted(SIZES, 1)


def weighted_binary() -> Iterator[Case]:
    variants: list[dict[str, Any]] = [{"class_weight": [1.0, 5.0]}, {"class_weight": [0.3, 0.0]}]
    variants += [{"class_weight": [0.25, 1.5], "label_smoothing": 0.2}]
    focal = {"class_weight": [2.0, 0.5], "gamma": 0.5, "apply_class_balancing": True, "label_smoothing": 0.1}
    for name, more in [("binary_crossentropy", []), ("binary_focal_crossentropy", [focal])]:
        for options in [*variants, *more]:
            labels = choices((4, 3), [0, 1]) + uniform((4, 3), 0, 1)
            yield name, options, labels, uniform((8, 3), 0.02, 0.98)
            labels = uniform((4, 3), 0, 1) + choices((8, 3), [0, 0.5, 1])
            yield name, {"from_logits": True, **options}, labels, uniform((4, 3), -4, 4) + LARGE_LOGITS * 2
        yield name, variants[-1], [[0] * 4, [1] * 4, [0.5] * 4], [[0, 1, 1e-10, 1.0000001]] * 3


def ignored_binary() -> Iterator[Case]:
    some, other = {"label_smoothing": 0.1, "class_weight": [0.5, 3.0]}, {"class_weight": [4.0, 0.25]}
    variants = [(-1, [0, 1], {}), (0, [0, 1], other), (1, [0, 0.25, 0.5], some), (255, [0, 1], some)]
    for name in ["binary_crossentropy", "binary_focal_crossentropy"]:
        for ignored, others, more in variants:
            labels = [[ignored, *row] for row in choices((3, 2), [ignored, *others])] + [[ignored] * 3]
            options = {"ignore_class": ignored, **more}
            yield name, options, labels, uniform((4, 3), 0.02, 0.98)
            yield name, {"from_logits": True, **options}, labels * 2, uniform((4, 3), -4, 4) + LARGE_LOGITS


def weighted_rows() -> Iterator[Case]:
    weights: list[dict[str, Any]] = [{"class_weight": [0.2, 1.0, 3.0]}, {"class_weight": [0.0, 2.0, 0.5]}]
    variants = [weights[0], {**weights[1], "label_smoothing": 0.1}, {**weights[0], "label_smoothing": 1.0}]
    focal = {**weights[1], "label_smoothing": 0.2, "gamma": 0.5, "alpha": [0.1, 0.25, 0.65]}
    for name, more in [("categorical_crossentropy", []), ("categorical_focal_crossentropy", [focal])]:
        for options in [*variants, *more]:
            labels, logits = one_hot((4, 3)) + distributions((4, 3)), uniform((8, 3), -4, 4) + LARGE_LOGITS
            yield name, options, labels, distributions((8, 3))
            yield name, {"from_logits": True, **options}, labels + SOFT, logits
            yield f"sparse_{name}", options, classes((8, 3)), distributions((8, 3))
            yield f"sparse_{name}", {"from_logits": True, **options}, classes((8, 3)) + CLASSES, logits
        yield name, variants[1], ONE_HOT + SOFT, SATURATED_ROWS + UNNORMALISED_ROWS
        yield f"sparse_{name}", {**focal, "ignore_class": 1} if more else variants[1], CLASSES, SATURATED_ROWS
    for options in [*weights, {**weights[0], "q": 0.1, "ignore_class": 2}]:
        yield "categorical_generalized_cross_entropy", options, classes((8, 3)), distributions((8, 3))
        yield "categorical_generalized_cross_entropy", {"from_logits": True, **options}, CLASSES, LARGE_LOGITS


def ignored_rows() -> Iterator[Case]:
    half = [[0.5, 0.5, 0], [0.75, 0.25, 0], [0.125, 0.75, 0.125], [0.25, 0.25, 0.5]]
    for name in ["categorical_crossentropy", "categorical_focal_crossentropy"]:
        for ignored in [0, 1, 2]:
            options = {"ignore_class": ignored, "label_smoothing": 0.1, "class_weight": [0.2, 1.0, 3.0]}
            yield name, {"ignore_class": ignored}, ONE_HOT + half, distributions((4, 3)) + UNNORMALISED_ROWS
            yield name, {"from_logits": True, **options}, half + ONE_HOT, uniform((4, 3), -4, 4) + LARGE_LOGITS


def overlaps() -> Iterator[Case]:
    smooth: list[dict[str, Any]] = [{}, {"smooth": 1.0}, {"smooth": 0.01}]
    uneven = [{"alpha": 0.3, "beta": 0.7}, {"alpha": 2.0, "beta": 0.0}, {"alpha": 0.9, "beta": 0.1, "smooth": 0.5}]
    edges = [*ONE_HOT, [0, 0, 0], [1, 1, 1], [0, 0, 1], [0, 1, 1], [0, 0, 0], *ONE_HOT[1:3], [1, 1, 1]]
    for name, variants in [("dice", smooth), ("tversky", [smooth[1], *uneven])]:
        for axis in [None, 0, 1, -1]:
            yield name, {"axis": axis}, uniform((4, 5), 0, 1), uniform((4, 5), 0, 1)
        for options in variants:
            volumes = [[uniform((2, 3), 0, 1) for _ in range(3)] for _ in range(2)]
            yield name, options, *volumes
            yield name, {**options, "axis": [1, 2]}, *volumes
            yield name, {**options, "axis": 1}, edges, SATURATED_ROWS * 2 + constant(0)


def circles() -> Iterator[Case]:
    labels = [0, 1, 0, 2, 1, 0]  # class 2 has no partner
    fan = [[1, 0, 0], [0.64, 0.768, 0], [-0.42, 0.9, -0.1], [-0.96, 0.28, 0]]
    for options in [{}, {"gamma": 1.0}, {"gamma": 16.0, "margin": 0.25}, {"gamma": 160.0, "margin": 0.1}]:
        yield "circle", options, labels, unit_rows((6, 3))
        yield "circle", options, [3, 3, 3, 7, 7, 7], unit_rows((6, 3))
        yield "circle", {**options, "remove_diagonal": False}, labels, unit_rows((6, 3))
        yield "circle", options, [0, 0, 1, 1], fan
    yield "circle", {}, [0, 1, 0, 1], fan
    yield "circle", {}, [4, 4, 4, 4], unit_rows((4, 3))
    yield "circle", {"remove_diagonal": False}, [1, 2, 3, 4], unit_rows((4, 3))


def sequences() -> Iterator[Case]:
    labels = [[1, 2], [1, 1], [2, 0], [0, 0]]
    other = [[0, 1], [1, 1], [0, 2], [2, 2]]
    for options, rows in [({}, labels), ({"blank": 2}, other)]:
        for scale in [0.5, 30]:
            yield "ctc", options, rows, [uniform((4, 3), -scale, scale) for _ in rows]
        lengths = {"label_length": [1, 2, 0, 0], "logit_length": [4, 3, 2, 1]}
        yield "ctc", options, rows, [uniform((4, 3), -4, 4) for _ in rows], lengths
    yield "ctc", {}, [[1, 2, 3], [3, 3, 1], [2, 1, 0]], [uniform((6, 4), -4, 4) for _ in range(3)]
    yield "ctc", {"blank": 3}, [[1, 2, 0], [0, 0, 0], [3, 3, 3]], [uniform((6, 4), -4, 4) for _ in range(3)]
    yield "ctc", {}, labels, [LARGE_LOGITS for _ in labels]
    for size in [50, 1e4]:
        certain = [[size if k == c else -size for k in range(3)] for c in [1, 0, 1, 2]]
        yield "ctc", {}, labels, [certain for _ in labels]


def class_overlaps() -> Iterator[Case]:
    name = "sparse_categorical_dice"
    variants: list[dict[str, Any]] = [{}, {"smooth": 1.0}, {"smooth": 0.01, "class_weight": [0.2, 1.0, 3.0]}]
    variants += [{"ignore_class": 1}, {"ignore_class": 255, "class_weight": [1.0, 0.0, 2.0]}]
    for options in variants:
        images = [[0, 1, 2, 0], [1, 1, 255 if options.get("ignore_class") == 255 else 2, 1], [0, 0, 0, 0]]
        for each in [{}, {"per_image": True}]:
            yield name, {**options, **each}, images, [distributions((4, 3)) for _ in images]
            logits = [uniform((4, 3), -4, 4), LARGE_LOGITS, uniform((4, 3), -1, 1)]
            yield name, {"from_logits": True, **options, **each}, images, logits
        yield name, options, CLASSES, SATURATED_ROWS
    for shape in SHAPES:
        yield name, {"from_logits": True}, classes(shape), uniform(shape, -4, 4)
    volumes = [[distributions((2, 4)) for _ in range(3)] for _ in range(2)]
    for options in [{}, {"per_image": True, "smooth": 0.5}]:
        yield name, options, [[[0, 1], [2, 2], [1, 0]], [[3, 3], [3, 0], [0, 2]]], volumes


FAMILIES = [
    regression,
    logarithmic,
    margins,
    counts,
    divergence,
    directions,
    binary,
    binary_focal,
    categorical,
    sparse,
    categorical_focal,
    sparse_smoothing,
    sparse_focal,
    generalized,
    costs,
    weighted_binary,
    ignored_binary,
    weighted_rows,
    ignored_rows,
    overlaps,
    circles,
    sequences,
    class_overlaps,
]


def decimal(rough: mpf, fine: mpf) -> str:
    """The digits on which two precisions agree; what only rounding produced is zero."""
    texts = [mp.nstr(x, DIGITS) for x in (rough, fine)]
    if texts[0] == texts[1]:
        return texts[0]
    assert max(abs(rough), abs(fine)) < mpf("1e-45"), texts
    return "0.0"


def at_two_precisions(loss: str, *arguments: Any, **parameters: Any) -> Iterator[tuple[Any, Any]]:
    for digits in (60, 90):
        with mp.workdps(digits):
            values = getattr(reference, loss)(*arguments, **parameters)
            yield values, reference.gradient(loss, *arguments, **parameters)


def floats(nested: Any) -> Any:
    return [floats(v) for v in nested] if isinstance(nested, list) else float(nested)


def decimals(rough: Any, fine: Any) -> Any:
    if isinstance(rough, list):
        return [decimals(a, b) for a, b in zip(rough, fine, strict=True)]
    return decimal(rough, fine)


def evaluate(
    loss: str, parameters: dict[str, Any], y_true: Any, y_pred: Any, data: dict[str, Any] | None = None
) -> dict[str, Any]:
    y_true, y_pred = single(y_true), single(floats(y_pred))
    if isinstance(y_true[0], list) and loss not in ("ctc", "sparse_categorical_dice"):  # whose rows are class ids
        y_true = floats(y_true)
    (rough, rough_slopes), (fine, fine_slopes) = at_two_precisions(loss, y_true, y_pred, **parameters, **(data or {}))
    exists = not any(mp.isnan(v) for v in reference.flat(fine_slopes))
    return {
        "loss": loss,
        "params": parameters,
        "y_true": y_true,
        "y_pred": y_pred,
        **({"data": data} if data else {}),
        "values": decimals(rough, fine),
        "gradient": decimals(rough_slopes, fine_slopes) if exists else None,
    }


def main() -> None:
    cases = [json.dumps(evaluate(*case)) for family in FAMILIES for case in family()]
    Path(__file__).with_name("values.json").write_text("[\n" + ",\n".join(cases) + "\n]\n")


if __name__ == "__main__":
    main()
