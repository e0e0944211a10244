"""Ways to train. All take the same steps and give the same numbers; they differ in speed.

On a CPU, XLA runs a convolution inside a loop body about 13 times slower than outside, so networks with
convolutions are stepped from Python, and the others run a whole epoch as one `lax.scan`.
"""

from __future__ import annotations

from collections.abc import Callable

import losslab
from losslab.lab.engines.program import Program
from losslab.lab.network import Network

Engine = Callable[[Network, str, losslab.Loss], Program]
"""(network, optimizer's name, loss) -> program. What an engine needs is imported when it is called."""


def _scan(network: Network, optimizer_name: str, loss: losslab.Loss) -> Program:
    from losslab.lab.engines import jax, scan

    return jax.JaxProgram(network, optimizer_name, loss, scan.epoch)


def _step(network: Network, optimizer_name: str, loss: losslab.Loss) -> Program:
    from losslab.lab.engines import jax, step

    return jax.JaxProgram(network, optimizer_name, loss, step.epoch)


ENGINES: dict[str, Engine] = {"scan": _scan, "step": _step}


def engine_for(model: str) -> str:
    """Choose the engine for a network on the device that JAX uses."""
    import jax

    return "step" if model in ("cnn", "unet") and jax.default_backend() == "cpu" else "scan"
