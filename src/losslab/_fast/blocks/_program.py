"""A graph as a list of steps that write into reused blocks of scratch memory."""

from dataclasses import dataclass
from typing import Any

from ._trace import ELEMENTWISE, Node

_IN_PLACE = ELEMENTWISE - {"bits", "cast", "select"} | {"scatter_add"}  # what reads an element before it writes it

Slot = tuple[str, str, int]
"""Scratch memory: level, dtype, number."""


@dataclass(frozen=True)
class Input:
    name: str


@dataclass(frozen=True)
class Step:
    """One operation: its arguments are inputs, slots, numbers and vectors (tuples of numbers)."""

    op: str
    args: tuple[Any, ...]
    out: Any


@dataclass(frozen=True)
class Program:
    """Steps for one block.

    Attributes:
        slots: (level, dtype) -> how many.
        outputs: name -> where it is after the last step: a slot, an input or a number. The output "gradient" is
            written where the executor says, as the input of that name.
    """

    steps: tuple[Step, ...]
    slots: dict[tuple[str, str], int]
    outputs: dict[str, Any]


def scheduled(outputs: dict[str, Any]) -> Program:
    """The steps that compute the outputs, a slot being given back after its last use."""
    order = _ordered(list(outputs.values()))
    uses = _uses(order, list(outputs.values()))
    planner = _Planner(uses, outputs.get("gradient"))
    steps = [planner.step(node) for node in order]
    if "gradient" in outputs and planner.place(outputs["gradient"]) != Input("gradient"):
        steps.append(Step("copy", (planner.place(outputs["gradient"]),), Input("gradient")))
    places = {name: planner.place(node) for name, node in outputs.items() if name != "gradient"}
    return Program(tuple(step for step in steps if step is not None), planner.counts, places)


def _ordered(outputs: list[Any]) -> list[Node]:
    order: list[Node] = []
    seen: set[int] = set()

    def visit(node: Any) -> None:
        if isinstance(node, Node) and node.index not in seen:
            seen.add(node.index)
            for arg in node.args:
                visit(arg)
            order.append(node)

    for output in outputs:
        visit(output)
    return order


def _uses(order: list[Node], outputs: list[Any]) -> dict[int, int]:
    """How often each node is read; an output is read once more, at the end."""
    uses = {node.index: 0 for node in order}
    for node in (*[arg for each in order for arg in each.args], *outputs):
        if isinstance(node, Node):
            uses[node.index] += 1
    return uses


class _Planner:
    def __init__(self, uses: dict[int, int], gradient: Any) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self._uses = uses
        self._at_gradient = self._chain(gradient)
        self._free: dict[tuple[str, str], list[Slot]] = {}
        self._places: dict[int, Any] = {}

    def _chain(self, node: Any) -> set[int]:
        """The nodes that are written where the gradient goes: its own, and what it only adds a number a row to."""
        chain: set[int] = set()
        while isinstance(node, Node) and node.level == "element" and self._uses[node.index] == 1:
            if node.op in ("input", "constant"):
                break
            chain.add(node.index)
            if node.op != "scatter_add":
                break
            node = node.args[0]
        return chain

    def place(self, node: Any) -> Any:
        return self._places[node.index] if isinstance(node, Node) else node

    def step(self, node: Node) -> Step | None:
        if node.op in ("input", "constant"):
            self._places[node.index] = Input(node.args[0]) if node.op == "input" else node.args
            return None
        args = tuple(self.place(arg) for arg in node.args)
        if node.op in _IN_PLACE:
            self._release(node)
        self._places[node.index] = out = self._written(node)
        if node.op not in _IN_PLACE:
            self._release(node)
        return Step(node.op, args, out)

    def _written(self, node: Node) -> Any:
        if node.index in self._at_gradient:
            return Input("gradient")
        kind = (node.level, node.dtype)
        free = self._free.setdefault(kind, [])
        if free:
            return free.pop()
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return (*kind, self.counts[kind] - 1)

    def _release(self, node: Node) -> None:
        for arg in node.args:
            if isinstance(arg, Node):
                self._uses[arg.index] -= 1
                place = self._places[arg.index]
                if self._uses[arg.index] == 0 and isinstance(place, tuple) and place[:1] in (("element",), ("row",)):
                    self._free[place[0], place[1]].append(place)
