"""What the cases are computed on: drawn anew in every process, from one seed."""

import numpy as np
from case import Arrays


def classified(rows: int, classes: int) -> Arrays:
    """Logits (rows, classes) and a class id for each row."""
    rng = np.random.default_rng(0)
    return {
        "y_true": rng.integers(0, classes, rows),
        "y_pred": rng.standard_normal((rows, classes), dtype="float32"),
    }


def detected(elements: int) -> Arrays:
    """A logit and a label, 0 or 1, for each element."""
    rng = np.random.default_rng(0)
    return {
        "y_true": rng.integers(0, 2, elements).astype("float32"),
        "y_pred": rng.standard_normal(elements, dtype="float32"),
    }


def measured(elements: int) -> Arrays:
    """Predictions and targets."""
    rng = np.random.default_rng(0)
    return {
        "y_true": rng.standard_normal(elements, dtype="float32"),
        "y_pred": rng.standard_normal(elements, dtype="float32"),
    }


def segmented(images: int, classes: int, side: int) -> Arrays:
    """Logits (images, classes, side, side) and a class id for each pixel."""
    rng = np.random.default_rng(0)
    return {
        "y_true": rng.integers(0, classes, (images, side, side)),
        "y_pred": rng.standard_normal((images, classes, side, side), dtype="float32"),
    }


def last_layer(n: int, d: int, v: int) -> Arrays:
    """What a last linear layer of v classes takes: n hidden rows of d numbers; its logits have unit variance."""
    rng = np.random.default_rng(0)
    return {
        "labels": rng.integers(0, v, n),
        "hidden": rng.standard_normal((n, d), dtype="float32"),
        "weight": rng.standard_normal((v, d), dtype="float32") / np.float32(d**0.5),
    }
