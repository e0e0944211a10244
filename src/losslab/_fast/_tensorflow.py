"""The driver of TensorFlow: an eager call runs a function of the whole formula, in place of an operation at a time."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .._ops import Array
from .._ops._tensorflow import TENSORFLOW
from ._compiled import CompiledForm, size_of
from ._tensorflow_fused import fused, fused_values

_FEW = 64  # predictions for which tracing takes as long as a hundred calls without it
_LARGE = 1 << 18  # predictions from which XLA, which compiles for each shape anew, is worth its time
_SHAPES = 8  # for which XLA compiles a loss: batches of ever new lengths take the graph
_MOST_KEPT = 1024

Function = Callable[..., Any]


class _Functions:
    """A form of one loss, compiled by XLA for large arrays on a CPU, and as a graph for any."""

    def __init__(self, form: Function, loss: Any) -> None:
        def function(*arrays: Any) -> Any:
            return form(loss, *arrays)

        self._graph = tf.function(function, autograph=False, reduce_retracing=True)
        self._xla = tf.function(function, autograph=False, jit_compile=True)
        self._compiled: set[Any] = set()
        self._concrete: dict[Any, Function] = {}  # finding the function for its arguments costs TensorFlow 100 us

    def __call__(self, *arrays: Any) -> Any:
        key = _signature(arrays)
        function = self._concrete.get(key) or self._begin(key, arrays)
        try:
            return function(*arrays)
        except tf.errors.OpError:
            if key not in self._compiled:
                raise
        self._concrete[key] = self._graph.get_concrete_function(*arrays)  # XLA lacks an operation
        return self._concrete[key](*arrays)

    def _begin(self, key: Any, arrays: tuple[Any, ...]) -> Function:
        suits_xla = size_of(arrays[1]) >= _LARGE and "CPU" in arrays[1].device and len(self._compiled) < _SHAPES
        function: Function = (self._xla if suits_xla else self._graph).get_concrete_function(*arrays)
        if suits_xla:
            self._compiled.add(key)
        if len(self._concrete) < _MOST_KEPT:
            self._concrete[key] = function
        return function


def _signature(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a function is made for; the device is that of the predictions."""
    *given, data = arrays
    types = tuple(x if x is None else (x.dtype, tuple(x.shape)) for x in (*given, *data.values()))
    return arrays[1].device, types, tuple(data)


def _form(composed: Function, least: int) -> CompiledForm:
    return CompiledForm(composed, lambda loss: _Functions(composed, loss), TENSORFLOW.convert, TENSORFLOW.look, least)


def _reduced(loss: Any, *given: Any) -> Array:
    return loss._composed(TENSORFLOW, *given)


def _per_sample(loss: Any, *given: Any) -> Array:
    return loss._composed_per_sample(TENSORFLOW, *given)


def _value_and_grad(loss: Any, y_true: Any, y_pred: Any, *options: Any) -> tuple[Array, Array]:
    y_pred = TENSORFLOW.convert(y_pred)
    if TENSORFLOW.kind(y_pred) != "f":
        y_pred = TENSORFLOW.cast(y_pred, TENSORFLOW.float_dtype(y_pred))
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss._composed(TENSORFLOW, y_true, y_pred, *options)
    return value, tape.gradient(value, y_pred, unconnected_gradients=tf.UnconnectedGradients.ZERO)


class TensorflowDriver:
    def __init__(self, few: int = _FEW) -> None:
        self._reduced = _form(_reduced, few)
        self._per_sample = _form(_per_sample, few)
        self._gradient = _form(_value_and_grad, 1)

    def reduced(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> Array | None:
        if not tf.executing_eagerly():
            return None
        if weight is None and mask is None and normalizer is None and 0 < size_of(y_pred) < _LARGE:
            value = fused(loss, y_true, y_pred)
            if value is not None:
                return value
        return self._reduced(loss, y_true, y_pred, weight, mask, normalizer, data)

    def per_sample(self, loss: Any, y_true: Any, y_pred: Any, data: dict[str, Any]) -> Array | None:
        if not tf.executing_eagerly():
            return None
        values = fused_values(loss, y_true, y_pred) if 0 < size_of(y_pred) < _LARGE else None
        return self._per_sample(loss, y_true, y_pred, data) if values is None else values

    def value_and_grad(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> tuple[Array, Array]:
        given = (loss, y_true, y_pred, weight, mask, normalizer, data)
        result = self._gradient(*given) if tf.executing_eagerly() else None
        return _value_and_grad(*given) if result is None else result


DRIVER = TensorflowDriver()
