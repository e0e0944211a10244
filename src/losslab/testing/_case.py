"""One loss on one framework in one dtype: ordinary data for it, its values, its gradients."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._formula_loss import FormulaLoss
from .._loss import Loss
from .._set_loss import SetLoss
from ._frameworks import FRAMEWORKS, Framework, Values

# Relative to the largest number of the expected array: a sum's rounding error follows its largest term.
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}

ROWS, COLUMNS, STEPS, FRAMES = 4, 5, 3, 6


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
        return np.moveaxis(rows, -1, self.axis)

    def changed(self, **parameters: Any) -> "Case":
        """The same case for the loss with other parameters."""
        return replace(self, loss=self.loss.replace(**parameters))

    @property
    def columns(self) -> int:
        """As many as a parameter with a number per class wants; else 5."""
        if self.loss.targets.name not in ("one_hot", "class_id"):
            return COLUMNS
        config = self.loss.get_config()
        lengths = [len(config[name]) for name in ("alpha", "class_weight") if isinstance(config.get(name), list)]
        return max([*lengths, 1]) if lengths else COLUMNS

    @property
    def takes_ids(self) -> bool:
        """Labels lack the last axis of the predictions."""
        return self.loss.targets.is_id

    @property
    def axis(self) -> int:
        """The axis that belongs last."""
        loss: Any = self.loss
        return loss.axis if isinstance(loss, FormulaLoss) or self.is_of_pixels else -1

    @property
    def is_rowwise(self) -> bool:
        """Whether y_pred is (…, C) with a value for each row or element, rather than a set, a pair or a sequence."""
        return not isinstance(self.loss, SetLoss) and self.loss.targets.name not in ("identity", "label_sequence")

    @property
    def is_of_pixels(self) -> bool:
        """Whether a value belongs to a set of rows, each with a class id."""
        return isinstance(self.loss, SetLoss) and self.takes_ids

    @property
    def takes_batches_only(self) -> bool:
        """Whether a single sample, without the axis of samples, means something else or nothing."""
        return self.loss.outputs.name == "frames" or (self.is_of_pixels and self.samples_are_independent)

    @property
    def samples_are_independent(self) -> bool:
        """Whether a sample's value depends on that sample alone."""
        if isinstance(self.loss, SetLoss):
            return 0 not in self.set_axes
        return self.loss.targets.name != "identity"

    @property
    def set_axes(self) -> tuple[int, ...]:
        """The axes of y_pred that form a set; `axis` last, where it is that of the classes."""
        if self.is_of_pixels:
            return tuple(range(1 if self.loss.get_config()["per_image"] else 0, self.rank - 1))
        axis: Any = self.loss.get_config()["axis"]
        given: Iterable[int] = range(self.rank) if axis is None else (axis,) if isinstance(axis, int) else axis
        return tuple(each % self.rank for each in given)

    @property
    def rank(self) -> int:
        if self.is_of_pixels:
            return 3 if self.loss.get_config()["per_image"] or self.axis != -1 else 2
        if isinstance(self.loss, SetLoss):
            return 3 if isinstance(self.loss.axis, tuple) else 2
        return 2 if self.axis == -1 and self.loss.outputs.name != "frames" else 3

    def shape(self, rows: int = ROWS) -> tuple[int, ...]:
        """The shape of ordinary predictions, `axis` last: (4, 5), with another axis between where the loss has one."""
        if self.rank == 2:
            return rows, self.columns
        return rows, FRAMES if self.loss.outputs.name == "frames" else STEPS, self.columns

    def value_shape(self, p: Values) -> tuple[int, ...]:
        """The shape of the per-sample values for the predictions p."""
        if isinstance(self.loss, SetLoss):
            members = np.moveaxis(p, self.axis, -1)[..., 0] if self.is_of_pixels else p
            return tuple(int(length) for i, length in enumerate(members.shape) if i not in self.set_axes)
        if self.loss.outputs.name == "frames":
            return (len(p),)
        shape: tuple[int, ...] = np.moveaxis(p, self.axis, -1).shape
        return shape[:-1]

    def draw(self, seed: int = 0) -> tuple[Values, Values]:
        """Ordinary labels and predictions."""
        rng = np.random.default_rng(seed)
        y_true, y_pred = self.loss.targets.draw(rng, self.shape()), self.loss.outputs.draw(rng, self.shape())
        y_true = self.usable(y_true)
        y_true = self.moved(y_true) if y_true.shape == y_pred.shape else y_true
        return self.rounded(y_true), self.rounded(self.moved(y_pred))

    def usable(self, labels: Values) -> Values:
        """Labels without the class that the loss ignores, sequences padded with its blank."""
        loss: Any = self.loss
        if loss.targets.name == "label_sequence":
            return np.where(labels == 0, loss.blank, np.where(labels == loss.blank, 0, labels))
        if loss.targets.name == "one_hot" and getattr(loss, "ignore_class", None) is not None:
            return np.where(labels[..., [loss.ignore_class]] > 0.5, np.roll(labels, 1, axis=-1), labels)
        return labels

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
