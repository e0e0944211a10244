"""What a check needs of a framework: arrays in and out, gradients, compilation."""

import contextlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import numpy as np

Values = np.ndarray[Any, Any]
Call = Callable[..., Any]


class Framework:
    """NumPy: no gradients, nothing to compile."""

    name: ClassVar[str] = "numpy"
    differentiates: ClassVar[bool] = False
    compiles: ClassVar[bool] = False
    half: ClassVar[tuple[str, ...]] = ("float16",)

    def array(self, x: Values) -> Any:
        return np.array(x)

    def numpy(self, x: Any) -> Values:
        return np.asarray(x)

    def cast(self, x: Any, dtype: str) -> Any:
        return x.astype(dtype)

    def dtype(self, x: Any) -> str:
        return str(x.dtype)

    def gradient(self, function: Call, x: Any) -> Values:
        """The gradient of a scalar function at the array `x`."""
        raise NotImplementedError("NumPy has no gradients")

    def compiled(self, function: Call) -> Call:
        return function

    def mapped(self, function: Call) -> Call | None:
        """`function` over the first axis of its arguments (vmap); None where there is no such thing."""
        return None

    def precision(self, dtype: str) -> AbstractContextManager[Any]:
        """A context in which the dtype exists."""
        return contextlib.nullcontext()


class Torch(Framework):
    name = "torch"
    differentiates = True
    compiles = True
    half = ("float16", "bfloat16")

    def array(self, x: Values) -> Any:
        import torch

        return torch.tensor(x)

    def numpy(self, x: Any) -> Values:
        values: Values = x.detach().numpy()
        return values

    def cast(self, x: Any, dtype: str) -> Any:
        import torch

        return x.to(getattr(torch, dtype))

    def dtype(self, x: Any) -> str:
        return str(x.dtype).removeprefix("torch.")

    def gradient(self, function: Call, x: Any) -> Values:
        x = x.clone().requires_grad_(True)
        function(x).backward()
        return self.numpy(x.grad)

    def compiled(self, function: Call) -> Call:
        import torch

        torch.compiler.reset()  # the compiled variants of one code object are limited, and all losses share theirs
        # aot_eager traces forward and backward as a whole, as every backend does, and skips the C++ compiler
        compiled: Call = torch.compile(function, fullgraph=True, backend="aot_eager")
        return compiled

    def mapped(self, function: Call) -> Call | None:
        import torch

        mapped: Call = torch.func.vmap(function)
        return mapped


class Jax(Framework):
    name = "jax"
    differentiates = True
    compiles = True
    half = ("float16", "bfloat16")

    def array(self, x: Values) -> Any:
        import jax.numpy as jnp

        return jnp.asarray(x)

    def gradient(self, function: Call, x: Any) -> Values:
        import jax

        return np.asarray(jax.grad(function)(x))

    def compiled(self, function: Call) -> Call:
        import jax

        compiled: Call = jax.jit(function)
        return compiled

    def mapped(self, function: Call) -> Call | None:
        import jax

        mapped: Call = jax.vmap(function)
        return mapped

    def precision(self, dtype: str) -> AbstractContextManager[Any]:
        import jax

        context: AbstractContextManager[Any] = jax.enable_x64(dtype == "float64")
        return context


class Tensorflow(Framework):
    name = "tensorflow"
    differentiates = True
    compiles = True
    half = ("float16", "bfloat16")

    def array(self, x: Values) -> Any:
        import tensorflow as tf

        return tf.constant(x)

    def numpy(self, x: Any) -> Values:
        values: Values = np.asarray(x.numpy())
        return values

    def cast(self, x: Any, dtype: str) -> Any:
        import tensorflow as tf

        return tf.cast(x, dtype)

    def dtype(self, x: Any) -> str:
        return str(x.dtype.name)

    def gradient(self, function: Call, x: Any) -> Values:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return self.numpy(tape.gradient(value, x))

    def compiled(self, function: Call) -> Call:
        import tensorflow as tf

        compiled: Call = tf.function(function)
        return compiled


FRAMEWORKS: dict[str, Framework] = {each.name: each for each in (Framework(), Torch(), Jax(), Tensorflow())}


def available() -> list[str]:
    """NumPy and the frameworks that this process has imported; others are never imported here."""
    return [name for name in FRAMEWORKS if name in sys.modules]
