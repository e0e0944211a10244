"""The vocabulary on TensorFlow, eager and inside tf.function."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ._base import Array, Axis, Ops
from ._numpy import numpy_array


class TensorflowOps(Ops):
    name = "tensorflow"
    float32 = tf.float32

    def convert(self, x: Any, like: Array = None) -> Array:
        tensor = tf.convert_to_tensor(
            x if tf.is_tensor(x) or isinstance(x, tf.Variable) else numpy_array(x, portable=True)
        )
        if not (tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_bool):
            raise TypeError(f"a tensor of dtype {tensor.dtype.name} holds no real numbers: give floats or integers")
        return tensor

    def constant(self, numbers: tuple[float, ...], like: Array) -> Array:
        return tf.constant(numbers, dtype=like.dtype)

    def ids(self, x: Array) -> Array:
        return tf.cast(x, tf.int64)

    def cast(self, x: Array, dtype: Any) -> Array:
        return tf.cast(x, dtype)

    def float_dtype(self, x: Array) -> Any:
        return tf.float64 if x.dtype == tf.float64 else tf.float32

    def kind(self, x: Array) -> str:
        if x.dtype.is_floating:
            return "f"
        return "b" if x.dtype.is_bool else "i"

    def shape(self, x: Array) -> tuple[int | None, ...]:
        if x.shape.rank is None:
            raise ValueError("a tensor of unknown rank has no last axis: name its shape with tf.ensure_shape first")
        return tuple(x.shape)

    def size(self, x: Array) -> Any:
        return x.shape.num_elements() if x.shape.is_fully_defined() else tf.size(x)

    def length(self, x: Array) -> Any:
        return tf.shape(x, out_type=tf.int64)[-1] if x.shape[-1] is None else x.shape[-1]

    def agreed(self, x: Array, y: Array, axes: int, message: str) -> Array:
        if x.shape[:axes].is_fully_defined() and y.shape[:axes].is_fully_defined():
            return x
        with tf.control_dependencies([tf.debugging.assert_equal(tf.shape(x)[:axes], tf.shape(y)[:axes], message)]):
            return tf.identity(x)

    def look(self, x: Array) -> np.ndarray[Any, Any] | None:
        if not tf.executing_eagerly() or not hasattr(x, "numpy") or "CPU" not in x.device:
            return None
        values: np.ndarray[Any, Any] = np.asarray(x.numpy())
        return values

    def tiny(self, x: Array) -> float:
        return float(np.finfo(x.dtype.as_numpy_dtype).tiny)

    def stop_gradient(self, x: Array) -> Array:
        return tf.stop_gradient(x)

    def abs(self, x: Array) -> Array:
        return tf.abs(x)

    def sign(self, x: Array) -> Array:
        return tf.sign(x)

    def sqrt(self, x: Array) -> Array:
        return tf.sqrt(x)

    def exp(self, x: Array) -> Array:
        return tf.exp(x)

    def expm1(self, x: Array) -> Array:
        return tf.math.expm1(x)

    def log(self, x: Array) -> Array:
        return tf.math.log(x)

    def log1p(self, x: Array) -> Array:
        return tf.math.log1p(x)

    def tanh(self, x: Array) -> Array:
        return tf.tanh(x)

    def erf(self, x: Array) -> Array:
        return tf.math.erf(x)

    def lgamma(self, x: Array) -> Array:
        return tf.math.lgamma(x)

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        # tf.where makes every Python number a float32, whatever stands on the other side
        if not tf.is_tensor(x):
            x = tf.convert_to_tensor(x, y.dtype) if tf.is_tensor(y) else tf.convert_to_tensor(x)
        return tf.where(condition, x, tf.convert_to_tensor(y, x.dtype))

    def sigmoid(self, x: Array) -> Array:
        return tf.sigmoid(x)

    def log_sigmoid(self, x: Array) -> Array:
        return tf.math.log_sigmoid(x)

    def softmax(self, x: Array) -> Array:
        return tf.nn.softmax(x, axis=-1)

    def log_softmax(self, x: Array) -> Array:
        return tf.nn.log_softmax(x, axis=-1)

    def logsumexp(self, x: Array) -> Array:
        return tf.reduce_logsumexp(x, axis=-1)

    def sum(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return tf.reduce_sum(x, axis=axis, keepdims=keepdims)

    def mean(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return tf.reduce_mean(x, axis=axis, keepdims=keepdims)

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        return tf.reduce_max(x, axis=axis, keepdims=keepdims)

    def argmax(self, x: Array, axis: int = -1) -> Array:
        return tf.argmax(x, axis=axis)

    def cumsum(self, x: Array, axis: int = -1) -> Array:
        return tf.cumsum(x, axis=axis)

    def reshape(self, x: Array, shape: tuple[int, ...]) -> Array:
        return tf.reshape(x, shape)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        return tf.expand_dims(x, axis)

    def squeeze(self, x: Array, axis: int = -1) -> Array:
        return tf.squeeze(x, axis)

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        order = list(range(x.shape.rank))
        order.insert(destination % x.shape.rank, order.pop(source))
        return tf.transpose(x, order)

    def concatenate(self, arrays: list[Array], axis: int = -1) -> Array:
        return tf.concat(arrays, axis=axis)

    def sort(self, x: Array, axis: int = -1) -> Array:
        return tf.sort(x, axis=axis)

    def gather(self, x: Array, ids: Array) -> Array:
        return tf.gather(x, ids, batch_dims=x.shape.rank - 1)

    def scan(
        self, step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...], steps: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        last: tuple[Array, ...] = tf.foldl(step, steps, initializer=state)
        return last

    def one_hot(self, ids: Array, classes: int, dtype: Any) -> Array:
        return tf.one_hot(ids, tf.cast(classes, tf.int32), dtype=dtype)  # a length of unknown size is an int64

    def zeros_like(self, x: Array) -> Array:
        return tf.zeros_like(x)

    def ones_like(self, x: Array) -> Array:
        return tf.ones_like(x)


TENSORFLOW = TensorflowOps()
