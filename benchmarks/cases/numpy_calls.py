"""NumPy: value and gradient of large losses, and what a call costs that scikit-learn's metrics are used for."""

from typing import Any

import calls
import definitions
import numpy as np
from case import Arrays, Case, Contender, Role
from ceilings import exponentials
from definitions import ALPHA, GAMMA
from scipy.special import softmax
from targets import Speed

from .elementwise import count as elements
from .elementwise import ours_focal as focal
from .inputs import classified, detected
from .overhead import ours as cross_entropy
from .softmax import count as logits

CYTHON, PLAIN = "scikit-learn's HalfMultinomialLoss", "plain NumPy"


def cython() -> Any:
    """scikit-learn's loss_gradient gives sums: the weights 1/N make them means."""
    from sklearn._loss.loss import HalfMultinomialLoss

    def value_and_grad(y_true: Any, y_pred: Any) -> Any:
        weights = np.full(len(y_true), 1 / len(y_true), dtype=y_pred.dtype)
        loss = HalfMultinomialLoss(n_classes=y_pred.shape[1])
        values, gradient = loss.loss_gradient(y_true.astype(y_pred.dtype), y_pred, weights)
        return values.sum(dtype="float64"), gradient

    return value_and_grad


def plain_cross_entropy() -> Any:
    def value_and_grad(y_true: Any, y_pred: Any) -> Any:
        rows = np.arange(len(y_true))
        shifted = y_pred - y_pred.max(axis=1, keepdims=True)
        p = np.exp(shifted)
        p /= p.sum(axis=1, keepdims=True)
        value = -np.log(p[rows, y_true]).mean()
        p[rows, y_true] -= 1
        return value, p / len(y_true)

    return value_and_grad


def plain_focal() -> Any:
    def value_and_grad(y_true: Any, y_pred: Any) -> Any:
        sign = 2 * y_true - 1
        log_p = -np.logaddexp(0, -sign * y_pred)
        p = np.exp(log_p)
        factor = (ALPHA * y_true + (1 - ALPHA) * (1 - y_true)) * (1 - p) ** GAMMA
        return -(factor * log_p).mean(), sign * factor * (GAMMA * p * log_p - (1 - p)) / y_true.size

    return value_and_grad


def sklearn_metric(name: str, **options: Any) -> Any:
    """A function of scikit-learn's metrics by name."""

    def make() -> Any:
        import sklearn.metrics

        metric = getattr(sklearn.metrics, name)
        return lambda y_true, y_pred: metric(y_true, y_pred, **options)

    return make


def ours_cross_entropy() -> Any:
    return cross_entropy().value_and_grad


def ours_focal() -> Any:
    return focal().value_and_grad


def by_name(loss: str) -> Any:
    def make() -> Any:
        import losslab

        return losslab.get(loss)

    return make


def probabilities(rows: int, classes: int) -> Arrays:
    drawn = classified(rows, classes)
    return {**drawn, "y_pred": softmax(drawn["y_pred"], axis=1)}


def numbers(rows: int, classes: int) -> Arrays:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal((rows, classes), dtype="float32") for name in ("y_true", "y_pred")}


def log_loss(inputs: Arrays) -> Arrays:
    p = np.take_along_axis(inputs["y_pred"].astype("float64"), inputs["y_true"][:, None], axis=1)
    return {"value": -np.log(p).mean()}


def squared(inputs: Arrays) -> Arrays:
    return {"value": np.square(inputs["y_pred"].astype("float64") - inputs["y_true"]).mean()}


def absolute(inputs: Arrays) -> Arrays:
    return {"value": np.abs(inputs["y_pred"].astype("float64") - inputs["y_true"]).mean()}


def small(name: str, loss: str, inputs: Any, reference: Any, **options: Any) -> Case:
    """A call on 32 rows of 10 numbers."""
    peer = f"sklearn.metrics.{name}"
    return Case(
        name=f"numpy_{name}",
        title=f"One call, {name} of [{{rows}}, {{classes}}] numbers, NumPy",
        inputs=inputs,
        reference=reference,
        size={"rows": 32, "classes": 10},
        quick={"rows": 32, "classes": 10},
        contenders=(
            Contender(f"losslab.get({loss!r})", calls.on_numpy(by_name(loss)), Role.OURS),
            Contender(peer, calls.on_numpy(sklearn_metric(name, **options))),
        ),
        targets=(Speed(peer, 20),),
    )


CASES = (
    Case(
        name="numpy_cross_entropy",
        title="Cross-entropy of [{rows}, {classes}] float32 logits, value and gradient, NumPy",
        inputs=classified,
        reference=definitions.cross_entropy,
        size={"rows": 4096, "classes": 32000},
        quick={"rows": 256, "classes": 32000},
        contenders=(
            Contender("losslab", calls.on_numpy(ours_cross_entropy, "y_pred"), Role.OURS),
            Contender(CYTHON, calls.on_numpy(cython, "y_pred")),
            Contender(PLAIN, calls.on_numpy(plain_cross_entropy, "y_pred")),
            exponentials(logits, numpy=True),
        ),
        targets=(Speed(CYTHON, 4),),
    ),
    Case(
        name="numpy_focal",
        title="Focal loss of {elements:,} float32, value and gradient, NumPy",
        inputs=detected,
        reference=definitions.focal,
        size={"elements": 2**24},
        quick={"elements": 2**20},
        contenders=(
            Contender("losslab", calls.on_numpy(ours_focal, "y_pred"), Role.OURS),
            Contender(PLAIN, calls.on_numpy(plain_focal, "y_pred")),
            exponentials(elements, numpy=True),
        ),
        targets=(Speed(PLAIN, 4),),
    ),
    small("log_loss", "scce", probabilities, log_loss, labels=range(10)),
    small("mean_squared_error", "mse", numbers, squared),
    small("mean_absolute_error", "mae", numbers, absolute),
)
