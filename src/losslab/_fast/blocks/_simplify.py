"""The algebra of a graph: the same value with fewer operations."""

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._trace import Node, TraceOps


def simplified(graph: "TraceOps", op: str, args: tuple[Any, ...]) -> Any:
    """The same value with fewer operations; None where there is none. Signs move outward, into differences, and choices
    on one condition become one."""
    simplify = _SIMPLER.get(op)
    a, b = (*args, None, None)[:2]
    return None if simplify is None else simplify(graph, a, b)


def _of_neg(graph: "TraceOps", a: Any, b: None) -> Any:
    if _is(a, "neg"):
        return a.args[0]
    return graph.node("sub", a.args[1], a.args[0]) if _is(a, "sub") else None


def _of_abs(graph: "TraceOps", a: Any, b: None) -> Any:
    return graph.node("abs", a.args[0]) if _is(a, "neg") else None


def _of_add(graph: "TraceOps", a: Any, b: Any) -> Any:
    if _equals(b, 0.0) or _equals(a, 0.0):
        return a if _equals(b, 0.0) else b
    if _is(b, "neg"):
        return graph.node("sub", a, b.args[0])
    if _is(a, "neg"):
        return graph.node("sub", b, a.args[0])
    if _is(a, "mul") and _is(b, "mul") and _shared(a, b) is not None:
        return _factored(graph, "add", a, b)
    if _is(a, "where") and _is(b, "where") and a.args[0] is b.args[0]:
        return graph.where(a.args[0], a.args[1] + b.args[1], a.args[2] + b.args[2])
    return None


def _of_sub(graph: "TraceOps", a: Any, b: Any) -> Any:
    if _is(a, "mul") and _is(b, "mul") and _shared(a, b) is not None:
        return _factored(graph, "sub", a, b)
    if _equals(b, 0.0):
        return a
    if _equals(a, 0.0):
        return graph.node("neg", b)
    if _is(b, "neg"):
        return graph.node("add", a, b.args[0])
    return -graph.node("add", a.args[0], b) if _is(a, "neg") else None


def _of_mul(graph: "TraceOps", a: Any, b: Any) -> Any:
    if _equals(a, 1.0) or _equals(b, 1.0):
        return a if _equals(b, 1.0) else b
    if _equals(a, -1.0) or _equals(b, -1.0):
        return -(a if _equals(b, -1.0) else b)
    if _is_either_or_0(a) or _is_either_or_0(b):
        return _scaled(graph, a, b) if _is_either_or_0(a) else _scaled(graph, b, a)
    return _without_signs(graph, "mul", a, b)


def _of_truediv(graph: "TraceOps", a: Any, b: Any) -> Any:
    return a if _equals(b, 1.0) else _without_signs(graph, "truediv", a, b)


def _without_signs(graph: "TraceOps", op: str, a: Any, b: Any) -> Any:
    if _is(a, "neg"):
        return -graph.node(op, a.args[0], b)
    return -graph.node(op, a, b.args[0]) if _is(b, "neg") else None


def _of_power(graph: "TraceOps", a: Any, b: Any) -> Any:
    if _equals(b, 1.0):
        return a
    if _equals(b, 2.0):
        return a * a
    return 1.0 if _equals(b, 0.0) else None


def _of_minimum(graph: "TraceOps", a: Any, b: Any) -> Any:
    return -graph.node("maximum", a.args[0], 0.0) if _equals(b, 0.0) and _is(a, "neg") else None


def _of_maximum(graph: "TraceOps", a: Any, b: Any) -> Any:
    return -graph.node("minimum", a.args[0], 0.0) if _equals(b, 0.0) and _is(a, "neg") else None


_SIMPLER: dict[str, Callable[[Any, Any, Any], Any]] = {
    "neg": _of_neg,
    "abs": _of_abs,
    "add": _of_add,
    "sub": _of_sub,
    "mul": _of_mul,
    "truediv": _of_truediv,
    "pow": _of_power,
    "power": _of_power,
    "minimum": _of_minimum,
    "maximum": _of_maximum,
}


def _shared(a: "Node", b: "Node") -> Any:
    """A factor of both products, or None."""
    return next((x for x in a.args if not isinstance(x, float) and any(x is y for y in b.args)), None)


def _factored(graph: "TraceOps", op: str, a: "Node", b: "Node") -> Any:
    factor = _shared(a, b)
    rest = [other.args[1] if other.args[0] is factor else other.args[0] for other in (a, b)]
    combined = graph.node(op, *rest) if any(not isinstance(x, float) for x in rest) else getattr(operator, op)(*rest)
    return combined * factor


def _is_either_or_0(x: Any) -> bool:
    return _is(x, "where") and (_equals(x.args[1], 0.0) or _equals(x.args[2], 0.0))


def _scaled(graph: "TraceOps", choice: "Node", factor: Any) -> Any:
    """A choice between something and 0, times a factor: where it is 0, the factor may be infinite."""
    condition, x, y = choice.args
    return graph.where(condition, 0.0 if _equals(x, 0.0) else x * factor, 0.0 if _equals(y, 0.0) else y * factor)


def _equals(x: Any, number: float) -> bool:
    return isinstance(x, float) and x == number


def _is(x: Any, op: str) -> bool:
    return getattr(x, "op", None) == op
