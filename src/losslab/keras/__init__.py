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
from ._registered import follow, no_attribute, registered
from ._strings import register_strings
from ._weight_functions import register_weight_functions
from ._wiring import check_wiring

__all__ = ["KerasLoss", "check_wiring", "loss_class", "metrics", "register_strings", "wrap"]


def _catalogue() -> dict[str, type[KerasLoss]]:
    """Class name -> Keras class, of every loss class that is registered now, and of a plain function as a loss."""
    return {cls.__name__: loss_class(cls) for cls in (*registered(losslab, losslab.Loss), losslab.LossFunctionWrapper)}


# All at import, and every later one when it is registered: Keras finds a saved loss only if it knows its class by then.
globals().update(_catalogue())
__all__ += sorted(_catalogue())
follow(losslab, losslab.Loss, loss_class)
follow(losslab.metrics, losslab.metrics.Metric, metrics.metric_class)
register_functions()
register_weight_functions()


def __getattr__(name: str) -> Any:
    """The class of a loss that was registered after losslab.keras was imported."""
    found = _catalogue()
    if name not in found:
        raise no_attribute("losslab.keras", name, [*found, *__all__], "loss")
    return found[name]
