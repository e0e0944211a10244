"""A data set's name or path to a frozen `Dataset`: checked, subset taken, test examples set aside."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab import readers
from losslab.lab.errors import LabError, did_you_mean
from losslab.lab.kinds import kind_of, scaled_by
from losslab.lab.streams import stream
from losslab.lab.tables import Columns, read_table
from losslab.lab.tasks import TASKS, Labels

TEST_SHARE = 0.2
FEWEST_EXAMPLES = 10
FEWEST_GROUPS = 5
# The test examples and the subset belong to the data, not to a run: the same for every seed.
DATA_SEED = 0

Array = NDArray[Any]


@dataclass(frozen=True)
class DataSpec:
    """What to load.

    Attributes:
        source: a set's name or a file.
        target: the column to predict, or several with commas between them (tables only).
        subset: how many examples to keep besides a test part of the data's own; None for all.
        task: a key of TASKS, or "auto".
        drop: columns to leave out, with commas between them (tables only).
        by: the column whose values keep their examples together (tables only).
    """

    source: str
    target: str | None = None
    subset: int | None = None
    task: str = "auto"
    drop: str = ""
    by: str | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples with labels.

    Attributes:
        name: what to call it.
        task: a key of TASKS.
        measure: the key of the measure that decides, where that is not the task's first.
        x: (N, ...) inputs as stored, from which each run takes its training and validation examples.
        y: (N, ...) labels, as `Kind` has them.
        x_test: (M, ...) inputs of the test examples.
        y_test: (M, ...) labels of the test examples.
        labels: what the task must know of the labels.
        divisor: inputs are divided by this (255 for 8-bit images).
        standardized: (...) which features are brought to mean 0 and sd 1 with training statistics.
        groups: (N,) examples of the same number stay together; None for none.
        own_test: whether the source came with its own test examples.
        digest: SHA-256 over everything above.
    """

    name: str
    task: str
    measure: str | None
    x: Array
    y: Array
    x_test: Array
    y_test: Array
    labels: Labels
    divisor: float
    standardized: Array
    groups: Array | None
    own_test: bool
    digest: str

    @property
    def strata(self) -> Array:
        """(N,) what is to be drawn in its proportions: the classes; all alike for other labels."""
        return _strata(self.task, self.y)

    def describe(self) -> dict[str, Any]:
        """Return the facts that a report prints."""
        return {
            "name": self.name,
            "examples": len(self.y),
            "test_examples": len(self.y_test),
            "own_test": self.own_test,
            "shape": list(self.x.shape[1:]),
            "classes": list(self.labels.classes),
            "grouped": self.groups is not None,
            "digest": self.digest,
        }


def load(spec: DataSpec, digest: str | None = None) -> Dataset:
    """Load a data set; never downloads and never unpickles.

    Args:
        spec: what to load.
        digest: what the data's digest must be; None reads it afresh, since a file may have changed, and so does another
            digest than that of what was read last.

    Raises:
        LabError: unknown, not there, damaged, changed, or with labels that serve no task.
    """
    if digest is None:
        _load.cache_clear()
    dataset = _load(spec)
    if digest not in (None, dataset.digest):
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
    _check_inputs(raw)
    kind = kind_of(raw, spec.task)
    order = stratified_order(_strata(kind.task, kind.y), stream(DATA_SEED, "subset"))[: spec.subset]
    if len(order) < FEWEST_EXAMPLES:
        raise LabError(
            f"{len(order)} examples in {raw.name}",
            f"training, validation and test need at least {FEWEST_EXAMPLES} together",
            "give more examples, or a larger --subset",
        )
    x, y, groups = raw.x[order], kind.y[order], _numbered(raw, order)
    if kind.y_test is None or raw.x_test is None:
        test = _test_part(_strata(kind.task, y), groups)
        x, x_test, y, y_test = x[~test], x[test], y[~test], y[test]
        groups = None if groups is None else groups[~test]
    else:
        x_test, y_test = raw.x_test, kind.y_test
    if TASKS[kind.task].has_classes:
        _check_classes(raw.name, y, y_test, kind.labels.classes)
    labels = scaled_by(kind.labels, y, raw.name) if kind.task == "regression" else kind.labels
    facts = {"task": kind.task, "labels": labels, "divisor": raw.divisor}
    parts = [x, y, x_test, y_test, raw.standardized, *([] if groups is None else [groups])]
    return Dataset(
        raw.name,
        kind.task,
        kind.measure,
        x,
        y,
        x_test,
        y_test,
        labels,
        raw.divisor,
        raw.standardized,
        groups,
        raw.y_test is not None,
        _digest(parts, facts),
    )


def _strata(task: str, y: Array) -> Array:
    return y if TASKS[task].has_classes else np.zeros(len(y), np.int32)


