"""Ways to train. All take the same steps and give the same numbers; they differ in speed and in what they train."""

from __future__ import annotations

from collections.abc import Callable

import losslab
from losslab.lab.backend import KERAS_BACKENDS, use_keras, use_torch
from losslab.lab.engines.program import Program
from losslab.lab.network import Network

Engine = Callable[[Network, str, losslab.Loss], Program]
"""(network, optimizer's name, loss) -> program. What an engine needs is imported when it is called."""


def _scan(network: Network, optimizer_name: str, loss: losslab.Loss) -> Program:
    use_keras("jax")
    from losslab.lab.engines import jax, scan

    return jax.JaxProgram(network, optimizer_name, loss, scan.epoch)


def _step(network: Network, optimizer_name: str, loss: losslab.Loss) -> Program:
    use_keras("jax")
    from losslab.lab.engines import jax, step

    return jax.JaxProgram(network, optimizer_name, loss, step.epoch)


def _vmap(network: Network, optimizer_name: str, loss: losslab.Loss) -> Program:
    use_keras("jax")
    from losslab.lab.engines.vmap import VmapProgram

    return VmapProgram(network, optimizer_name, loss)


def _fit_on(backend: str) -> Engine:
    def fit(network: Network, optimizer_name: str, loss: losslab.Loss) -> Program:
        use_keras(backend)
        from losslab.lab.engines.fit import FitProgram

        return FitProgram(network, optimizer_name, loss)

    return fit


def _torch(network: Network, optimizer_name: str, loss: losslab.Loss) -> Program:
    use_torch()
    from losslab.lab.engines.torch import TorchProgram

    return TorchProgram(network, optimizer_name, loss)


ENGINES: dict[str, Engine] = {
    "scan": _scan,
    "step": _step,
    "vmap": _vmap,
    "torch": _torch,
    **{f"fit:{backend}": _fit_on(backend) for backend in KERAS_BACKENDS},
}
