"""From a loss to the program that computes a block of it."""

from typing import Any

from ..._formula_loss import ElementLoss
from .._kept import Kept
from ._derivative import gradient
from ._lowering import lowered
from ._program import Program, scheduled
from ._trace import Node, TraceOps

_REMOVED_TRUE, _REMOVED_PRED = 1.0, 0.5  # what stands in for a removed element, as in Loss

_MOST = 64  # programs of a loss: lengths of rows may be many
_PROGRAMS: Kept[dict[Any, Program | None]] = Kept(lambda loss: {})


def program(
    loss: Any, classes: int | None, tiny: float, used: str | None, scale: str, wanted: frozenset[str]
) -> Program | None:
    """The program of an element or row loss, or None where its formula cannot be traced.

    Its inputs are "y_true", "y_pred", "scale" and, where it has a level, "used".

    Args:
        classes: the length of the rows; None for an element loss on flat blocks.
        used, scale: the level of that input; None for none.
        wanted: of "total" (what to sum, but for a scale that is one number), "values" (a value per row or flat
            element, without scale), "gradient" (with it).
    """
    programs = _PROGRAMS.of(loss)
    if programs is None:  # it may be another formula next time
        return _traced(loss, TraceOps(classes, tiny), used, scale, wanted)
    key = (classes, tiny, used, scale, wanted)
    if key not in programs:
        if len(programs) >= _MOST:
            programs.clear()
        programs[key] = _traced(loss, TraceOps(classes, tiny), used, scale, wanted)
    return programs[key]


def _traced(loss: Any, graph: TraceOps, used: str | None, scale: str, wanted: frozenset[str]) -> Program | None:
    try:
        return _compiled(loss, graph, used, scale, wanted)
    except Exception:  # a formula may do anything: what it does wrong, the composed form says
        return None


def _compiled(loss: Any, graph: TraceOps, used: str | None, scale: str, wanted: frozenset[str]) -> Program:
    per_element = isinstance(loss, ElementLoss)
    x = graph.input("y_pred", "element")
    values = _values(loss, graph, x, used)
    factor = graph.input("scale", scale, kept=per_element)
    outputs: dict[str, Any] = {}
    if "total" in wanted:
        outputs["total"] = values if scale == "number" else values * factor
    if "values" in wanted:
        outputs["values"] = graph.mean(values) if per_element and graph.classes is not None else values
    if "gradient" in wanted and per_element:
        outputs["gradient"] = gradient(graph, values, 1.0, x) * factor
    elif "gradient" in wanted:  # the factor enters where there is one number a row
        outputs["gradient"] = gradient(graph, values, factor, x)
    return scheduled(dict(zip(outputs, lowered(graph, list(outputs.values())), strict=True)))


def _values(loss: Any, graph: TraceOps, y_pred: Node, used: str | None) -> Node:
    """The formula's values, 0 where an input is removed: it is replaced before, so that its gradient is finite."""
    ids = loss.targets.is_id
    y_true = graph.input("y_true", "row" if ids else "element", not ids, "int" if ids else "float")
    if used is None:
        return loss.formula(graph, y_true, y_pred)  # type: ignore[no-any-return]
    keep = graph.input("used", used, dtype="bool")
    y_pred = graph.where(keep, y_pred, _REMOVED_PRED)
    y_true = y_true if ids else graph.where(keep, y_true, _REMOVED_TRUE)
    values = loss.formula(graph, y_true, y_pred)
    if values.level == "row":
        keep = graph.squeeze(keep)
    return graph.where(keep, values, 0.0)  # type: ignore[no-any-return]
