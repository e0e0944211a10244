"""Arrays of any framework on the host."""

from typing import Any

import numpy as np


def on_host(x: Any) -> np.ndarray[Any, Any]:
    """An eager array of any framework, on any device, as a NumPy array of its dtype."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()  # a PyTorch tensor that has a gradient or lives on an accelerator
    return np.asarray(x)
