"""Which losses can be computed block by block."""

from typing import Any

from ..._formula_loss import ElementLoss, FormulaLoss, RowLoss
from ..._loss import Loss


def is_blockwise(loss: Any) -> bool:
    """Whether a value of the loss depends on its own element or row only, by its formula."""
    cls = type(loss)
    own = {ElementLoss: ElementLoss._values, RowLoss: Loss._values}
    return any(
        isinstance(loss, family)
        and cls._values is values
        and cls._evaluated is family._evaluated
        and cls._weighted is Loss._weighted
        and cls.formula is not FormulaLoss.formula
        for family, values in own.items()
    )
