"""Cross-entropy of logits whose classes are split over a mesh axis, inside `jax.shard_map`."""

from dataclasses import dataclass

import jax.numpy as jnp

from .._linear._options import RowOptions
from .._linear._tokens import Tokens
from .._ops import Array
from ._jax_split import JaxSplit


@dataclass(frozen=True)
class LogitsDriver:
    """What `Values` says, for logits in the place of hidden states; JAX differentiates it, to any order."""

    split: JaxSplit

    def total(self, tokens: Tokens, coefficient: Array | None, options: RowOptions) -> Array:
        found = self.values(tokens, options)
        return jnp.sum(found if coefficient is None else found * coefficient)

    def values(self, tokens: Tokens, options: RowOptions) -> Array:
        logits = tokens.hidden if tokens.used is None else jnp.where(tokens.used[:, None], tokens.hidden, 0)
        rows = self.split.merged(self.split.statistics(logits, tokens.labels, options), options)
        found = self.split.values(rows, tokens.labels, options)
        return found if tokens.used is None else jnp.where(tokens.used, found, 0)
