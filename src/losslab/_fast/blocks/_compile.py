"""From a loss to the program that computes a block of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..._formula_loss import ElementLoss
from .._kept import Kept
from .._surroundings import is_own
from ._derivative import gradient
from ._lowering import lowered
from ._program import Program, scheduled
from ._trace import Node, TraceOps, UntraceableError

_REMOVED_TRUE, _REMOVED_PRED = 1.0, 0.5  # what stands in for a removed element, as in Loss

Programs = dict[Any, Program | None]

_MOST = 64  # programs of a loss: lengths of rows may be many
_MOST_GRAPHS = 1024
_OF_LOSS: Kept[Programs] = Kept(lambda loss: {})
_OF_GRAPH: Programs = {}


class _Call(NamedTuple):
    """All that a program depends on beside its formula."""

    classes: int | None
    tiny: float
    used: str | None
    scale: str
    wanted: frozenset[str]


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
    call = _Call(classes, tiny, used, scale, wanted)
    programs = _OF_LOSS.of(loss) if all(map(is_own, type(loss).__mro__[:-1])) else None
    if programs is None:  # what a formula reads may change between two calls: it is run, and only its graph is known
        return _of_formula(loss, call)
    return _remembered(programs, _MOST, call, lambda: _of_formula(loss, call))


def _of_formula(loss: Any, call: _Call) -> Program | None:
    try:
        graph = TraceOps(call.classes, call.tiny)
        y_pred = graph.input("y_pred", "element")
        values = _values(loss, graph, y_pred, call.used)
        key = (graph.key, values.index, isinstance(loss, ElementLoss), call)
        return _remembered(_OF_GRAPH, _MOST_GRAPHS, key, lambda: _compiled(graph, y_pred, values, *key[2:]))
    except Exception:  # a formula may do anything: what it does wrong, the composed form says
        return None


def _remembered(programs: Programs, most: int, key: Any, make: Callable[[], Program | None]) -> Program | None:
    if key in programs:
        return programs.get(key)  # another thread may have cleared them since: then the composed form does it
    if len(programs) >= most:
        programs.clear()
    found = programs[key] = make()
    return found


def _compiled(graph: TraceOps, x: Node, values: Node, per_element: bool, call: _Call) -> Program:
    scale, wanted = call.scale, call.wanted
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
        return _evaluated(loss, graph, y_true, y_pred)
    keep = graph.input("used", used, dtype="bool")
    y_pred = graph.where(keep, y_pred, _REMOVED_PRED)
    y_true = y_true if ids else graph.where(keep, y_true, _REMOVED_TRUE)
    values = _evaluated(loss, graph, y_true, y_pred)
    if values.level == "row":
        keep = graph.squeeze(keep)
    return graph.where(keep, values, 0.0)  # type: ignore[no-any-return]


def _evaluated(loss: Any, graph: TraceOps, y_true: Node, y_pred: Node) -> Node:
    """The formula's values, one for each element or each row, as the family asks.

    Raises:
        UntraceableError: they have another shape.
    """
    values: Node = loss.formula(graph, y_true, y_pred)
    expected = y_pred.shape if isinstance(loss, ElementLoss) else y_pred.shape[:-1]
    if values.shape != expected:
        raise UntraceableError(f"values of shape {values.shape} in place of {expected}")
    return values
