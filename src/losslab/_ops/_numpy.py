"""The vocabulary on NumPy, written on `self.xp` so that JAX shares it."""

from types import ModuleType
from typing import Any

import numpy as np

from ._base import Array, Axis, Ops

# What np.sum and np.max end in; they cost as much again to call
_sum: Any = np.add.reduce
_max: Any = np.maximum.reduce


def numpy_array(x: Any, portable: bool = False) -> np.ndarray[Any, Any]:
    """Numbers, lists and arrays as a NumPy array of real numbers; a list of floats is float64 in every framework.

    Args:
        portable: in memory that other frameworks take: contiguous, writeable, of the machine's byte order and dtypes.

    Raises:
        TypeError: text, objects, complex numbers, or an array that masks some of its values.
    """
    array = np.asarray(x)
    if array.dtype.kind == "V" and "float" in array.dtype.name:
        array = array.astype(np.float32)  # bfloat16 and float8 of the ml_dtypes package call themselves void
    if array.dtype.kind not in "fiub":
        raise TypeError(f"an array of dtype {array.dtype} holds no real numbers: give floats, integers or booleans")
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise TypeError("a masked array would lose its mask: give its data, and mask=~array.mask to the loss")
    if not portable:
        return array
    native = np.float64 if array.dtype.kind == "f" and array.dtype.itemsize > 8 else array.dtype.newbyteorder("=")
    return np.require(array, native, ["C", "W"])


class NumpyOps(Ops):
    name = "numpy"
    float32 = np.float32
    xp: ModuleType = np

    def convert(self, x: Any, like: Array = None) -> Array:
        return numpy_array(x)

    def constant(self, numbers: tuple[float, ...], like: Array) -> Array:
        return self.xp.asarray(numbers, dtype=like.dtype)

    def ids(self, x: Array) -> Array:
        return x.astype(np.int64)

    def cast(self, x: Array, dtype: Any) -> Array:
        return x.astype(dtype, copy=False)

    def float_dtype(self, x: Array) -> Any:
        return np.dtype(np.float32 if x.dtype.kind == "f" and x.dtype.itemsize < 8 else np.float64)

    def kind(self, x: Array) -> str:
        return str(x.dtype.kind)

    def look(self, x: Array) -> np.ndarray[Any, Any] | None:
        return np.asarray(x)

    def tiny(self, x: Array) -> float:
        return float(np.finfo(x.dtype).tiny)

    def stop_gradient(self, x: Array) -> Array:
        return x

    def abs(self, x: Array) -> Array:
        return self.xp.abs(x)

    def sign(self, x: Array) -> Array:
        return self.xp.sign(x)

    def sqrt(self, x: Array) -> Array:
        return self.xp.sqrt(x)

    def exp(self, x: Array) -> Array:
        return self.xp.exp(x)

    def expm1(self, x: Array) -> Array:
        return self.xp.expm1(x)

    def log(self, x: Array) -> Array:
        return self.xp.log(x)

    def log1p(self, x: Array) -> Array:
        return self.xp.log1p(x)

    def tanh(self, x: Array) -> Array:
        return self.xp.tanh(x)

    def erf(self, x: Array) -> Array:
        from scipy.special import erf  # SciPy takes as long to import as NumPy; most processes need neither of these

        return erf(x)

    def lgamma(self, x: Array) -> Array:
        from scipy.special import gammaln

        return gammaln(x)

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        return self.xp.where(condition, x, y)[()]  # a number, not an array of no axes

    def sigmoid(self, x: Array) -> Array:
        return self.exp(self.log_sigmoid(x))

    def log_sigmoid(self, x: Array) -> Array:
        return self.xp.minimum(x, 0) - self.log1p(self.exp(-self.abs(x)))

    def softmax(self, x: Array) -> Array:
        return self.exp(self.log_softmax(x))

    def log_softmax(self, x: Array) -> Array:
        below = x - self.max(x, keepdims=True)  # before the logarithm: x - logsumexp(x) loses digits at x = 1e4
        return below - self.log(self.sum(self.exp(below), keepdims=True))

    def logsumexp(self, x: Array) -> Array:
        largest = self.max(x, keepdims=True)
        return self.squeeze(largest) + self.log(self.sum(self.exp(x - largest)))

    def sum(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return _sum(x, axis=axis, keepdims=keepdims)

    def mean(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        if axis == -1 and x.ndim:
            return _sum(x, axis=-1, keepdims=keepdims) / x.shape[-1]
        return self.xp.mean(x, axis=axis, keepdims=keepdims)

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        return _max(x, axis=axis, keepdims=keepdims)

    def argmax(self, x: Array, axis: int = -1) -> Array:
        return self.xp.argmax(x, axis=axis)

    def cumsum(self, x: Array, axis: int = -1) -> Array:
        return self.xp.cumsum(x, axis=axis)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        return x[..., None] if axis == -1 else self.xp.expand_dims(x, axis)

    def squeeze(self, x: Array, axis: int = -1) -> Array:
        return self.xp.squeeze(x, axis=axis)

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        return self.xp.moveaxis(x, source, destination)

    def concatenate(self, arrays: list[Array], axis: int = -1) -> Array:
        return self.xp.concatenate(arrays, axis=axis)

    def sort(self, x: Array, axis: int = -1) -> Array:
        return self.xp.sort(x, axis=axis)

    def gather(self, x: Array, ids: Array) -> Array:
        return self.xp.take_along_axis(x, ids, axis=-1)

    def one_hot(self, ids: Array, classes: int, dtype: Any) -> Array:
        return self.cast(self.expand_dims(ids) == self.xp.arange(classes), dtype)

    def zeros_like(self, x: Array) -> Array:
        return self.xp.zeros_like(x)

    def ones_like(self, x: Array) -> Array:
        return self.xp.ones_like(x)
