"""Losses on class ids on JAX, from the graph of their formula: the label's number is looked up in the predictions.

As it stands a formula looks it up in what it has computed of all classes, and for that XLA writes all of it to memory.
"""

import operator
from typing import Any

import jax.numpy as jnp

from .._ops import Array
from .._ops._jax import JAX, JaxOps
from .blocks import Node, TraceOps

_OPERATORS = frozenset(("add", "sub", "mul", "truediv", "neg", "pow", "lt", "le", "gt", "ge", "eq", "ne"))
_LOGIC = frozenset(("and_", "or_", "invert"))
_NAMES = {"stop": "stop_gradient"}  # of a node and of the vocabulary, where they differ


class RowsOps(JaxOps):
    """JAX's vocabulary, which evaluates a loss on class ids by its graph where it has one."""

    def _values_of(self, loss: Any, y_true: Array, y_pred: Array) -> Array:
        if not loss.targets.is_id or not isinstance(y_pred.shape[-1], int):
            return super()._values_of(loss, y_true, y_pred)
        try:
            graph = TraceOps(y_pred.shape[-1], self.tiny(y_pred))
            label = graph.input("y_true", "row", kept=False, dtype="int")
            values = loss.formula(graph, label, graph.input("y_pred", "element"))
            return _evaluated(values, {"y_true": y_true, "y_pred": y_pred})
        except Exception:  # what the formula does wrong, or a graph cannot hold, the formula itself says
            return super()._values_of(loss, y_true, y_pred)


def _evaluated(node: Node, inputs: dict[str, Array]) -> Array:
    """The array that a node stands for, each of the nodes before it computed once."""
    if not isinstance(node, Node) or node.shape != (None,):
        raise ValueError("the formula gives no value for each row")
    like, known = inputs["y_pred"], dict[int, Array]()
    waiting = [node]
    while waiting:
        missing = [arg for arg in waiting[-1].args if isinstance(arg, Node) and arg.index not in known]
        if missing:
            waiting += missing
            continue
        found = waiting.pop()
        args = [known[arg.index] if isinstance(arg, Node) else arg for arg in found.args]
        known[found.index] = _computed(found, args, inputs, like)
    return known[node.index]


def _computed(node: Node, args: list[Any], inputs: dict[str, Array], like: Array) -> Array:
    match node.op:
        case "input":
            return inputs[args[0]]
        case "constant":
            return jnp.asarray(args, like.dtype)
        case "cast":
            return args[0].astype({"float": like.dtype, "int": inputs["y_true"].dtype, "bool": bool}[args[1]])
        case "sum" | "max":
            over_rows: Array = getattr(JAX, node.op)(args[0], keepdims=node.kept and node.level == "row")
            return over_rows
        case "view":
            return JAX.expand_dims(args[0]) if node.kept else JAX.squeeze(args[0])
        case "lookup":
            return args[0][args[1]]
    named = operator if node.op in _OPERATORS | _LOGIC else JAX
    result: Array = getattr(named, _NAMES.get(node.op, node.op))(*args)
    return result


ROWS = RowsOps()
