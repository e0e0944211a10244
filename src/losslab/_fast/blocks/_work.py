"""An element or row loss on the arrays of one call, ready to be computed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._plan import Plan, planned
from ._run import Run, run_of
from ._worker import total

Values = np.ndarray[Any, Any]


@dataclass(frozen=True)
class BlockWork:
    """The reduced loss in blocks."""

    loss: Any
    plan: Plan
    run: Run
    """Of value and gradient."""

    def value(self) -> float:
        run = run_of(self.loss, self.plan, "total")
        return self.value_and_gradient()[0] if run is None else total(run)

    def value_and_gradient(self) -> tuple[float, Values]:
        """The gradient with respect to y_pred as it lies in memory."""
        gradient = self.run.with_room_for("gradient", self.run.shape, "element")
        return total(self.run), gradient

    def per_sample(self) -> Values | None:
        """A value per sample, unweighted; None where that is a mean over a part of its row."""
        run = None if self.plan.leaves_part_of_rows else run_of(self.loss, self.plan, "values")
        if run is None:
            return None
        values = run.with_room_for("values", self.plan.shape, "row")
        total(run)
        return values


def block_work(loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any) -> BlockWork | None:
    """The work of a call; None where there is nothing to do, or the formula cannot be traced."""
    plan = planned(loss, y_true, y_pred, weight, mask, normalizer)
    run = None if plan is None else run_of(loss, plan, "total", "gradient")
    return None if plan is None or run is None else BlockWork(loss, plan, run)
