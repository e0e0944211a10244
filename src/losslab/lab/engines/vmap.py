"""Several runs of one loss as one compiled program: sixteen small networks hardly keep a GPU busier than one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

import losslab
from losslab.lab.engines import scan
from losslab.lab.engines.jax import JaxProgram, State
from losslab.lab.engines.program import EVALUATION_BATCH, Examples
from losslab.lab.network import Network


class VmapProgram(JaxProgram):
    """A network under one loss, for one run as `scan` trains it, or for a pack of them, each a member.

    Members differ in seed and learning rate. No number of one enters another's: one that diverges harms nobody.
    """

    def __init__(self, network: Network, optimizer_name: str, loss: losslab.Loss) -> None:
        super().__init__(network, optimizer_name, loss, scan.epoch)
        self._epochs = jax.jit(jax.vmap(self._epoch, in_axes=(0, None, 0)))
        self._predictions = jax.jit(jax.vmap(self._predict))
        self._values = jax.jit(jax.vmap(self._value))

    def initials(self, seeds: list[int], rates: list[float]) -> State:
        """Return the state of untrained members, one for every pair of a seed and a rate."""
        states = [self.initial(seed, rate) for seed, rate in zip(seeds, rates, strict=True)]
        together: State = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        return together

    def epochs(self, state: State, examples: Examples, rows: Any) -> tuple[State, Any, Any]:
        """Take the steps of an epoch in every member.

        Args:
            state: of all members.
            examples: those of all members, on end.
            rows: (members, steps, batch), row numbers in `examples`.

        Returns:
            The new state; the mean of each member's losses; the outputs (members, rows, ...).
        """
        state, measured = self._epochs(state, examples, rows)
        return state, measured.loss, measured.outputs

    def predictions(self, state: State, x: Any, of: Any) -> Any:
        """Return every member's outputs (members, N, ...) for its own inputs, which are `x[of[member]]`."""
        starts = range(0, x.shape[1], EVALUATION_BATCH)
        found = [self._predictions(state, x[of, start : start + EVALUATION_BATCH]) for start in starts]
        return jnp.concatenate(found, axis=1)

    def losses(self, outputs: Any, y: Any, of: Any) -> Any:
        """Return the loss of every member's outputs against its own labels."""
        return self._values(outputs, y[of])
