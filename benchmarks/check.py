"""Whether a result is right: value and gradients against the float64 reference, which a process of its own writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from case import Arrays

BLOCK = 2**22  # elements compared at a time, so that a check needs no memory of its own


def write_reference(folder: Path, reference: Arrays) -> None:
    for name, array in reference.items():
        np.save(folder / f"{name}.npy", array)


def mistake(result: Mapping[str, Any], folder: Path, rtol: float) -> str | None:
    """What is wrong with a result; None if nothing is."""
    expected = {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
    if set(result) != set(expected):
        return f"it gives {sorted(result)}, the reference {sorted(expected)}"
    for name, right in expected.items():
        given = np.asarray(result[name])
        if given.shape != right.shape:
            return f"{name} has shape {given.shape}, the reference {right.shape}"
        worst = _worst(given.reshape(-1), right.reshape(-1), rtol)
        if not worst <= 1:
            return f"{name} is {worst:.3g} times as far from the float64 reference as a relative {rtol:g} allows"
    return None


def _worst(given: np.ndarray[Any, Any], right: np.ndarray[Any, Any], rtol: float) -> float:
    """The largest error over what is allowed: rtol of the element, and of the largest element a tenth of that.

    The second part is for elements that come from a cancellation, whose own digits float32 does not have.
    """
    blocks = [slice(start, start + BLOCK) for start in range(0, right.size, BLOCK)]
    scale = max(float(np.abs(right[block]).max()) for block in blocks)
    allowed = (rtol * (np.abs(right[block]) + scale / 10) + np.finfo("float32").tiny for block in blocks)
    errors = [np.max(np.abs(given[block] - right[block]) / most) for block, most in zip(blocks, allowed, strict=True)]
    return float(np.max(errors))  # of NaN and numbers NumPy's maximum is NaN, Python's the first
