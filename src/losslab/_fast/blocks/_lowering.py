"""A graph in terms of what a framework computes fast in one pass, with transcendental functions shared.

The sigmoid, its logarithm and those of -x all come from exp(-|x|): one exponential where the formula wrote four. A
selection works on the numbers' bits: choosing by a branch costs more than an exponential where no branch can be
predicted. Powers are products and roots where they can be: the general power costs twenty times as much.
"""

from collections.abc import Callable
from typing import Any

from ._trace import Node, TraceOps


def lowered(graph: TraceOps, outputs: list[Any]) -> list[Any]:
    """The outputs in a graph of their own, in which every row keeps its axis: views and stopped gradients are gone."""
    plain = TraceOps(graph.classes, graph.tiny(None))
    done: dict[int, Any] = {}

    def rebuild(node: Any) -> Any:
        if not isinstance(node, Node):
            return node
        if node.index not in done:
            done[node.index] = _lower(plain, node, [rebuild(arg) for arg in node.args])
        return done[node.index]

    return [rebuild(output) for output in outputs]


def _lower(graph: TraceOps, node: Node, args: list[Any]) -> Any:
    if node.op in _LOWER:
        return _LOWER[node.op](graph, *args)
    if node.op in _AS_IT_IS:
        return graph.made(node.op, tuple(args), node.level)
    if node.op == "add":
        for dense, one in (args, args[::-1]):
            if isinstance(one, Node) and one.op == "scatter":
                return graph.made("scatter_add", (dense, *one.args), "element")
    return graph.node(node.op, *args)


def _sigmoid(graph: TraceOps, x: Node) -> Any:
    e = graph.exp(-graph.abs(x))
    large = 1.0 / (1.0 + e)
    if x.op == "neg":
        return _select(graph, x.args[0] >= 0.0, e * large, large)
    return _select(graph, x >= 0.0, large, e * large)


def _sign(graph: TraceOps, x: Node) -> Any:
    return graph.cast(x > 0.0, "float") - graph.cast(x < 0.0, "float")


def _select(graph: TraceOps, condition: Node, x: Any, y: Any) -> Any:
    if isinstance(x, float) and isinstance(y, float):
        chosen = graph.cast(condition, "float")
        return chosen if (x, y) == (1.0, 0.0) else (x - y) * chosen + y
    return graph.node("select", graph.node("bits", condition), x, y)


def _power(graph: TraceOps, x: Node, exponent: float) -> Any:
    twice = 2.0 * exponent
    if not (twice.is_integer() and 0.0 < exponent <= 4.0):
        return graph.node("pow", x, exponent)
    root = graph.sqrt(x) if twice % 2 else 1.0
    power = root * x if exponent >= 1.0 else root
    for _ in range(int(exponent) - 1):
        power = power * x
    return power


def _log_sigmoid(graph: TraceOps, x: Node) -> Any:
    return graph.minimum(x, 0.0) - graph.log1p(graph.exp(-graph.abs(x)))


def _clip_through(graph: TraceOps, x: Node, low: float, high: float) -> Any:
    clipped = graph.maximum(x, low)
    if high != float("inf"):
        clipped = graph.minimum(clipped, high)
    return clipped + (x - x)  # NaN where x is infinite, as the composed form is


_AS_IT_IS = ("input", "constant", "sum", "max", "take", "lookup", "scatter")
_LOWER: dict[str, Callable[..., Any]] = {
    "view": lambda graph, x: x,
    "stop": lambda graph, x: x,
    "sigmoid": _sigmoid,
    "log_sigmoid": _log_sigmoid,
    "clip_through": _clip_through,
    "power": _power,
    "pow": _power,
    "sign": _sign,
    "where": _select,
}
