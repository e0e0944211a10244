"""A data set's name or path to a frozen `Dataset`: checked, subset taken, test examples set aside."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab import readers
from losslab.lab.errors import LabError, did_you_mean
from losslab.lab.streams import stream

TEST_SHARE = 0.2
FEWEST_EXAMPLES = 10
# The test examples and the subset belong to the data, not to a run: the same for every seed.
DATA_SEED = 0

Array = NDArray[Any]


@dataclass(frozen=True)
class DataSpec:
    """What to load: a set's name or a file, the target column (.csv only), how many training examples to keep."""

    source: str
    target: str | None = None
    subset: int | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples with class ids.

    Attributes:
        name: what to call it.
        x: (N, ...) inputs as stored, from which each run takes its training and validation examples.
        y: (N,) class ids, 0 to K-1.
        x_test: (M, ...) inputs of the test examples.
        y_test: (M,) class ids of the test examples.
        classes: the K class names, by id.
        divisor: inputs are divided by this (255 for 8-bit images).
        standardized: (...) which features are brought to mean 0 and sd 1 with training statistics.
        own_test: whether the source came with its own test examples.
        digest: SHA-256 over everything above.
    """

    name: str
    x: Array
    y: Array
    x_test: Array
    y_test: Array
    classes: tuple[str, ...]
    divisor: float
    standardized: Array
    own_test: bool
    digest: str

    def describe(self) -> dict[str, Any]:
        """Return the facts that a report prints."""
        return {
            "name": self.name,
            "examples": len(self.y),
            "test_examples": len(self.y_test),
            "own_test": self.own_test,
            "shape": list(self.x.shape[1:]),
            "classes": list(self.classes),
            "digest": self.digest,
        }


def load(spec: DataSpec, digest: str | None = None) -> Dataset:
    """Load a data set; never downloads and never unpickles.

    Args:
        spec: what to load.
        digest: what the data's digest must be; None reads it afresh, since a file may have changed.

    Raises:
        LabError: unknown, not there, damaged, changed, or not a classification problem.
    """
    if digest is None:
        _load.cache_clear()
    dataset = _load(spec)
    if digest not in (None, dataset.digest):
        raise LabError(
            f"{spec.source} has changed", "its contents are not those of the plan", "start the comparison again"
        )
    return dataset


@functools.lru_cache(maxsize=1)
def _load(spec: DataSpec) -> Dataset:
    raw = _read(spec)
    x, y, classes, raw_test = _checked(raw)
    order = stratified_order(y, stream(DATA_SEED, "subset"))[: spec.subset]
    if len(order) < FEWEST_EXAMPLES:
        raise LabError(
            f"{len(order)} examples in {raw.name}",
            f"training, validation and test need at least {FEWEST_EXAMPLES} together",
            "give more examples, or a larger --subset",
        )
    x, y = x[order], y[order]
    own_test = raw_test is not None
    x, y, x_test, y_test = (x, y, *raw_test) if raw_test is not None else _set_test_aside(x, y)
    if own_test:
        _check_test_classes(raw.name, y, y_test, classes)
    if len(np.unique(y)) < 2:
        raise LabError(
            f"only one class is left among the {len(y)} training examples of {raw.name}",
            "the classes are too rare or the subset too small",
            "give more examples, or a larger --subset",
        )
    parts = [x, y, x_test, y_test, raw.standardized]
    digest = _digest(parts, {"classes": classes, "divisor": raw.divisor})
    return Dataset(raw.name, x, y, x_test, y_test, classes, raw.divisor, raw.standardized, own_test, digest)


def located(source: str) -> str:
    """Return a set's name as it is, and a file's path as one that means the same in any folder."""
    return str(Path(source).absolute()) if Path(source).suffix else source


def spec_from(job_data: dict[str, Any]) -> DataSpec:
    """Rebuild the spec that `asdict` wrote into a job."""
    return DataSpec(**{name: job_data[name] for name in asdict(DataSpec(""))})


def stratified_order(y: Array, rng: np.random.Generator) -> Array:
    """Return a random order in which every prefix holds the classes in about their own proportions."""
    position = np.empty(len(y))
    shuffled = rng.permutation(len(y))
    for label in np.unique(y):
        members = shuffled[y[shuffled] == label]
        position[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(position, kind="stable")


def _read(spec: DataSpec) -> readers.Raw:
    suffixes = Path(spec.source).suffixes
    if spec.target is not None and ".csv" not in suffixes:
        raise LabError(
            f"--target {spec.target} for {spec.source}",
            "only a .csv file has columns to choose from",
            "leave --target out",
        )
    if suffixes[-1:] == [".npz"]:
        return readers.read_npz(Path(spec.source))
    if suffixes[-1:] == [".csv"] or suffixes[-2:] == [".csv", ".gz"]:
        return readers.read_csv(Path(spec.source), spec.target)
    if spec.source in readers.NAMED:
        return readers.read_named(spec.source)
    raise LabError(
        f"unknown data set '{spec.source}'",
        f"--data takes {', '.join(readers.NAMED)}, a .npz or a .csv file",
        did_you_mean(spec.source, readers.NAMED, "for example --data digits, or --data table.csv --target COLUMN"),
    )


def _checked(raw: readers.Raw) -> tuple[Array, Array, tuple[str, ...], tuple[Array, Array] | None]:
    pairs = [(raw.x, raw.y)] + ([(raw.x_test, raw.y_test)] if raw.x_test is not None else [])
    for x, y in pairs:
        _check_shapes(raw.name, x, y)
        _check_finite(raw.name, x)
    labels = np.concatenate([_labels(raw, y) for _, y in pairs if y is not None])
    names, ids = np.unique(labels, return_inverse=True)
    _check_classes(raw.name, names, len(labels))
    classes = raw.classes or tuple(str(name) for name in names)
    y, y_test = np.split(ids.astype(np.int32), [len(raw.x)])
    return raw.x, y, classes, (raw.x_test, y_test) if raw.x_test is not None else None


def _check_shapes(name: str, x: Array, y: Array | None) -> None:
    if min(x.ndim, 0 if y is None else y.ndim) < 1 or y is None or len(x) == 0:
        raise LabError(f"no examples in {name}", "inputs and labels must be arrays of some length", "check the file")
    if len(x) != len(y):
        raise LabError(
            f"{len(x)} examples but {len(y)} labels in {name}", "every example needs its label", "check the file"
        )
    if x.ndim not in (2, 3, 4) or x.dtype.kind not in "iufb" or x.size == 0:
        raise LabError(
            f"inputs of shape {x.shape} and type {x.dtype} in {name}",
            "the lab takes tables (N, features) and images (N, height, width[, channels]) of numbers",
            "reshape or encode the inputs",
        )


def _check_finite(name: str, x: Array) -> None:
    if x.dtype.kind != "f":
        return
    fine = np.abs(x.reshape(len(x), -1)) <= readers.LARGEST  # NaN is not
    bad = int((~fine.all(axis=1)).sum())
    if bad:
        raise LabError(
            f"NaN or infinity in {bad} of {len(x)} rows of {name}",
            f"a network trained on them learns nothing but NaN; beyond ±{readers.LARGEST:.0e}, float32 overflows",
            "remove or fill them first",
        )


def _labels(raw: readers.Raw, y: Array) -> Array:
    """Return (N,) labels from (N,), (N, 1) or one-hot (N, K)."""
    if y.dtype.kind not in "biufUS":
        raise LabError(
            f"labels of type {y.dtype} in {raw.name}",
            "a class is an integer, a boolean or a text",
            "give class ids from 0, or names",
        )
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    elif y.ndim == 2 and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all():
        y = y.argmax(axis=1)
    if y.ndim != 1:
        raise LabError(
            f"labels of shape {y.shape} in {raw.name}",
            "one class per example is expected: (N,), (N, 1) or one-hot rows (N, classes)",
            "give class ids, or one-hot rows of 0 and 1",
        )
    if y.dtype.kind == "f" and not (whole := np.isfinite(y) & (np.trunc(y) == y)).all():
        raise LabError(
            f"labels such as {y[~whole][0]:.6g} in {raw.name}",
            "a continuous target has no classes, and compare measures accuracy",
            "give class labels (bin the target, or name another target)",
        )
    if raw.ids_only and y.dtype.kind in "if" and y.min() < 0:
        raise LabError(
            f"class id {y.min():g} in {raw.name}",
            "class ids count from 0",
            "use ids 0 to K-1 (for labels -1 and 1: (y + 1) // 2)",
        )
    return y


def _check_classes(name: str, names: Array, count: int) -> None:
    if len(names) < 2:
        raise LabError(
            f"every label in {name} is {names[0] if len(names) else 'missing'}",
            "a classifier needs at least two classes",
            "name another target, or give data with two classes",
        )
    if len(names) > count // 2:
        raise LabError(
            f"{len(names)} different labels for {count} examples in {name}",
            "this looks like a continuous target or an identifier, and compare measures accuracy",
            "name a target with few classes",
        )


def _check_test_classes(name: str, y: Array, y_test: Array, classes: tuple[str, ...]) -> None:
    unseen = np.setdiff1d(y_test, y)
    if len(unseen):
        raise LabError(
            f"the test part of {name} has labels that the training part lacks: "
            f"{readers.some([classes[i] for i in unseen])}",
            "a network cannot name a class that it never saw",
            "check the labels of both parts, or give a larger --subset",
        )


def _set_test_aside(x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    order = stratified_order(y, stream(DATA_SEED, "test"))
    cut = max(1, round(TEST_SHARE * len(y)))
    test, rest = order[:cut], order[cut:]
    return x[rest], y[rest], x[test], y[test]


def _digest(parts: list[Array], facts: dict[str, Any]) -> str:
    sha = hashlib.sha256(repr(sorted(facts.items())).encode())
    for part in parts:
        sha.update(f"{part.dtype.str}{part.shape}".encode())
        sha.update(np.ascontiguousarray(part).data)
    return sha.hexdigest()
