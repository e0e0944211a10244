"""The vocabulary on symbols: a formula run on it becomes a graph in which every operation occurs once.

A symbol stands for a block of rows. What it holds in a block (B rows of C numbers) is its level: "element" (B, C),
"row" one number a row, "vector" (C,) constants, "number" one for all. Losses on single elements have flat blocks (B,),
in which there is no row.
"""

from typing import Any

from ..._ops import Array, Ops
from .._operators import Operators
from ._simplify import simplified

_BOOLEAN = frozenset(("lt", "le", "gt", "ge", "eq", "ne", "and_", "or_", "invert"))
_ARITHMETIC = frozenset(("add", "sub", "mul", "truediv", "neg", "pow", "power", "abs", "sign", "sqrt", "exp", "expm1"))
_SMOOTH = frozenset(("log", "log1p", "tanh", "erf", "sigmoid", "log_sigmoid", "clip_through", "cast", "stop"))
_CHOOSING = frozenset(("where", "maximum", "minimum", "bits", "select"))
ELEMENTWISE = _BOOLEAN | _ARITHMETIC | _SMOOTH | _CHOOSING
_LEVELS = ("number", "vector", "row", "element")


class UntraceableError(Exception):
    """The formula does something that a graph over blocks of rows cannot hold."""


class Node(Operators):
    """One operation of the graph; its arguments are nodes and numbers."""

    __slots__ = ("args", "graph", "index", "kept", "level", "op")

    def __init__(self, graph: "TraceOps", index: int, op: str, args: tuple[Any, ...], level: str, kept: bool) -> None:
        self.graph, self.index, self.op, self.args, self.level, self.kept = graph, index, op, args, level, kept

    def _apply(self, name: str, *args: Any) -> Any:
        return self.graph.node(name, *args)

    @property
    def dtype(self) -> str:
        if self.op in ("input", "cast"):
            return str(self.args[1])
        return "bits" if self.op == "bits" else "bool" if self.op in _BOOLEAN else "float"

    @property
    def shape(self) -> tuple[int | None, ...]:
        if self.level == "element":
            return (None,) if self.graph.classes is None else (None, self.graph.classes)
        if self.level == "row":
            return (None, 1) if self.kept else (None,)
        return (self.graph.classes,) if self.level == "vector" else ()

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(f'n{a.index}' if isinstance(a, Node) else repr(a) for a in self.args)})"


