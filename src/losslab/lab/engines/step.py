"""An epoch as a Python loop over one compiled step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from losslab.lab.engines.program import Epoch, Examples, Measures, State, Step


def epoch(step: Step) -> Epoch:
    """Compile a step and loop over it in `epoch(state, examples, order)`; `order` (steps, batch) holds row numbers."""
    compiled = jax.jit(step, donate_argnums=0)

    def run(state: State, examples: Examples, order: Any) -> tuple[State, Measures]:
        measured = []
        for rows in order:
            state, measures = compiled(state, examples, rows)
            measured.append(measures)
        return state, Measures(*(jnp.mean(jnp.stack(values)) for values in zip(*measured, strict=True)))

    return run
