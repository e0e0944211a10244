"""Labels as they were read to the labels of a task: which task it is, and what must hold for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab.errors import LabError, did_you_mean
from losslab.lab.readers import LARGEST, Raw
from losslab.lab.tasks import TASKS, Labels

MOST_CLASSES = 50
"""A column of a table with more different numbers is taken for a quantity."""
RARE = 0.2
"""Below this share of the second of two classes, a classifier is judged by how well it finds it."""

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Kind:
    """Labels in the form of a task.

    Attributes:
        task: its name.
        measure: the key of the measure that decides, where that is not the task's first.
        y: class ids (N,) or (N, height, width), rows of 0 and 1 (N, labels), or numbers (N, targets).
        y_test: the same of the data's own test examples.
        labels: what a task must know of them.
    """

    task: str
    measure: str | None
    y: Array
    y_test: Array | None
    labels: Labels


def kind_of(raw: Raw, asked: str = "auto") -> Kind:
    """Find out what is to be learned, or check that it is what was asked for.

    Raises:
        LabError: no task of that name, or labels that do not serve it.
    """
    if asked not in (*TASKS, "auto"):
        raise LabError(
            f"unknown task '{asked}'",
            f"--task takes auto, {', '.join(TASKS)}",
            did_you_mean(asked, TASKS, "leave it out: the labels tell"),
        )
    y = raw.y if raw.y_test is None else np.concatenate([_shaped(raw, raw.y), _shaped(raw, raw.y_test)])
    y = _shaped(raw, y)
    task = _guess(raw, y) if asked == "auto" else asked
    found = {"classes": _classes, "binary": _binary, "labels": _labels, "regression": _numbers, "segmentation": _mask}
    y, labels = found[task](raw, y)
    if task == "classes" and asked == "auto" and len(labels.classes) == 2:
        task = "binary"
    measure = "accuracy" if task == "binary" and y.mean() >= RARE else None
    y, y_test = y[: len(raw.x)], y[len(raw.x) :]
    return Kind(task, measure, y, None if raw.y_test is None else y_test, labels)


def _shaped(raw: Raw, y: Array) -> Array:
    """Without a last axis of length 1."""
    if y.dtype.kind not in "biufUS":
        raise LabError(
            f"labels of type {y.dtype} in {raw.name}",
            "a class is an integer, a boolean or a text, a quantity a number",
            "give class ids from 0, names, or numbers",
        )
    return y[..., 0] if y.ndim > 1 and y.shape[-1] == 1 else y


def _guess(raw: Raw, y: Array) -> str:
    if y.ndim > 2:
        return "segmentation"
    if y.ndim == 2 and y.dtype.kind in "biuf":
        hot = _is_hot(y)
        return "classes" if hot and (y.sum(axis=1) == 1).all() else "labels" if hot else "regression"
    fractions = y.dtype.kind == "f" and not _is_whole(y).all()
    many = not raw.ids_only and y.dtype.kind in "iuf" and len(np.unique(y)) > MOST_CLASSES
    return "regression" if fractions or many else "classes"


def _is_hot(y: Array) -> bool:
    return y.dtype.kind in "biuf" and bool(((y == 0) | (y == 1)).all())


def _is_whole(y: Array) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(y) & (np.trunc(y) == y))


def _classes(raw: Raw, y: Array) -> tuple[Array, Labels]:
    if y.ndim == 2 and _is_hot(y) and (y.sum(axis=1) == 1).all():
        y = y.argmax(axis=1)
    _check_rank(raw, y, 1, "one class per example is expected: (N,), (N, 1) or one-hot rows (N, classes)")
    names, ids = _ids(raw, y)
    if len(names) > len(y) // 2:
        raise LabError(
            f"{len(names)} different labels for {len(y)} examples in {raw.name}",
            "this looks like a continuous target or an identifier",
            "name a target with few classes, or give --task regression",
        )
    return ids, Labels((), raw.classes or tuple(map(str, names)))


def _binary(raw: Raw, y: Array) -> tuple[Array, Labels]:
    ids, labels = _classes(raw, y)
    if len(labels.classes) != 2:
        raise LabError(
            f"{len(labels.classes)} classes in {raw.name}",
            "a binary task has two",
            "give --task classes, or leave --task out",
        )
    return ids, labels


def _labels(raw: Raw, y: Array) -> tuple[Array, Labels]:
    _check_rank(raw, y, 2, "a row of 0 and 1 per example is expected: (N, labels)")
    if not _is_hot(y):
        wrong = y[(y != 0) & (y != 1)] if y.dtype.kind in "biuf" else y
        raise LabError(
            f"labels such as {wrong.ravel()[0]} in {raw.name}",
            "of several labels each is there or not",
            "give rows of 0 and 1, one column per label",
        )
    names = raw.classes or tuple(map(str, range(y.shape[1])))
    return y.astype(np.int32), Labels(y.shape[1:], names)


def _numbers(raw: Raw, y: Array) -> tuple[Array, Labels]:
    y = y[:, None] if y.ndim == 1 else y
    _check_rank(raw, y, 2, "one number, or a row of numbers, per example is expected: (N,) or (N, targets)")
    if y.dtype.kind not in "biuf":
        raise LabError(
            f"labels such as '{y[0, 0]}' in {raw.name}", "a quantity is a number", "give --task classes, or numbers"
        )
    y = y.astype(np.float64)
    bad = int((~(np.abs(y) <= LARGEST)).any(axis=1).sum())
    if bad:
        raise LabError(
            f"NaN or infinity in {bad} of {len(y)} labels of {raw.name}",
            "a network trained on them learns nothing but NaN",
            "remove those examples first",
        )
    return y, scaled_by(Labels(y.shape[1:], raw.classes, float(y.min())), y, raw.name)


def scaled_by(labels: Labels, y: Array, name: str) -> Labels:
    """Return what a task must know of numbers, with the scale of these: those to train on, not the test's.

    Raises:
        LabError: all are the same.
    """
    mean, spread = y.mean(axis=0), y.std(axis=0)
    if not spread.all():
        raise LabError(
            f"every label in {name} is {y[0, int(spread.argmin())]:g}",
            "there is nothing to tell apart",
            "name another target",
        )
    return replace(labels, mean=tuple(map(float, mean)), spread=tuple(map(float, spread)))


def _mask(raw: Raw, y: Array) -> tuple[Array, Labels]:
    if raw.x.ndim not in (3, 4) or y.ndim != 3 or y.shape[1:] != raw.x.shape[1:3]:
        raise LabError(
            f"labels of shape {y.shape} for inputs of shape {raw.x.shape} in {raw.name}",
            "a class for every pixel is expected: inputs (N, height, width[, channels]), labels (N, height, width)",
            "check the arrays",
        )
    names, ids = _ids(raw, y)
    return ids, Labels(y.shape[1:], raw.classes or tuple(map(str, names)))


def _check_rank(raw: Raw, y: Array, rank: int, expected: str) -> None:
    if y.ndim != rank:
        raise LabError(f"labels of shape {y.shape} in {raw.name}", expected, "check the labels, or give another --task")


def _ids(raw: Raw, y: Array) -> tuple[Array, Array]:
    """The different labels in order, and class ids."""
    if y.dtype.kind == "f" and not (whole := _is_whole(y)).all():
        raise LabError(
            f"labels such as {y[~whole][0]:.6g} in {raw.name}",
            "a continuous target has no classes",
            "give --task regression, or class labels",
        )
    if raw.ids_only and y.dtype.kind in "if" and y.min() < 0:
        raise LabError(
            f"class id {y.min():g} in {raw.name}",
            "class ids count from 0",
            "use ids 0 to K-1 (for labels -1 and 1: (y + 1) // 2)",
        )
    names, ids = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise LabError(
            f"every label in {raw.name} is {names[0]}",
            "there is nothing to tell apart with one class",
            "name another target, or give data with two classes",
        )
    return names, ids.reshape(y.shape).astype(np.int32)
