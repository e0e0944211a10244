"""Files and bundled sets to raw arrays. Nothing here downloads or unpickles."""

from __future__ import annotations

import gzip
import os
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab import cifar
from losslab.lab.errors import Exit, LabError

NAMED = ("digits", "mnist", "fashion_mnist", "cifar10")
# Networks are trained in float32. Of larger numbers it cannot hold the differences, or not the numbers themselves.
LARGEST = float(np.finfo(np.float32).max) / 4

_FASHION_CLASSES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CLASSES = {"fashion_mnist": _FASHION_CLASSES, "cifar10": _CIFAR10_CLASSES}
_IDX_FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Raw:
    """Arrays as read, unchecked.

    Attributes:
        standardized: (...) which features of an example are to be standardised.
        classes: the names of the classes, or of the columns of y.
        ids_only: whether numeric labels must be ids from 0 (arrays), or may be any value (tables).
        groups: (N,) a value for each example; examples of the same value stay together. None for none.
    """

    name: str
    x: Array
    y: Array
    standardized: Array
    divisor: float = 1.0
    x_test: Array | None = None
    y_test: Array | None = None
    classes: tuple[str, ...] = ()
    ids_only: bool = True
    groups: Array | None = None


def read_named(name: str) -> Raw:
    """Read a set by its name: digits from scikit-learn, the others from the folders of `find_named`."""
    if name == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        x = digits.images.astype(np.float32)
        return Raw(name, x, digits.target, np.zeros(x.shape[1:], dtype=bool), divisor=16.0)
    path = find_named(name)
    arrays = _npz_arrays(path) if path.is_file() else _KERAS_FOLDERS[name][1](path)
    return _raw_from_arrays(name, arrays, _CLASSES.get(name, ()))


def find_named(name: str) -> Path:
    """Return the file (or Keras' folder of the published files) that holds a named set.

    Looked at in this order: `$LOSSLAB_DATA/NAME.npz` (default `~/.cache/losslab/data`), `./NAME.npz`, Keras' cache.
    """
    keras_cache = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"
    own = Path(os.environ.get("LOSSLAB_DATA", "~/.cache/losslab/data")).expanduser()
    folders = _KERAS_FOLDERS[name][0] if name in _KERAS_FOLDERS else ()
    places = [own / f"{name}.npz", Path(f"{name}.npz"), *(keras_cache / last for last in (f"{name}.npz", *folders))]
    for place in places:
        if place.exists():
            return place
    raise LabError(
        f"{name} is not on this machine",
        f"losslab never downloads; looked for {', '.join(str(place) for place in places)}",
        f'run once, with a network: python -c "{_download_line(name)}"',
        Exit.ENVIRONMENT,
    )


def _download_line(name: str) -> str:
    return (
        f"import keras, numpy; (a, b), (c, d) = keras.datasets.{name}.load_data(); "
        f"numpy.savez('{name}.npz', x_train=a, y_train=b, x_test=c, y_test=d)"
    )


def read_npz(path: Path) -> Raw:
    """Read a .npz file that holds x and y, or x_train, y_train, x_test and y_test."""
    return _raw_from_arrays(path.name, _npz_arrays(path))


def some(names: list[str], limit: int = 12) -> str:
    """Name the first few of many."""
    return ", ".join(map(str, names[:limit])) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def check_file(path: Path) -> None:
    """Raise LabError unless there is such a file."""
    if not path.is_file():
        raise LabError(
            f"no file {path.name}", f"there is none in {path.absolute().parent}", "check the path and the spelling"
        )


def damaged(path: Path, kind: str, error: Exception) -> LabError:
    """The error for a file that cannot be read as what it should be."""
    return LabError(f"cannot read {path} as a {kind}", f"{type(error).__name__}: {error}", "write the file again")


def _npz_arrays(path: Path) -> dict[str, Array]:
    check_file(path)
    try:
        # A damaged header makes NumPy warn before it fails.
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            return _members(np.load(file, allow_pickle=False))
    except Exception as error:  # what a damaged file raises in zipfile and in NumPy's parser has no end of types
        if "Object arrays" in str(error):
            raise LabError(
                f"{path} holds Python objects",
                "reading them would run code from the file (pickle)",
                "save arrays of numbers or text: x.astype(numpy.float32), y.astype(int)",
            ) from error
        raise damaged(path, ".npz archive", error) from error


def _members(archive: Any) -> dict[str, Array]:
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise TypeError("a single array; x and y are needed, as numpy.savez writes them")
    arrays = {name: archive[name] for name in archive.files}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"its member '{name}' is no array")
    return arrays


def _raw_from_arrays(name: str, arrays: Mapping[str, Array], classes: tuple[str, ...] = ()) -> Raw:
    prefix = "_train" if "x_train" in arrays else ""
    wanted = [f"x{prefix}", f"y{prefix}"] + (["x_test", "y_test"] if "x_test" in arrays else [])
    missing = [key for key in wanted if key not in arrays]
    if missing:
        raise LabError(
            f"no array '{missing[0]}' in {name}",
            f"it holds {some(list(arrays)) or 'nothing'}",
            "save x and y, or x_train, y_train, x_test and y_test: numpy.savez(path, x=x, y=y)",
        )
    x, y = (arrays[key] for key in wanted[:2])
    image = x.dtype == np.uint8 and x.ndim > 2
    standardized = np.full(x.shape[1:], not image)
    x_test, y_test = arrays.get("x_test"), arrays.get("y_test")
    if x_test is not None and x_test.shape[1:] != x.shape[1:]:
        raise LabError(
            f"training inputs {x.shape} and test inputs {x_test.shape} in {name}",
            "an example must have the same shape in both",
            "check the file",
        )
    return Raw(name, x, y, standardized, 255.0 if image else 1.0, x_test, y_test, classes)


def _read_idx_folder(folder: Path) -> dict[str, Array]:
    return {key: read_idx(folder / file) for key, file in _IDX_FILES.items()}


def read_idx(path: Path) -> Array:
    """Read one gzipped IDX file of unsigned bytes (the format in which MNIST is published)."""
    check_file(path)
    try:
        content = gzip.decompress(path.read_bytes())
        rank = content[3]
        shape = np.frombuffer(content, dtype=">i4", count=rank, offset=4)
        return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, IndexError, ValueError, zlib.error) as error:
        raise damaged(path, "gzipped IDX file", error) from error


# Where Keras keeps what it loads as it was published: in folders of its cache, the first that is there; how to read it.
_KERAS_FOLDERS = {
    "fashion_mnist": (("fashion-mnist",), _read_idx_folder),
    "cifar10": (("cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py"), cifar.read_folder),
}
