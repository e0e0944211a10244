"""An epoch as a Python loop over one compiled step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from losslab.lab.engines.jax import Epoch, Measured, State, Step
from losslab.lab.engines.program import Examples


def epoch(step: Step) -> Epoch:
    """Compile a step and loop over it in `epoch(state, examples, rows)`; `rows` (steps, batch) holds row numbers."""
    compiled = jax.jit(step, donate_argnums=0)

    def run(state: State, examples: Examples, rows: Any) -> tuple[State, Measured]:
        losses, outputs = [], []
        for batch in rows:
            state, measured = compiled(state, examples, batch)
            losses.append(measured.loss)
            outputs.append(measured.outputs)
        return state, Measured(jnp.mean(jnp.stack(losses)), jnp.concatenate(outputs))

    return run
