"""The vocabulary on JAX: NumPy's, and what JAX does its own way."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._base import Array, Axis
from ._numpy import NumpyOps, numpy_array


class JaxOps(NumpyOps):
    name = "jax"
    xp = jnp

    def convert(self, x: Any, like: Array = None) -> Array:
        if isinstance(x, jax.Array):
            if jnp.issubdtype(x.dtype, jnp.complexfloating):
                raise TypeError(f"an array of dtype {x.dtype} holds no real numbers: give its real part or its modulus")
            return x
        return jnp.asarray(self.on_host(x))

    def on_host(self, x: Any) -> np.ndarray[Any, Any]:
        """Numbers, lists and NumPy arrays as a NumPy array that JAX takes over with its values unchanged."""
        array = numpy_array(x, portable=True)
        if array.dtype.kind in "iu" and array.size and jnp.result_type(int) == np.int32:
            limits = np.iinfo(np.int32)
            if array.min() < limits.min or array.max() > limits.max:
                array = array.astype(np.float32)  # 32-bit JAX would wrap 2**32 + 1 to 1
        return array

    def ids(self, x: Array) -> Array:
        return x.astype(jnp.result_type(int))  # int32, unless JAX is set to 64 bits

    def float_dtype(self, x: Array) -> Any:
        if jnp.issubdtype(x.dtype, jnp.floating):
            return jnp.promote_types(x.dtype, jnp.float32)  # half precision and float8 become float32
        return jnp.result_type(float)

    def kind(self, x: Array) -> str:
        return "f" if jnp.issubdtype(x.dtype, jnp.floating) else str(x.dtype.kind)

    def size(self, x: Array) -> Any:
        size = super().size(x)
        return size if isinstance(size, int) else jnp.asarray(size)  # a symbolic dimension of jax.export

    def look(self, x: Array) -> np.ndarray[Any, Any] | None:
        if isinstance(x, jax.core.Tracer) or any(device.platform != "cpu" for device in x.devices()):
            return None
        return np.asarray(x)

    def stop_gradient(self, x: Array) -> Array:
        return jax.lax.stop_gradient(x)

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        return jnp.where(condition, x, y)

    def abs(self, x: Array) -> Array:
        return x * jax.lax.stop_gradient(jnp.sign(x))  # JAX' own has slope 1 at 0

    def erf(self, x: Array) -> Array:
        return jax.scipy.special.erf(x)

    def lgamma(self, x: Array) -> Array:
        return jax.scipy.special.gammaln(x)

    def sigmoid(self, x: Array) -> Array:
        return jax.nn.sigmoid(x)

    def log_sigmoid(self, x: Array) -> Array:
        return jax.nn.log_sigmoid(x)

    def softmax(self, x: Array) -> Array:
        return jax.nn.softmax(x, axis=-1)

    def log_softmax(self, x: Array) -> Array:
        return jax.nn.log_softmax(x, axis=-1)

    def logsumexp(self, x: Array) -> Array:
        return jax.nn.logsumexp(x, axis=-1)

    def gather(self, x: Array, ids: Array) -> Array:
        if jax.typeof(x).sharding.spec[-1:] in ((), (None,)):
            return super().gather(x, ids)
        # A last axis that is split over devices by its type: JAX refuses to gather along it, but not to sum along it
        numbers = jnp.arange(x.shape[-1], dtype=ids.dtype)
        return jnp.sum(jnp.where(ids[..., None] == numbers, x[..., None, :], 0), axis=-1)

    def sum(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return jnp.sum(x, axis=axis, keepdims=keepdims)

    def mean(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return jnp.mean(x, axis=axis, keepdims=keepdims)

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        return jnp.max(x, axis=axis, keepdims=keepdims)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        return jnp.expand_dims(x, axis)

    def scan(
        self, step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...], steps: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        if not any(isinstance(x, jax.core.Tracer) for x in (*state, *steps)):
            return super().scan(step, state, steps)  # outside jit, lax.scan compiles anew at every call
        last, _ = jax.lax.scan(lambda before, slices: (step(before, slices), None), state, steps)
        return last


JAX = JaxOps()
