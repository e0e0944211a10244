"""The driver of JAX: a jitted function for each loss, in place of a dispatch for every operation of its formula."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._ops import Array
from .._ops._jax import JAX
from ._compiled import CompiledForm
from ._jax_blocks import pays, total, value_and_slope
from ._jax_rows import ROWS

_FEW = 64  # predictions for which compiling takes as long as a hundred calls without it


def _form(composed: Callable[..., Any], jittable: Callable[..., Any], word: str, least: int) -> CompiledForm:
    """JAX compiles it for the shapes that it meets; inside another transformation it becomes a part of that."""

    def jitted(loss: Any) -> Callable[..., Any]:
        def function(*arrays: Any) -> Any:
            return jittable(loss, *arrays)

        function.__name__ = f"{loss.name}_{word}"  # for profiles
        return jax.jit(function)

    return CompiledForm(composed, jitted, _array, _look, least)


def _array(x: Any) -> Array:
    """What is no array of JAX stays one of NumPy: the jitted call takes it over faster than a call before it."""
    return JAX.convert(x) if isinstance(x, jax.Array) else JAX.on_host(x)


def _look(x: Array) -> Any:
    return x if isinstance(x, np.ndarray) else JAX.look(x)


def _composed(loss: Any, *given: Any) -> Array:
    return loss._composed(ROWS, *given)


def _composed_per_sample(loss: Any, *given: Any) -> Array:
    return loss._composed_per_sample(ROWS, *given)


def _reduced(loss: Any, *given: Any) -> Array:
    return total(loss, *given[:-1]) if pays(loss, *given) else loss._composed(ROWS, *given)


def _value_and_grad(loss: Any, y_true: Any, y_pred: Any, *options: Any) -> tuple[Array, Array]:
    def summed(y_pred: Array) -> tuple[Array, Array]:
        value = loss._composed(ROWS, y_true, y_pred, *options)
        return value if value.ndim == 0 else jnp.sum(value), value

    (_, value), gradient = jax.value_and_grad(summed, has_aux=True)(_as_floats(y_pred))
    return value, gradient


def _value_and_grad_in_blocks(loss: Any, y_true: Any, y_pred: Any, *options: Any) -> tuple[Array, Array]:
    y_pred = _as_floats(y_pred)
    if pays(loss, y_true, y_pred, *options):
        return value_and_slope(loss, y_true, y_pred, *options[:-1])
    return _value_and_grad(loss, y_true, y_pred, *options)


def _as_floats(y_pred: Any) -> Array:
    y_pred = JAX.convert(y_pred)
    return y_pred if JAX.kind(y_pred) == "f" else JAX.cast(y_pred, JAX.float_dtype(y_pred))


class JaxDriver:
    def __init__(self, few: int = _FEW) -> None:
        self._reduced = _form(_composed, _reduced, "loss", few)
        self._per_sample = _form(_composed_per_sample, _composed_per_sample, "values", few)
        self._gradient = _form(_value_and_grad, _value_and_grad_in_blocks, "gradient", 1)

    def reduced(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> Array | None:
        return self._reduced(loss, y_true, y_pred, weight, mask, normalizer, data)

    def per_sample(self, loss: Any, y_true: Any, y_pred: Any, data: dict[str, Any]) -> Array | None:
        return self._per_sample(loss, y_true, y_pred, data)

    def value_and_grad(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> tuple[Array, Array]:
        given = (loss, y_true, y_pred, weight, mask, normalizer, data)
        result: tuple[Array, Array] | None = self._gradient(*given)
        return _value_and_grad(*given) if result is None else result


DRIVER = JaxDriver()
