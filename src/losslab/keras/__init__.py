"""losslab in Keras 3: every loss as a registered `keras.losses.Loss`, for `compile`.

>>> import losslab.keras
>>> losslab.keras.Huber(delta=2.0).get_config()["delta"]
2.0
"""

from typing import Any

import losslab

from . import metrics
from ._functions import register_functions
from ._losses import KerasLoss, loss_class, wrap
from ._strings import register_strings
from ._weight_functions import register_weight_functions
from ._wiring import check_wiring

__all__ = ["KerasLoss", "check_wiring", "loss_class", "metrics", "register_strings", "wrap"]


def _catalogue() -> dict[str, type[KerasLoss]]:
    """Class name -> Keras class, of every loss that `losslab.names` knows now, and of a plain function as a loss."""
    known = [*(type(losslab.get(name)) for name in losslab.names()), losslab.LossFunctionWrapper]
    return {cls.__name__: loss_class(cls) for cls in known}


# All at once and at import: Keras finds a saved loss only if its class is registered by then.
globals().update(_catalogue())
__all__ += sorted(_catalogue())
register_functions()
register_weight_functions()


def __getattr__(name: str) -> Any:
    """The class of a loss that was registered after losslab.keras was imported."""
    found = _catalogue().get(name)
    if found is None:
        raise AttributeError(f"losslab.keras has no {name!r}: no loss of this name is registered with losslab")
    return found
