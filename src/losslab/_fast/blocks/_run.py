"""A plan with the program that carries it out, its arrays cut into blocks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._formula_loss import ElementLoss
from ._compile import program
from ._layout import Layout, layout_of
from ._plan import Plan
from ._program import Program

Values = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Run:
    """A program and its inputs.

    Attributes:
        numbers, arrays: name -> input; the arrays in the shape that `layout` gives them.
        factor: to be multiplied to the total.
        shape, axis: of the predictions in memory, and of their rows.
    """

    program: Program
    layout: Layout
    arrays: dict[str, Values]
    numbers: dict[str, float]
    factor: float
    shape: tuple[int, ...]
    axis: int

    def with_room_for(self, name: str, shape: tuple[int, ...], level: str) -> Values:
        """An array for an output, of that shape; `total` writes it."""
        room: Values = np.empty(shape, self.arrays["y_pred"].dtype)
        self.arrays[name] = room.reshape(self.layout.shape(level))
        return room


def run_of(loss: Any, plan: Plan, *wanted: str) -> Run | None:
    """What has to be run for a plan; None where the formula cannot be traced."""
    shape, axis = _in_memory(loss, plan)
    flat = isinstance(loss, ElementLoss) and _is_flat(plan, "values" in wanted)
    layout = layout_of(shape, None if flat else axis)
    used = None if plan.used is None else _level(plan.used, plan, flat)
    scale = "number" if isinstance(plan.scale, float) else _level(plan.scale, plan, flat)
    tiny = float(np.finfo(plan.y_pred.dtype).tiny)
    compiled = program(loss, layout.classes, tiny, used, scale, frozenset(wanted))
    if compiled is None:
        return None
    arrays = {"y_pred": (plan.y_pred, "element"), "y_true": (plan.y_true, "row" if loss.targets.is_id else "element")}
    if plan.used is not None and used is not None:
        arrays["used"] = plan.used, used
    if scale != "number":
        arrays["scale"] = plan.scale, scale
    cut = {name: _cut(x, level, plan, axis, layout) for name, (x, level) in arrays.items()}
    number = plan.scale if scale == "number" else 1.0
    return Run(compiled, layout, cut, {"scale": number}, number, shape, axis)


def _in_memory(loss: Any, plan: Plan) -> tuple[tuple[int, ...], int]:
    """The shape of the predictions as they came, and the axis of their rows."""
    *leading, last = plan.y_pred.shape
    axis = loss._class_axis % (len(leading) + 1)
    leading.insert(axis, last)
    return tuple(leading), axis


def _is_flat(plan: Plan, per_sample: bool) -> bool:
    """Whether no number belongs to a whole row: neither a weight nor a value that is asked for."""
    if len(plan.shape) == plan.y_pred.ndim:
        return True
    return isinstance(plan.scale, float) and not per_sample and (plan.used is None or plan.used.ndim > len(plan.shape))


def _level(x: Values, plan: Plan, flat: bool) -> str:
    return "element" if flat or x.ndim > len(plan.shape) else "row"


def _cut(x: Values, level: str, plan: Plan, axis: int, layout: Layout) -> Values:
    if level == "element" and x.ndim == plan.y_pred.ndim:
        x = np.moveaxis(x, -1, axis)
    elif x.shape != plan.shape:
        x = np.broadcast_to(x, plan.shape)
    return x.reshape(layout.shape(level))
