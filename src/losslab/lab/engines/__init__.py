"""Ways to run one epoch. Both take the same step and give the same numbers; they differ in speed.

On a CPU, XLA runs a convolution inside a loop body about 13 times slower than outside, so networks with
convolutions are stepped from Python, and the others run a whole epoch as one `lax.scan`.
"""

from __future__ import annotations

from collections.abc import Callable

from losslab.lab.engines import scan, step
from losslab.lab.engines.program import Epoch, Step

ENGINES: dict[str, Callable[[Step], Epoch]] = {"scan": scan.epoch, "step": step.epoch}


def engine_for(model: str) -> str:
    """Choose the engine for a network on the device that JAX uses."""
    import jax

    return "step" if model == "cnn" and jax.default_backend() == "cpu" else "scan"
