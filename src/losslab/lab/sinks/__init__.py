"""Where else finished runs are written, for those who look at theirs in TensorBoard or MLflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from losslab.lab.errors import LabError
from losslab.lab.extras import needs
from losslab.lab.sinks.mirrors import Begin, Mirrors, Sink
from losslab.lab.sinks.mlflow import MLflow
from losslab.lab.sinks.tensorboard import TensorBoard

__all__ = ["Mirrors", "sinks_for"]

# By the name that is typed, which is also that of the package and of the extra
_KINDS: dict[str, Callable[[str, str], Sink]] = {"tensorboard": TensorBoard, "mlflow": MLflow}


def sinks_for(texts: Iterable[str], comparison: str) -> dict[str, Begin]:
    """Return what begins the sinks that `--sink` names: "tensorboard:DIR" or "mlflow:URI".

    Args:
        texts: one a sink.
        comparison: what to call the comparison there.

    Raises:
        LabError: no sink has that name, or its package is not installed.
    """
    return {text: _begin(text, comparison) for text in texts}


def _begin(text: str, comparison: str) -> Begin:
    kind, _, place = text.partition(":")
    if kind not in _KINDS or not place:
        raise LabError(
            f"bad sink '{text}'",
            "--sink takes tensorboard:DIR or mlflow:URI",
            "for example --sink tensorboard:boards, or --sink mlflow:http://localhost:5000",
        )
    needs(kind, kind, f"--sink {kind}:")
    return lambda: _KINDS[kind](place, comparison)
