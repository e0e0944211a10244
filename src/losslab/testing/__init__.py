"""What every loss promises, as properties that can be checked: of the catalogue, and of a loss of one's own.

>>> import losslab.testing
>>> class Cubic(losslab.ElementLoss):
...     def formula(self, ops, y_true, y_pred):
...         return ops.abs(y_pred - y_true) ** 3
>>> losslab.testing.check_loss(Cubic())
"""

from ._case import Case, NotApplicable, close
from ._check import PROPERTIES, check_loss
from ._frameworks import FRAMEWORKS, Framework, available

__all__ = ["FRAMEWORKS", "PROPERTIES", "Case", "Framework", "NotApplicable", "available", "check_loss", "close"]
