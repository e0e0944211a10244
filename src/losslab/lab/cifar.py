"""CIFAR-10 as its authors publish it, and as Keras keeps it: a folder of pickled batches, read without unpickling.

Unpickling runs whatever a file names. Here `pickletools.genops` only cuts a pickle into its opcodes and their literal
arguments; none is carried out and nothing is imported, so a file cannot do more than be refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslab.lab.errors import LabError

SHAPE = (3, 32, 32)
TRAINING = [f"data_batch_{number}" for number in range(1, 6)]
TEST = "test_batch"

# The entries of a batch, and the functions by which NumPy and Python 3 write an array and bytes into a pickle.
_ENTRIES = ("data", "labels", "batch_label", "filenames")
_HARMLESS = {
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
}

Array = NDArray[Any]


def read_folder(folder: Path) -> dict[str, Array]:
    """Return x_train, y_train, x_test and y_test; the images (N, 32, 32, 3) in unsigned bytes."""
    batches = [read_batch(folder / name) for name in TRAINING]
    x_test, y_test = read_batch(folder / TEST)
    x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return {"x_train": x, "y_train": y, "x_test": x_test, "y_test": y_test}


def read_batch(path: Path) -> tuple[Array, Array]:
    """Return the images and labels of one batch.

    Raises:
        LabError: not there, or anything but a batch of CIFAR-10.
    """
    try:
        pixels, labels = _entries(path.read_bytes())
        images = np.frombuffer(pixels, np.uint8).reshape(len(labels), *SHAPE)
    except Exception as error:  # a damaged file can fail anywhere in pickletools
        raise LabError(
            f"cannot read {path} as a batch of CIFAR-10",
            f"{type(error).__name__}: {error}",
            "delete that folder and have Keras load the data again: keras.datasets.cifar10.load_data()",
        ) from error
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)), np.array(labels, np.uint8)


def _entries(content: bytes) -> tuple[bytes, list[int]]:
    """Return the longest string under "data", which is the pixels, and the small integers under "labels"."""
    entry, pixels, labels = "", "", []
    for opcode, argument in _opcodes(content):
        if isinstance(argument, str | bytes):
            text = argument.decode("latin-1") if isinstance(argument, bytes) else argument
            entry = text if text in _ENTRIES else entry
            pixels = text if entry == "data" and len(text) > len(pixels) else pixels
        elif opcode == "BININT1" and entry == "labels":
            labels.append(argument)
    if not labels:
        raise ValueError("it holds no labels")
    return pixels.encode("latin-1"), labels


def _opcodes(content: bytes) -> Iterator[tuple[str, Any]]:
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in ("STACK_GLOBAL", "INST") or (opcode.name == "GLOBAL" and argument not in _HARMLESS):
            raise ValueError(f"it names code to run ({argument or opcode.name}), which a batch does not")
        yield opcode.name, argument
