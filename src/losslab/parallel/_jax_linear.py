"""Linear cross-entropy with the classes of the weight split over a mesh axis, inside `jax.shard_map`."""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._linear._jax import cut, joined, logits_of
from .._linear._options import RowOptions
from .._linear._tokens import Tokens
from .._ops import Array
from .._ops._jax import JAX
from ._jax_split import JaxSplit
from ._jax_types import axes_of, named, total_over, varied

Sums = tuple[Array, Array | None]
"""The gradients of weight and bias so far."""


class Head(NamedTuple):
    """A linear layer and its inputs."""

    hidden: Array
    """(N, D)"""
    weight: Array
    """(V_device, D)"""
    bias: Array | None
    """(V_device,)"""


class Static(NamedTuple):
    """What is known while tracing."""

    split: JaxSplit
    options: RowOptions


@dataclass(frozen=True)
class LinearDriver:
    """What `Values` says, for the rows of the weight that this device holds."""

    split: JaxSplit

    def total(self, tokens: Tokens, coefficient: Array | None, options: RowOptions) -> Array:
        scale = jnp.ones(tokens.labels.shape, JAX.float_dtype(tokens.hidden)) if coefficient is None else coefficient
        scale = scale if tokens.used is None else jnp.where(tokens.used, scale, 0)
        return _total(Static(self.split, options), *self._typed(tokens, scale))

    def values(self, tokens: Tokens, options: RowOptions) -> Array:
        head, labels, _ = self._typed(tokens, tokens.labels)
        found = _values(Static(self.split, options), head, labels)
        return found if tokens.used is None else jnp.where(tokens.used, found, 0)

    def _typed(self, tokens: Tokens, scale: Array) -> tuple[Head, Array, Array]:
        """The arrays varying over one set of axes, so that JAX sums each gradient over those that its array lacks.

        The gradient of `hidden` is so summed over the axis of the classes; labels and scale do not vary over it, nor
        do the values.
        """
        hidden = tokens.hidden if tokens.used is None else jnp.where(tokens.used[:, None], tokens.hidden, 0)
        head = Head(hidden, tokens.weight, tokens.bias)
        axes = frozenset().union(*(axes_of(x) for x in (*jax.tree.leaves(head), scale)))
        rows = axes - named(self.split.axis_name)
        return jax.tree.map(lambda x: varied(x, axes), head), varied(tokens.labels, rows), varied(scale, rows)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _total(static: Static, head: Head, labels: Array, scale: Array) -> Array:
    """Σ scale·value; the gradients are taken in the forward pass and wait for the upstream one."""
    return jnp.sum(scale * _forward(static, head, labels)[0])


def _total_forward(static: Static, head: Head, labels: Array, scale: Array) -> tuple[Array, Any]:
    found, gradients = _forward_backward(static, head, labels, scale)
    return jnp.sum(scale * found), (found, gradients, head)


def _total_backward(static: Static, kept: Any, upstream: Array) -> Any:
    found, gradients, head = kept
    upstream = _upstream(static, upstream)
    scaled = jax.tree.map(lambda gradient, x: (gradient * upstream).astype(x.dtype), gradients, head)
    return scaled, None, upstream * found


_total.defvjp(_total_forward, _total_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _values(static: Static, head: Head, labels: Array) -> Array:
    """The values of the tokens; the logits are computed again for the gradients, which differ by token."""
    return _forward(static, head, labels)[0]


def _values_forward(static: Static, head: Head, labels: Array) -> tuple[Array, Any]:
    found, lse = _forward(static, head, labels)
    return found, (head, labels, lse)


def _values_backward(static: Static, kept: Any, upstream: Array) -> Any:
    head, labels, lse = kept
    gradients = _backward(static, head, labels, lse, _upstream(static, upstream))
    return jax.tree.map(lambda gradient, x: gradient.astype(x.dtype), gradients, head), None


_values.defvjp(_values_forward, _values_backward)


def _upstream(static: Static, upstream: Array) -> Array:
    """Where shard_map keeps no track of what varies, every device comes with its share of the upstream gradient."""
    return upstream if static.split.checked else total_over(upstream, static.split.axis_name)


def _forward(static: Static, head: Head, labels: Array) -> tuple[Array, Array]:
    """The value of each token, and its log-sum-exp over all classes."""
    split, options = static

    def step(_: None, chunk: tuple[Array, ...]) -> tuple[None, tuple[Array, Array]]:
        hidden, ids = chunk
        rows = split.merged(split.statistics(logits_of(hidden, *head[1:]), ids, options), options)
        return None, (split.values(rows, ids, options), rows[0])

    _, (found, lse) = jax.lax.scan(step, None, cut(head.weight, head.hidden, labels))
    return joined(found, len(labels)), joined(lse, len(labels))


def _forward_backward(static: Static, head: Head, labels: Array, scale: Array) -> tuple[Array, Head]:
    """The values, and the gradients of Σ scale·value."""
    split, options = static

    def step(sums: Sums, chunk: tuple[Array, ...]) -> tuple[Sums, tuple[Array, Array]]:
        hidden, ids, factor = chunk
        logits = logits_of(hidden, *head[1:])
        rows = split.merged(split.statistics(logits, ids, options), options)
        sums, d_hidden = _added(sums, head, hidden, split.slope(logits, ids, rows[0], factor, options))
        return sums, (split.values(rows, ids, options), d_hidden)

    chunks = cut(head.weight, head.hidden, labels, jnp.where(labels < 0, 0, scale))
    sums, (found, d_hidden) = jax.lax.scan(step, _zeros(head), chunks)
    return joined(found, len(labels)), Head(joined(d_hidden, len(labels)), *sums)


def _backward(static: Static, head: Head, labels: Array, lse: Array, scale: Array) -> Head:
    """The gradients of Σ scale·value, the logits computed again."""
    split, options = static

    def step(sums: Sums, chunk: tuple[Array, ...]) -> tuple[Sums, Array]:
        hidden, ids, log_sum, factor = chunk
        return _added(sums, head, hidden, split.slope(logits_of(hidden, *head[1:]), ids, log_sum, factor, options))

    chunks = cut(head.weight, head.hidden, labels, lse, jnp.where(labels < 0, 0, scale))
    sums, d_hidden = jax.lax.scan(step, _zeros(head), chunks)
    return Head(joined(d_hidden, len(labels)), *sums)


def _added(sums: Sums, head: Head, hidden: Array, slope: Array) -> tuple[Sums, Array]:
    """The sums with what a chunk adds to the gradients of weight and bias, and its gradient of the hidden states."""
    d_weight, d_bias = sums
    narrow = slope.astype(hidden.dtype)
    d_weight = d_weight + jnp.matmul(narrow.T, hidden, preferred_element_type=d_weight.dtype)
    d_bias = None if d_bias is None else d_bias + slope.sum(axis=0)
    return (d_weight, d_bias), narrow @ head.weight.astype(hidden.dtype)


def _zeros(head: Head) -> Sums:
    dtype = JAX.float_dtype(head.hidden)
    weight, bias = (None if x is None else varied(jnp.zeros(x.shape, dtype), axes_of(x)) for x in head[1:])
    return weight, bias
