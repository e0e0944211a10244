"""The driver of JAX: a scan over chunks of tokens, which takes the gradients while the logits are there.

Forward mode and a rule for reverse mode exclude each other in JAX: `jax.jvp` of the total is refused. Of its gradient,
and of the values per token, every mode works, to any order.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

from .._ops._jax import JAX
from ._composed import of_logits
from ._drivers import Gradients
from ._options import RowOptions
from ._tokens import Tokens

Array = jax.Array

# Rows of a chunk, at least and at most, and in between the bytes that their logits may take, as on PyTorch
_CPU_ROWS, _CPU_BYTES = (256, 512), 2**25
_ACCELERATOR_ROWS, _ACCELERATOR_BYTES = (1, 4096), 2**30


class JaxDriver:
    """What `Driver` says, on JAX; compiled, because a scan outside jit compiles anew at every call."""

    def total(self, tokens: Tokens, coefficient: Array | None, options: RowOptions) -> Array:
        total: Array = _jitted_total(*_harmless(tokens, coefficient), options)
        return total

    def values(self, tokens: Tokens, options: RowOptions) -> Array:
        hidden, weight, bias, labels, _ = _harmless(tokens, None)
        values = _jitted_values(hidden, weight, bias, labels, options)
        return values if tokens.used is None else jnp.where(tokens.used, values, 0.0)

    def values_and_gradients(
        self, tokens: Tokens, coefficient: Array | None, options: RowOptions
    ) -> tuple[Array, Gradients]:
        needed = (True, True, tokens.bias is not None)
        values, gradients = _jitted_gradients(*_harmless(tokens, coefficient), options, needed)
        return values if tokens.used is None else jnp.where(tokens.used, values, 0.0), gradients


def _harmless(tokens: Tokens, coefficient: Array | None) -> tuple[Any, ...]:
    """What the scans take; a token that is not used is finite and has the coefficient 0."""
    hidden, used = tokens.hidden, tokens.used
    if coefficient is None:
        coefficient = jnp.ones(len(tokens.labels), JAX.float_dtype(hidden))
    if used is not None:
        hidden, coefficient = jnp.where(used[:, None], hidden, 0), jnp.where(used, coefficient, 0)
    return hidden, tokens.weight, tokens.bias, tokens.labels, coefficient


def _values(hidden: Array, weight: Array, bias: Array | None, labels: Array, options: RowOptions) -> Array:
    """One value per token; its derivatives compute the logits of a chunk again."""

    @jax.checkpoint
    def step(_: None, chunk: tuple[Array, Array]) -> tuple[None, Array]:
        return None, of_logits(JAX, logits_of(chunk[0], weight, bias), jnp.maximum(chunk[1], 0), options)

    values = joined(jax.lax.scan(step, None, cut(weight, hidden, labels))[1], len(labels))
    return jnp.where(labels < 0, jnp.nan, values)


def _gradients(
    hidden: Array,
    weight: Array,
    bias: Array | None,
    labels: Array,
    coefficient: Array,
    options: RowOptions,
    needed: tuple[bool, bool, bool],
) -> tuple[Array, Any]:
    """The values, and the gradients of Σ coefficient·value that are needed, sums over tokens in float32 or float64."""
    needs_hidden, needs_weight, needs_bias = needed
    dtype = coefficient.dtype

    def step(sums: Any, chunk: Any) -> Any:
        rows, ids, scale = chunk
        value, slope = _row_step(logits_of(rows, weight, bias), ids, scale, options)
        narrow = slope.astype(rows.dtype)
        d_weight, d_bias = sums
        if needs_weight:
            d_weight = d_weight + jnp.matmul(narrow.T, rows, preferred_element_type=dtype)
        if needs_bias:
            d_bias = d_bias + slope.sum(axis=0)
        return (d_weight, d_bias), (value, narrow @ weight.astype(rows.dtype) if needs_hidden else None)

    zeros = [
        jnp.zeros(x.shape, dtype) if n and x is not None else None
        for x, n in ((weight, needs_weight), (bias, needs_bias))
    ]
    sums, (values, d_hidden) = jax.lax.scan(step, tuple(zeros), cut(weight, hidden, labels, coefficient))
    return joined(values, len(labels)), (joined(d_hidden, len(labels)) if needs_hidden else None, *sums)


@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def _total(
    hidden: Array, weight: Array, bias: Array | None, labels: Array, coefficient: Array, options: RowOptions
) -> Array:
    return jnp.sum(_values(hidden, weight, bias, labels, options) * coefficient)


def _total_forward(
    hidden: Any, weight: Any, bias: Any, labels: Any, coefficient: Any, options: RowOptions
) -> tuple[Array, Any]:
    """The total; the gradients that are asked for wait for the upstream one."""
    needed = (hidden.perturbed, weight.perturbed, bias is not None and bias.perturbed)
    inputs = (hidden.value, weight.value, None if bias is None else bias.value)
    values, gradients = _gradients(*inputs, labels.value, coefficient.value, options, needed)
    dtypes = [None if x is None else jnp.zeros(0, x.dtype) for x in inputs]
    return jnp.sum(values * coefficient.value), (gradients, dtypes, values)


def _total_backward(options: RowOptions, residuals: Any, upstream: Any) -> tuple[Any, ...]:
    gradients, dtypes, values = residuals
    if isinstance(upstream, jax.custom_derivatives.SymbolicZero):
        return None, None, None, None, None
    scaled = [
        None if gradient is None else (gradient * upstream).astype(like.dtype)
        for gradient, like in zip(gradients, dtypes, strict=True)
    ]
    return *scaled, None, values * upstream


_total.defvjp(_total_forward, _total_backward, symbolic_zeros=True)


def logits_of(hidden: Array, weight: Array, bias: Array | None) -> Array:
    """In float32 or float64; the product is of the dtype of hidden."""
    logits = jnp.matmul(hidden, weight.astype(hidden.dtype).T, preferred_element_type=JAX.float_dtype(hidden))
    return logits if bias is None else logits + bias.astype(logits.dtype)


def _row_step(logits: Array, labels: Array, scale: Array, options: RowOptions) -> tuple[Array, Array]:
    """The value of each row, NaN where its label is -1, and the gradient of Σ scale·value with respect to the logits.

    In closed form: JAX's gradient of the composed one holds the logits once more, and takes a sixth longer in all.
    """
    smoothing, classes, rows = options.label_smoothing, logits.shape[1], jnp.arange(len(labels))
    known, labels = labels >= 0, jnp.maximum(labels, 0)
    scale = jnp.where(known, scale, 0.0)
    weight = jnp.asarray(1.0 if options.class_weight is None else options.class_weight, logits.dtype)
    share = (1.0 - smoothing) * (weight[labels] if weight.ndim else weight)
    mean_share = smoothing * options.mean_weight(classes)
    u, slope = scaled(logits, options)
    lse = jax.nn.logsumexp(u, axis=1)
    values = share * (lse - u[rows, labels]) + options.z_loss * jnp.square(lse)
    outer = scale / options.temperature
    gradient = jnp.exp(u - lse[:, None]) * (outer * (share + mean_share + 2.0 * options.z_loss * lse))[:, None]
    gradient = gradient.at[rows, labels].add(-outer * share)
    if smoothing:
        values = values + mean_share * lse - (smoothing / classes) * (u * weight).sum(axis=1)
        gradient = gradient - (outer * (smoothing / classes))[:, None] * weight
    return jnp.where(known, values, jnp.nan), gradient if slope is None else gradient * slope


def scaled(logits: Array, options: RowOptions) -> tuple[Array, Array | None]:
    """The logits after softcap and temperature, and the slope of the softcap."""
    if options.softcap is None:
        return logits / options.temperature, None
    tanh = jnp.tanh(logits / options.softcap)
    return tanh * (options.softcap / options.temperature), 1.0 - jnp.square(tanh)


def _most_rows(classes: int) -> int:
    cpu = jax.default_backend() == "cpu"
    (least, most), budget = (_CPU_ROWS, _CPU_BYTES) if cpu else (_ACCELERATOR_ROWS, _ACCELERATOR_BYTES)
    return min(max(budget // (4 * classes), least), most)


def cut(weight: Array, *arrays: Array) -> tuple[Array, ...]:
    """(N, …) -> (chunks, rows, …), filled up with zeros: labels and coefficients of 0 add nothing."""
    count = len(arrays[0])
    chunks = max(1, math.ceil(count / _most_rows(len(weight))))
    rows = math.ceil(count / chunks)
    missing = chunks * rows - count
    return tuple(
        jnp.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1)).reshape(chunks, rows, *x.shape[1:]) for x in arrays
    )


def joined(x: Array, count: int) -> Array:
    """(chunks, rows, …) -> (N, …)"""
    return x.reshape(-1, *x.shape[2:])[:count]


_jitted_total = jax.jit(_total, static_argnums=5)
_jitted_values = jax.jit(_values, static_argnums=4)
_jitted_gradients = jax.jit(_gradients, static_argnums=(5, 6))
