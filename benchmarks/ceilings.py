"""What the machine can do at best, timed beside the contenders: memory traffic, exponentials, matrix products.

Each is the least that every implementation does, into memory that is there already. `elements` counts those of y_pred
from the sizes of the case.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Arrays, Call, Contender, Rate, Role

Count = Callable[..., int]


def traffic(elements: Count, *names: str) -> Contender:
    """Reads the named inputs (one or two), all as large as y_pred, and writes one more."""

    def build(arrays: Arrays) -> Call:
        import torch

        first, *second = (torch.tensor(arrays[name]) for name in names)
        out = torch.empty_like(first)
        return Call(lambda: {"value": torch.add(first, *second, out=out) if second else out.copy_(first)})

    words = "reading both and writing one" if names[1:] else "reading and writing the logits"
    amount = 4 * (len(names) + 1) / 1e9
    return Contender(words, build, Role.CEILING, rate=Rate("GB/s", lambda **size: amount * elements(**size)))


def exponentials(elements: Count, *, numpy: bool = False) -> Contender:
    """exp of every element of y_pred, by PyTorch or by NumPy."""

    def by_torch(arrays: Arrays) -> Call:
        import torch

        x = torch.tensor(arrays["y_pred"])
        out = torch.empty_like(x)
        return Call(lambda: {"value": torch.exp(x, out=out)})

    def by_numpy(arrays: Arrays) -> Call:
        out = np.empty_like(arrays["y_pred"])
        return Call(lambda: {"value": np.exp(arrays["y_pred"], out=out)})

    rate = Rate("Gexp/s", lambda **size: elements(**size) / 1e9)
    return Contender("exp of the logits", by_numpy if numpy else by_torch, Role.CEILING, rate=rate)


def products(name: str, rate: Rate) -> Contender:
    """The three matrix products of a linear layer with N × V logits, forward and backward."""

    def build(arrays: Arrays) -> Call:
        import torch

        hidden, weight = torch.tensor(arrays["hidden"]), torch.tensor(arrays["weight"])
        logits, by_hidden, by_weight = torch.mm(hidden, weight.T), torch.empty_like(hidden), torch.empty_like(weight)

        def run() -> dict[str, Any]:
            torch.mm(hidden, weight.T, out=logits)
            torch.mm(logits, weight, out=by_hidden)
            torch.mm(logits.T, hidden, out=by_weight)
            return {"value": by_weight}

        return Call(run)

    return Contender(name, build, Role.CEILING, rate=rate)
