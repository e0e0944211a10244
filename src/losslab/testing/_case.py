"""One loss on one framework in one dtype: ordinary data for it, its values, its gradients."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._domain import CLASS_ID
from .._loss import Loss
from ._frameworks import FRAMEWORKS, Framework, Values

# Relative to the largest number of the expected array: a sum's rounding error follows its largest term.
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}

ROWS, COLUMNS = 4, 5


class NotApplicable(Exception):  # noqa: N818  # nothing is wrong: the promise says nothing of this case
    """A promise that is none for this loss or framework; the message says why."""


@dataclass(frozen=True)
class Case:
    """A loss with `framework` and `dtype` ("float32" or "float64") to check it in."""

    loss: Loss
    framework: Framework
    dtype: str

    def __str__(self) -> str:
        return f"{self.loss!r} on {self.framework.name} in {self.dtype}"

    @property
    def reference(self) -> "Case":
        """The same loss on NumPy in float64."""
        return Case(self.loss, FRAMEWORKS["numpy"], "float64")

    def only(self, applies: bool, why_not: str) -> None:
        """Raise NotApplicable unless a promise applies to this case."""
        if not applies:
            raise NotApplicable(why_not)

    def only_with_gradients(self) -> None:
        self.only(self.framework.differentiates, f"{self.framework.name} has no gradients")

    def moved(self, rows: Values) -> Values:
        """Rows with their last axis where the loss has its own."""
        return np.moveaxis(rows, -1, self.loss.axis)

    def changed(self, **parameters: Any) -> "Case":
        """The same case for the loss with other parameters."""
        return replace(self, loss=type(self.loss).from_config({**self.loss.get_config(), **parameters}))

    @property
    def columns(self) -> int:
        lengths = [len(value) for value in self.loss.get_config().values() if isinstance(value, list)]
        return max([*lengths, 1]) if max([*lengths, 1]) > 1 else COLUMNS  # a list is one number per class

    @property
    def takes_ids(self) -> bool:
        return self.loss.targets is CLASS_ID

    def draw(self, seed: int = 0) -> tuple[Values, Values]:
        """Ordinary labels and predictions: (4, 5), or (4, 5, 3) where the loss reduces another axis than the last."""
        rng = np.random.default_rng(seed)
        shape = (ROWS, self.columns) if self.loss.axis == -1 else (ROWS, 3, self.columns)
        y_true, y_pred = self.loss.targets.draw(rng, shape), self.loss.outputs.draw(rng, shape)
        y_true = y_true if self.takes_ids else self.moved(y_true)
        return self.rounded(y_true), self.rounded(self.moved(y_pred))

    def rounded(self, x: Values) -> Values:
        """Float64 values that the dtype holds exactly, so that every framework and the reference see the same."""
        return x if x.dtype.kind != "f" else x.astype(self.dtype).astype("float64")

    def arrays(self, *values: Values) -> list[Any]:
        cast = [value.astype(self.dtype) if value.dtype.kind == "f" else value for value in values]
        return [self.framework.array(value) for value in cast]

    def value(self, y_true: Values, y_pred: Values, **options: Any) -> Values:
        """What the loss object gives, as a NumPy array."""
        y, p = self.arrays(y_true, y_pred)
        return self.framework.numpy(self.loss(y, p, **self._options(options)))

    def per_sample(self, y_true: Values, y_pred: Values) -> Values:
        y, p = self.arrays(y_true, y_pred)
        return self.framework.numpy(self.loss.per_sample(y, p))

    def gradient(self, y_true: Values, y_pred: Values, **options: Any) -> Values:
        """The gradient of the summed value with respect to y_pred."""
        y, p = self.arrays(y_true, y_pred)
        options = self._options(options)
        return self.framework.gradient(lambda x: total(self.loss(y, x, **options)), p)

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {name: self.arrays(x)[0] if isinstance(x, np.ndarray) else x for name, x in options.items()}


def total(values: Any) -> Any:
    """Σ values, with the sum that the array's own framework has."""
    if hasattr(values, "sum"):
        return values.sum()
    import tensorflow as tf

    return tf.reduce_sum(values)


def close(actual: Values, expected: Values, tolerance: float, what: str) -> None:
    """Assert equal shapes and a difference of at most `tolerance`, relative to the largest expected number."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    if not expected.size:
        return
    assert np.array_equal(np.isnan(actual), np.isnan(expected)), f"{what}: {actual}, expected {expected}"
    difference = np.nanmax(np.abs(actual.astype("float64") - expected), initial=0.0)
    scale = np.nanmax(np.abs(expected), initial=0.0)
    assert difference <= tolerance * scale, f"{what}: {actual}, expected {expected}, {difference / scale:.1e} apart"
