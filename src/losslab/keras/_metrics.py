"""The `keras.metrics.Metric` subclass of a losslab metric, generated from its declaration."""

from typing import Any

import keras

from losslab import metrics

from ._generated import Generated, generated
from ._mask import mask_of
from ._registered import check_free, tell_keras

_MADE: dict[type[metrics.Metric], type["KerasMetric"]] = {}


class KerasMetric(Generated, keras.metrics.Metric):  # type: ignore[misc]  # Keras has no types
    """A losslab metric as Keras knows metrics: its sums are Keras variables, made when the first batch shows their
    shapes.

    Args:
        parameters: those of the losslab class.
        core: a losslab metric, in place of its parameters.
        dtype: of the sums and the result; Keras' default float where none is given. float32 counts to 2^24.

    Attributes:
        core: the `losslab.metrics.Metric` that computes.

    Raises:
        ValueError: a metric whose state grows with the data, as the exact AUC's does.
    """

    def __init__(self, *args: Any, core: metrics.Metric | None = None, dtype: Any = None, **parameters: Any) -> None:
        core = core or self.make_core(*args, **parameters)
        if core.growing:
            raise ValueError(f"{core!r} keeps what it has seen, and Keras' state has a fixed size: {core.growing}")
        super().__init__(name=core.name, dtype=dtype)
        self.core = core
        self._sums: dict[str, Any] = {}
        self._direction = {"higher": "up", "lower": "down"}[core.better]  # for mode="auto" of Keras' callbacks

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch. `y_true` is not cast: class ids stay integers."""
        mask = mask_of(y_pred)
        statistics = self.core.statistics(y_true, keras.ops.convert_to_tensor(y_pred), sample_weight, mask)
        for name, value in statistics.items():
            if name not in self._sums:
                self._sums[name] = self.add_variable(value.shape, "zeros", dtype=self.dtype, name=name)
            self._sums[name].assign_add(keras.ops.cast(value, self.dtype))

    def result(self) -> Any:
        """The value over everything seen; NaN where it is undefined, and before the first batch."""
        if not self._sums:
            return keras.ops.cast(float("nan"), self.dtype)
        return self.core.compute({name: keras.ops.convert_to_tensor(sums) for name, sums in self._sums.items()})

    def get_config(self) -> dict[str, Any]:
        return {**self.core.get_config(), "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"losslab.keras.metrics.wrap({self.core!r})"


def wrap(metric: Any, dtype: Any = None) -> KerasMetric:
    """The Keras metric of a losslab metric, one of your own too: for `compile`, with weights, masks and saving.

    Args:
        metric: a `losslab.metrics.Metric`, or what `losslab.metrics.get` takes ("auc:num_thresholds=200", "mse").
        dtype: as in `KerasMetric`.

    Raises:
        TypeError: no metric of labels and predictions.
        ValueError: as `KerasMetric` and `metric_class`.

    >>> import losslab.keras.metrics
    >>> losslab.keras.metrics.wrap("mse")
    losslab.keras.metrics.wrap(LossMetric(loss=MeanSquaredError()))
    """
    core = metrics.get(metric)
    if not isinstance(core, metrics.Metric):
        raise TypeError(f"{metric!r} is no losslab metric of labels and predictions: give one, or its name")
    return metric_class(type(core))(core=core, dtype=dtype)


def metric_class(cls: type[metrics.Metric]) -> type[KerasMetric]:
    """The Keras class of a losslab class, made once and registered with Keras as "losslab>metrics." and its name.

    A metric of your own that is registered with `losslab.metrics.register` is known to Keras from then on.

    Raises:
        TypeError: no losslab class.
        ValueError: another class is registered under this name.
    """
    if not isinstance(cls, type) or not issubclass(cls, metrics.Metric):
        raise TypeError(f"metric_class needs a losslab.metrics.Metric class, got {cls!r}")
    if cls not in _MADE:
        name = f"metrics.{cls.__name__}"  # losses have these names too: CosineSimilarity is one of each
        check_free(metrics, cls, name)
        _MADE[cls] = tell_keras(generated(KerasMetric, cls, "losslab.keras.metrics"), name)
    return _MADE[cls]