def _numbered(raw: readers.Raw, order: Array) -> Array | None:
    """The groups of these examples as numbers in the order of their values."""
    if raw.groups is None:
        return None
    values, found = _in_order(raw.groups[order])
    if len(values) < FEWEST_GROUPS:
        raise LabError(
            f"{len(values)} different values to keep together in {raw.name}",
            f"training, validation and test need at least {FEWEST_GROUPS}",
            "name another column, or leave --by out",
        )
    sizes = np.bincount(found)
    if 2 * sizes.max() >= len(found):
        raise LabError(
            f"{sizes.max()} of {len(found)} examples of {raw.name} have the value {values[sizes.argmax()]}",
            "they are kept together, and training, validation and test need parts of sound sizes",
            "name a column that divides the examples more evenly, or leave --by out",
        )
    return found


def _in_order(groups: Array) -> tuple[Array, Array]:
    """The different values in order, and each example's place in it; the numbers in texts count: week 2, week 12."""
    if groups.dtype.kind not in "OUS":
        return np.unique(groups, return_inverse=True)
    values, found = np.unique(groups.astype(str), return_inverse=True)
    order = sorted(range(len(values)), key=lambda i: _with_numbers(str(values[i])))
    return values[order], np.argsort(order)[found]


def _with_numbers(text: str) -> list[str | int]:
    """Split a text into what is no number, a number, and so on."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d{1,18})", text))]


def whole_groups(sizes: Array, count: int, most: int) -> int:
    """Return how many groups of these sizes, from the first, hold `count` examples, or nearly so: not above `most`."""
    together = np.cumsum(sizes)
    return min(int(np.searchsorted(together, count)) + 1, int(np.searchsorted(together, most, side="right")))


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
    path = Path(spec.source)
    is_table = path.suffix in (".csv", ".parquet") or path.suffixes[-2:] == [".csv", ".gz"]
    columns = {"target": spec.target, "drop": spec.drop, "by": spec.by}
    given = [(option, value) for option, value in columns.items() if value]
    if given and not is_table:
        raise LabError(
            f"--{given[0][0]} {given[0][1]} for {spec.source}",
            "only a table (.csv, .parquet) has columns to choose from",
            f"leave --{given[0][0]} out",
        )
    if is_table:
        return read_table(path, Columns(spec.target, spec.drop, spec.by))
    if path.suffix == ".npz":
        return readers.read_npz(path)
    if spec.source in readers.NAMED:
        return readers.read_named(spec.source)
    raise LabError(
        f"unknown data set '{spec.source}'",
        f"--data takes {', '.join(readers.NAMED)}, a .npz, a .csv or a .parquet file",
        did_you_mean(spec.source, readers.NAMED, "for example --data digits, or --data table.csv --target COLUMN"),
    )


def _check_inputs(raw: readers.Raw) -> None:
    _check_shapes(raw.name, raw.x, raw.y)
    _check_finite(raw.name, raw.x)
    if raw.x_test is not None:
        _check_shapes(raw.name, raw.x_test, raw.y_test)
        _check_finite(raw.name, raw.x_test)


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


def _check_classes(name: str, y: Array, y_test: Array, classes: tuple[str, ...]) -> None:
    unseen = np.setdiff1d(y_test, y)
    if len(np.unique(y)) < 2:
        raise LabError(
            f"only one class is left among the {len(y)} training examples of {name}",
            "the classes are too rare or the subset too small",
            "give more examples, or a larger --subset",
        )
    if len(classes) == 2 and len(np.unique(y_test)) < 2:
        raise LabError(
            f"all {len(y_test)} test examples of {name} are of the class {classes[int(y_test[0])]}",
            "how well two classes are told apart cannot be measured on one",
            "give more examples, or a test part with both classes",
        )
    if len(unseen):
        raise LabError(
            f"the test part of {name} has labels that the training part lacks: "
            f"{readers.some([classes[i] for i in unseen])}",
            "a network cannot name a class that it never saw",
            "check the labels of both parts, or give a larger --subset",
        )


def _test_part(strata: Array, groups: Array | None) -> NDArray[np.bool_]:
    """Which examples are set aside: a draw in the proportions of the strata, or the groups of the highest values."""
    count = max(1, round(TEST_SHARE * len(strata)))
    if groups is None:
        test = np.zeros(len(strata), bool)
        test[stratified_order(strata, stream(DATA_SEED, "test"))[:count]] = True
        return test
    from_last = np.bincount(groups)[::-1]
    # Of less than half of the examples, since no group has half: two groups at least are left to train and validate on.
    return np.asarray(groups > groups.max() - whole_groups(from_last, count, (len(groups) - 1) // 2))


def _digest(parts: list[Array], facts: dict[str, Any]) -> str:
    sha = hashlib.sha256(repr(sorted(facts.items())).encode())
    for part in parts:
        sha.update(f"{part.dtype.str}{part.shape}".encode())
        sha.update(np.ascontiguousarray(part).data)
    return sha.hexdigest()