class TraceOps(Ops):
    """A graph under construction.

    Args:
        classes: the length of the rows; None for flat blocks.
        tiny: the smallest normal positive number of the dtype that the graph will run in.
    """

    name = "trace"
    float32 = "float"

    def __init__(self, classes: int | None, tiny: float) -> None:
        self.classes = classes
        self._tiny = tiny
        self._nodes: dict[Any, Node] = {}

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this graph from others."""
        return tuple(self._nodes)

    def input(self, name: str, level: str, kept: bool = True, dtype: str = "float") -> Node:
        return self.made("input", (name, dtype), level, kept)

    def node(self, op: str, *args: Any) -> Any:
        """The node of an operation, simplified; equal operations are one node."""
        args = tuple(arg if isinstance(arg, Node | str) else _number(arg) for arg in args)
        if op in ("add", "mul"):
            args = tuple(sorted(args, key=lambda arg: arg.index if isinstance(arg, Node) else len(self._nodes)))
        simpler = simplified(self, op, args)
        if simpler is not None:
            return simpler
        nodes = [arg for arg in args if isinstance(arg, Node)]
        level = max((node.level for node in nodes), key=_LEVELS.index)
        if {"row", "vector"} <= {node.level for node in nodes}:
            level = "element"
        rows = {node.kept for node in nodes if node.level == "row"}
        if len(rows) > 1 or (level == "element" and False in rows):
            raise UntraceableError(f"{op} of rows with and without their last axis")
        return self.made(op, args, level, rows.pop() if rows else True)

    def made(self, op: str, args: tuple[Any, ...], level: str, kept: bool = True) -> Node:
        """The node as it is asked for."""
        key = (op, *(arg.index if isinstance(arg, Node) else repr(arg) for arg in args), level, kept)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(self, len(self._nodes), op, args, level, kept)
        return found

    # The vocabulary

    def convert(self, x: Any, like: Array = None) -> Array:
        return x if isinstance(x, Node) else _number(x)

    def constant(self, numbers: tuple[float, ...], like: Array) -> Array:
        if self.classes is None:
            raise UntraceableError("a number for each class of flat blocks")
        return self.made("constant", tuple(numbers), "vector")

    def cast(self, x: Array, dtype: Any) -> Array:
        return x if x.dtype == dtype else self.node("cast", x, dtype)

    def float_dtype(self, x: Array) -> Any:
        return "float"

    def kind(self, x: Array) -> str:
        return str(x.dtype[0])

    def look(self, x: Array) -> None:
        return None

    def tiny(self, x: Array) -> float:
        return self._tiny

    def stop_gradient(self, x: Array) -> Array:
        return self.node("stop", x)

    def abs(self, x: Array) -> Array:
        return self.node("abs", x)

    def sign(self, x: Array) -> Array:
        return self.node("sign", x)

    def sqrt(self, x: Array) -> Array:
        return self.node("sqrt", x)

    def exp(self, x: Array) -> Array:
        return self.node("exp", x)

    def expm1(self, x: Array) -> Array:
        return self.node("expm1", x)

    def log(self, x: Array) -> Array:
        return self.node("log", x)

    def log1p(self, x: Array) -> Array:
        return self.node("log1p", x)

    def tanh(self, x: Array) -> Array:
        return self.node("tanh", x)

    def erf(self, x: Array) -> Array:
        return self.node("erf", x)

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        return self.node("where", condition, x, y)

    def maximum(self, x: Array, y: Any) -> Array:
        return self.node("maximum", x, y)

    def minimum(self, x: Array, y: Any) -> Array:
        return self.node("minimum", x, y)

    def power(self, x: Array, exponent: float) -> Array:
        if float(exponent).is_integer() and exponent >= 1:
            return x**exponent  # its gradient at 0 is finite as it is
        return self.node("power", self.maximum(x, self._tiny), exponent)

    def clip_through(self, x: Array, low: float, high: float = float("inf")) -> Array:
        return self.node("clip_through", x, low, high)

    def sigmoid(self, x: Array) -> Array:
        return self.node("sigmoid", x)

    def log_sigmoid(self, x: Array) -> Array:
        return self.node("log_sigmoid", x)

    def softmax(self, x: Array) -> Array:
        return self.exp(self.log_softmax(x))

    def log_softmax(self, x: Array) -> Array:
        below = x - self.stop_gradient(self.max(x, keepdims=True))
        return below - self.log(self.sum(self.exp(below), keepdims=True))

    def logsumexp(self, x: Array) -> Array:
        largest = self.stop_gradient(self.max(x, keepdims=True))
        return self.squeeze(largest + self.log(self.sum(self.exp(x - largest), keepdims=True)))

    def sum(self, x: Array, axis: Any = -1, keepdims: bool = False) -> Array:
        return self._over_row("sum", x, axis, keepdims)

    def mean(self, x: Array, axis: Any = -1, keepdims: bool = False) -> Array:
        return self.sum(x, axis, keepdims) / float(self.classes or 1)

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        return self._over_row("max", x, axis, keepdims)

    def _over_row(self, op: str, x: Array, axis: Any, keepdims: bool) -> Array:
        if self.classes is None or axis not in (-1, 1) or x.level not in ("element", "vector"):
            raise UntraceableError(f"{op} over anything but the rows of a block")
        if op == "sum" and x.op == "neg":
            return -self._over_row(op, x.args[0], axis, keepdims)
        return self.made(op, (x,), "row" if x.level == "element" else "number", keepdims)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        return self._with_axis(x, axis, kept=True)

    def squeeze(self, x: Array, axis: int = -1) -> Array:
        return self._with_axis(x, axis, kept=False)

    def _with_axis(self, x: Array, axis: int, kept: bool) -> Array:
        if axis not in (-1, 1) or x.level != "row" or x.kept is kept:
            raise UntraceableError("another axis than the last of a row")
        return self.made("view", (x,), "row", kept)

    def take(self, x: Array, ids: Array) -> Array:
        """One number of each row, found before the operations that lead to it: they then run on rows, not elements."""
        if x.level == "row":
            return self.squeeze(x)
        if x.op in ELEMENTWISE and x.op != "cast":
            return self.node(x.op, *(self.take(arg, ids) if isinstance(arg, Node) else arg for arg in x.args))
        return self.made("lookup" if x.level == "vector" else "take", (x, ids), "row", False)

    def scatter(self, x: Array, ids: Array) -> Array:
        """Elements that are 0, but for one number x of each row at its id."""
        return self.made("scatter", (x, ids), "element")

    def zeros_like(self, x: Array) -> Array:
        return 0.0

    def ones_like(self, x: Array) -> Array:
        return 1.0


def _number(x: Any) -> float:
    if isinstance(x, int | float):
        return float(x)
    raise UntraceableError(f"a {type(x).__name__} within a formula")
