"""check_loss: every property, over frameworks and dtypes."""

from collections.abc import Callable, Iterable
from typing import Any

from .._loss import Loss
from .._registry import get
from . import _gradients, _objects, _shapes, _values, _weights
from ._case import TOLERANCE, Case, NotApplicable
from ._frameworks import FRAMEWORKS, available

PROPERTIES: dict[str, Callable[[Case], None]] = {
    check.__name__: check
    for module in (_values, _gradients, _weights, _shapes, _objects)
    for check in module.PROPERTIES
}
"""Name -> check of a `Case`: AssertionError where the loss breaks its promise, NotApplicable where there is none."""


def check_loss(
    loss: Any, frameworks: str | Iterable[str] | None = None, dtypes: str | Iterable[str] = tuple(TOLERANCE)
) -> None:
    """Check every promise of a loss, yours or losslab's.

    Args:
        loss: a `losslab.Loss`, its class, or a name that `losslab.get` knows.
        frameworks: among "numpy", "torch", "jax", "tensorflow"; by default NumPy and those imported already.
        dtypes: "float32", "float64" or both.

    Raises:
        AssertionError: the promises that the loss breaks, each with where, what was expected and what came.
        TypeError: something that is no `losslab.Loss`.
        ValueError: an unknown framework or dtype.
    """
    loss = get(loss)
    if not isinstance(loss, Loss):
        raise TypeError(f"check_loss needs a losslab.Loss, its class or its name, got {loss!r}")
    chosen = _among(FRAMEWORKS, available() if frameworks is None else frameworks, "framework")
    cases = [Case(loss, FRAMEWORKS[name], dtype) for name in chosen for dtype in _among(TOLERANCE, dtypes, "dtype")]
    failures = {name: _failures(check, cases) for name, check in PROPERTIES.items()}
    broken = [f"- {name} ({', '.join(f)}): {next(iter(f.values()))}" for name, f in failures.items() if f]
    if broken:
        promises = "a promise" if len(broken) == 1 else f"{len(broken)} promises"
        raise AssertionError("\n".join([f"{loss!r} breaks {promises}:", *broken]))


def _among(known: Iterable[str], given: str | Iterable[str], what: str) -> list[str]:
    names = [given] if isinstance(given, str) else list(given)
    for name in names:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: choose among {', '.join(known)}")
    return names


def _failures(check: Callable[[Case], None], cases: list[Case]) -> dict[str, str]:
    """Where a promise is broken -> how."""
    failures = {}
    for case in cases:
        with case.framework.precision(case.dtype):
            try:
                check(case)
            except NotApplicable:
                continue
            except Exception as error:
                kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
                failures[f"{case.framework.name} {case.dtype}"] = f"{kind}{error}"
    return failures
