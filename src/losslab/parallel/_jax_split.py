"""JaxSplit: the classes of one device among those of a mesh axis, and what a row of their logits gives."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from .._linear._jax import scaled
from .._linear._options import RowOptions
from .._ops import Array
from .._ops._jax import JAX

_NO_LOGIT = -1e30  # of padding; finite, so that a device with nothing else has no NaN in its gradient


@dataclass(frozen=True)
class JaxSplit:
    """The classes of this device; every device holds `size` columns, those from `classes` on are padding."""

    axis_name: Any
    classes: int
    size: int
    checked: bool
    """Whether `shard_map` keeps track of what varies over the axis: its check_vma."""

    def statistics(self, logits: Array, labels: Array, options: RowOptions) -> Array:
        """(3, N), over this device's classes: the log-sum-exp; the label's logit, 0 where it is elsewhere; Σ w·u."""
        u, _ = scaled(self._but_padding(logits.astype(JAX.float_dtype(logits)), 0.0), options)
        lse = jax.nn.logsumexp(self._but_padding(u, _NO_LOGIT), axis=-1)
        target = jnp.sum(jnp.where(self._columns == labels[:, None], u, 0), axis=-1)
        return jnp.stack([lse, target, jnp.sum(self._weights(options, u) * u, axis=-1)])

    def merged(self, rows: Array, options: RowOptions) -> Array:
        """The statistics over all classes: one all_gather of 3N numbers; without label smoothing 2N, and no total."""
        sent = rows if options.label_smoothing else rows[:2]
        received = jax.lax.all_gather(sent, self.axis_name, to="invarying" if self.checked else "varying")
        others = jnp.sum(received[:, 1:], axis=0)
        return jnp.concatenate([jax.nn.logsumexp(received[:, :1], axis=0), others])

    def values(self, rows: Array, labels: Array, options: RowOptions) -> Array:
        """The loss of each row from the statistics over all classes; NaN where the label is -1."""
        lse, target, *total = rows
        smoothing = options.label_smoothing
        share = (1.0 - smoothing) * self._label_weight(options, labels, lse)
        value = (share + smoothing * options.mean_weight(self.classes)) * lse - share * target
        if smoothing:
            value = value - (smoothing / self.classes) * total[0]
        return jnp.where(labels < 0, jnp.nan, value + options.z_loss * lse**2 if options.z_loss else value)

    def slope(self, logits: Array, labels: Array, lse: Array, scale: Array, options: RowOptions) -> Array:
        """The gradient of Σ scale·value with respect to this device's logits, given lse over all classes.

        In closed form: JAX's own would hold the logits once more.
        """
        smoothing, outer = options.label_smoothing, scale / options.temperature
        share = (1.0 - smoothing) * self._label_weight(options, labels, lse)
        of_softmax = outer * (share + smoothing * options.mean_weight(self.classes) + 2.0 * options.z_loss * lse)
        u, of_softcap = scaled(self._but_padding(logits, 0.0), options)
        slope = jnp.exp(u - lse[:, None]) * of_softmax[:, None]
        slope = slope - jnp.where(self._columns == labels[:, None], (outer * share)[:, None], 0)
        if smoothing:
            slope = slope - (outer * (smoothing / self.classes))[:, None] * self._weights(options, u)
        return self._but_padding(slope if of_softcap is None else slope * of_softcap, 0.0)

    @property
    def _first(self) -> Array:
        return jax.lax.axis_index(self.axis_name) * self.size

    @property
    def _columns(self) -> Array:
        return self._first + jnp.arange(self.size)

    @property
    def _padding(self) -> int:
        columns: int = self.size * jax.lax.axis_size(self.axis_name)
        return columns - self.classes

    def _but_padding(self, x: Array, number: float) -> Array:
        return jnp.where(self._columns < self.classes, x, number) if self._padding else x

    def _weights(self, options: RowOptions, like: Array) -> Array:
        """The class weights of this device's columns."""
        if options.class_weight is None:
            return jnp.ones((), like.dtype)
        weights = jnp.asarray((*options.class_weight, *[0.0] * self._padding), like.dtype)
        return jax.lax.dynamic_slice(weights, (self._first,), (self.size,))

    def _label_weight(self, options: RowOptions, labels: Array, like: Array) -> Array:
        if options.class_weight is None:
            return jnp.ones_like(like)
        return jnp.asarray(options.class_weight, like.dtype)[jnp.maximum(labels, 0)]
