"""Metric: parameters that never change, and sums over the batches seen so far."""

import warnings
from typing import Any, ClassVar, Literal, Self

import numpy as np

from .._named import Named
from .._ops import Array
from ._host import on_host

Sums = dict[str, Any]
"""Name -> what adds up over batches: an array of fixed shape, or a tuple of arrays where the values are kept."""


class UndefinedMetricWarning(UserWarning):
    """A metric has no value for the data seen, and its result is NaN; the message says why."""

    __module__ = "losslab.metrics"


class Streaming(Named):
    """What adds up over batches: `result`, `reset` and `merge`; a subclass adds its `update`.

    The parameters are a value: immutable, comparable, with a config. The sums are not part of it: two metrics are equal
    if they measure the same, whatever they have seen. Sums are added in float64, so that a long stream loses no count.
    """

    @property
    def sums(self) -> Sums:
        """What has been summed so far; empty before the first batch."""
        seen: Sums = self.__dict__.get("_sums", {})
        return seen

    def compute(self, sums: Sums) -> Array:
        """The value that sums mean, in their framework: a pure function, which can be compiled."""
        raise NotImplementedError

    def undefined(self, sums: Sums) -> str:
        """Why NumPy sums have no value; "" where they have one."""
        return ""

    def result(self) -> Any:
        """The value over everything seen: a float, or a NumPy array where there is one value per class.

        Where it is undefined: NaN, with an `UndefinedMetricWarning` that says why.
        """
        reason = self.undefined(self.sums) if self.sums else "nothing has been given to update()"
        if reason:
            warnings.warn(f"{self.name} is undefined: {reason}", UndefinedMetricWarning, stacklevel=2)
            return float("nan")
        value = np.asarray(self.compute(self.sums))
        return value if value.ndim else float(value)

    def reset(self) -> None:
        """Forget everything seen."""
        self._keep({})

    def merge(self, other: Self) -> None:
        """Add what another has seen: that of another process, or of the other half of the data.

        Raises:
            ValueError: it measures something else.
        """
        if type(other) is not type(self) or self._measures() != other._measures():
            raise ValueError(f"{self!r} cannot take in {other!r}: they measure different things")
        self.add(other.sums)

    def add(self, sums: Sums) -> None:
        """Add sums that were made elsewhere, such as the `statistics` of a batch inside compiled code.

        Raises:
            ValueError: sums of another task or number of classes than those before.
        """
        new = {name: v if isinstance(v, tuple) else self._on_host(v).astype(np.float64) for name, v in sums.items()}
        old = self.sums
        if old and new and _kind(old) != _kind(new):
            raise ValueError(
                f"{self.name} has summed {_kind(old)} so far and now gets {_kind(new)}: "
                f"batches of another task or number of classes need a metric of their own"
            )
        # tuples of kept values grow, arrays add
        self._keep({name: old[name] + new[name] for name in new} if old and new else new or old)

    @property
    def _in_keras(self) -> str:
        """What measures the same in Keras' compile."""
        return f"keras.metrics.{self!r}"

    def _on_host(self, x: Any) -> np.ndarray[Any, Any]:
        try:
            return on_host(x)
        except (TypeError, NotImplementedError) as error:  # those of JAX and TensorFlow for an array without values
            raise TypeError(
                f"{self.name} is over all samples, but while a framework traces there are no values: in compile use "
                f"{self._in_keras}; in compiled code of your own return statistics(…), and add(…) them outside"
            ) from error

    def _measures(self) -> dict[str, Any]:
        return {name: value for name, value in self._parameters().items() if name != "name"}

    def _keep(self, sums: Sums) -> None:
        object.__setattr__(self, "_sums", sums)  # replaced, never written into: a copy goes its own way


class Metric(Streaming):
    """A metric of labels and predictions.

    A subclass says what a batch adds up to (`statistics`) and what the sums mean (`compute`). Both are pure functions
    in the framework of the arrays, so they also serve inside compiled code; the object around them keeps the sums.

    A metric is not callable on purpose: whoever takes it for a function of a batch would average batches, which for an
    AUC or an F1 is another number.

    Attributes:
        better: which values are better.
        growing: where the sums grow with the data, what to do instead; "" where they have a fixed size.
        aliases: further names under which it is registered.
    """

    better: ClassVar[Literal["higher", "lower"]] = "higher"
    aliases: ClassVar[tuple[str, ...]] = ()

    @property
    def growing(self) -> str:
        return ""

    @property
    def _in_keras(self) -> str:
        return f"losslab.keras.metrics.{self!r}"

    def statistics(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Sums:
        """What one batch adds to the sums; arguments and errors as in `update`."""
        raise NotImplementedError

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: labels; an array of any framework, or a list.
            y_pred: predictions, of the same shape ((N,) and (N, 1) are aligned); class ids lack the axis of classes.
            sample_weight: scalar, (N,), (N, 1) or the shape of the per-sample values. 0 removes a sample, NaN or not.
            mask: of the same shapes; False removes a sample.

        Raises:
            TypeError: tensors of two frameworks, or no real numbers at all.
            ValueError: shapes that do not fit, labels that mean nothing, another task than the batches before.
        """
        self.add(self.statistics(y_true, y_pred, sample_weight, mask))

    def to_keras(self, dtype: Any = None) -> Any:
        """This metric as a `keras.metrics.Metric` that has seen nothing, for `compile`.

        Args:
            dtype: of its sums, as Keras' metrics take it.

        Raises:
            ImportError: Keras is not installed.
            ValueError: its sums grow with the data.
        """
        from ..keras.metrics import wrap  # the one adapter that metrics know, as `Loss.to_keras` does

        return wrap(self, dtype=dtype)


def _kind(sums: Sums) -> dict[str, Any]:
    """Name -> shape; arrays that are kept agree beyond their first axis."""
    return {
        name: ("kept", *value[0].shape[1:]) if isinstance(value, tuple) else value.shape for name, value in sums.items()
    }
