"""check_loss: every property, over frameworks and dtypes."""

from collections.abc import Callable, Iterable
from typing import Any

from .._loss import Loss
from .._registry import get
from . import _gradients, _objects, _shapes, _values, _weights
from ._case import TOLERANCE, Case
from ._frameworks import FRAMEWORKS, available

PROPERTIES: dict[str, Callable[[Case], None]] = {
    check.__name__: check
    for module in (_values, _gradients, _weights, _shapes, _objects)
    for check in module.PROPERTIES
}
"""Name -> check. Each takes a `Case` and raises AssertionError where the loss breaks its promise."""


def check_loss(loss: Any, frameworks: Iterable[str] | None = None, dtypes: Iterable[str] = tuple(TOLERANCE)) -> None:
    """Check every promise of a loss, yours or losslab's.

    Args:
        loss: a `losslab.Loss`, its class, or a name that `losslab.get` knows.
        frameworks: among "numpy", "torch", "jax", "tensorflow"; by default NumPy and those imported already.
        dtypes: "float32", "float64" or both.

    Raises:
        AssertionError: the promises that the loss breaks, each with what was expected and what came.
        TypeError: something that is no `losslab.Loss`.
    """
    loss = get(loss)
    if not isinstance(loss, Loss):
        raise TypeError(f"check_loss needs a losslab.Loss, its class or its name, got {loss!r}")
    chosen = list(frameworks) if frameworks is not None else available()
    cases = [Case(loss, FRAMEWORKS[name], dtype) for name in chosen for dtype in dtypes]
    broken = [message for case in cases for message in _broken(case)]
    if broken:
        raise AssertionError(f"{loss!r} breaks {len(broken)} promises:\n" + "\n".join(broken))


def _broken(case: Case) -> list[str]:
    messages = []
    with case.framework.precision(case.dtype):
        for name, check in PROPERTIES.items():
            try:
                check(case)
            except Exception as error:
                messages.append(f"- {name} ({case.framework.name}, {case.dtype}): {type(error).__name__}: {error}")
    return messages
