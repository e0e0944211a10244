"""A whole epoch as one compiled loop."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from losslab.lab.engines.jax import Epoch, Measured, State, Step
from losslab.lab.engines.program import Examples


def epoch(step: Step) -> Epoch:
    """Compile a step into `epoch(state, examples, rows)`; `rows` (steps, batch) holds row numbers."""

    @jax.jit
    def run(state: State, examples: Examples, rows: Any) -> tuple[State, Measured]:
        def body(state: State, batch: jax.Array) -> tuple[State, Measured]:
            return step(state, examples, batch)

        state, (losses, outputs) = jax.lax.scan(body, state, rows)
        return state, Measured(jnp.mean(losses), outputs.reshape(-1, *outputs.shape[2:]))

    return run
