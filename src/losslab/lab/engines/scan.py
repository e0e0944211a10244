"""A whole epoch as one compiled loop."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from losslab.lab.engines.program import Epoch, Examples, Measures, State, Step


def epoch(step: Step) -> Epoch:
    """Compile a step into `epoch(state, examples, order)`; `order` (steps, batch) holds row numbers."""

    @jax.jit
    def run(state: State, examples: Examples, order: Any) -> tuple[State, Measures]:
        def body(state: State, rows: jax.Array) -> tuple[State, Measures]:
            return step(state, examples, rows)

        state, measures = jax.lax.scan(body, state, order)
        return state, Measures(*(jnp.mean(values) for values in measures))

    return run
