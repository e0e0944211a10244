"""The gradient of a graph, as more of the graph."""

from typing import Any

from .._rules import RULES
from ._trace import Node, TraceOps, UntraceableError


def gradient(graph: TraceOps, output: Node, seed: Any, x: Node) -> Any:
    """The derivative of Σ seed · output with respect to `x`: a node, or a number where it is constant."""
    order = _between(x, output)
    within = {node.index for node in order}
    cotangents: dict[int, Any] = {output.index: seed}
    for node in reversed(order[1:]):
        if node.index not in cotangents:  # it leads nowhere but into a condition
            continue
        for arg, g in zip(node.args, _cotangents(graph, cotangents[node.index], node), strict=True):
            if isinstance(arg, Node) and arg.index in within and g is not None:
                g = _fitted(graph, g, node, arg)
                cotangents[arg.index] = cotangents[arg.index] + g if arg.index in cotangents else g
    return cotangents.get(x.index, 0.0)


def _between(x: Node, output: Node) -> list[Node]:
    """The nodes that lead from `x` to `output`, both included, arguments first; a stopped gradient ends a path."""
    leads = {x.index: True}
    order = [x]

    def visit(node: Node) -> bool:
        if node.index not in leads:
            args = [arg for arg in node.args if isinstance(arg, Node)] if node.op not in ("stop", "input") else []
            found = [visit(arg) for arg in args]  # each of them, whatever the others lead to
            leads[node.index] = any(found)
            if leads[node.index]:
                order.append(node)
        return leads[node.index]

    visit(output)
    return order


def _cotangents(graph: TraceOps, g: Any, node: Node) -> tuple[Any, ...]:
    match node.op:
        case "view":
            return (_row(graph, g, kept=not node.kept),)
        case "sum":
            return (_row(graph, g, kept=True),)
        case "max":
            x = node.args[0]
            hits = graph.cast(x == _row(graph, node, kept=True), "float")  # those that tie share it
            return (hits * (_row(graph, g, kept=True) / graph.sum(hits, keepdims=True)),)
        case "take":
            return graph.scatter(g, node.args[1]), None
    if node.op not in RULES:
        raise UntraceableError(f"the derivative of {node.op}")
    return RULES[node.op](graph, g, node, *node.args)


def _row(graph: TraceOps, g: Any, kept: bool) -> Any:
    if not isinstance(g, Node) or g.level != "row" or g.kept is kept:
        return g
    return graph.expand_dims(g) if kept else graph.squeeze(g)


def _fitted(graph: TraceOps, g: Any, node: Node, arg: Node) -> Any:
    """The cotangent of an argument that was spread over the rows' elements: its sum over them."""
    if node.level != "element" or arg.level != "row" or node.op == "scatter":
        return g
    if isinstance(g, Node) and g.level in ("element", "vector"):
        return graph.sum(g, keepdims=True)
    return g * float(graph.classes or 1)
