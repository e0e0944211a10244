"""Programs run on blocks that stay in the processor's cache."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ._layout import size_of
from ._program import Input, Step
from ._run import Run
from ._steps import steps
from ._threads import in_threads

Values = np.ndarray[Any, Any]
Block = tuple[tuple[Any, ...], int]

# Elements of the inputs, the gradient and all scratch memory that a core works on at once: they fit into its share of
# the caches, and a step takes long enough that threads seldom wait for the interpreter.
_CACHE = 1 << 20


def total(run: Run) -> float:
    """The total of a run; the outputs that its arrays have room for are written."""
    arrays = 3 + sum(count for (level, _), count in run.program.slots.items() if level == "element")
    most = max(_CACHE // arrays, run.layout.classes or 0)
    blocks = list(run.layout.blocks(most))
    return run.factor * sum(in_threads(lambda part: _Worker(run, most).run(part), blocks, run.arrays["y_pred"].size))


class _Worker:
    """Runs a program on one block after another, with scratch memory of its own."""

    def __init__(self, run: Run, most: int) -> None:
        self._run, self._layout = run, run.layout
        self._functions = steps(run.layout.class_axis)
        self._float = run.arrays["y_pred"].dtype
        rows = max(1, most // (run.layout.classes or 1))
        self._slots = {
            (level, dtype, i): np.empty(size_of(run.layout.block_shape(level, rows)), self._dtype(dtype))
            for (level, dtype), count in run.program.slots.items()
            for i in range(count)
        }
        self._rows = -1

    def run(self, blocks: Iterable[Block]) -> float:
        """The sum over the blocks of the output "total"."""
        sums = 0.0
        with np.errstate(all="ignore"):  # as tensor libraries do: what becomes of 1 / 0 is seen in the result
            for index, rows in blocks:
                sums += self._block(index, rows)
        return sums

    def _block(self, index: tuple[Any, ...], rows: int) -> float:
        if rows != self._rows:
            self._bind(rows)
        inputs: dict[str, Any] = dict(self._run.numbers)
        for name, array in self._run.arrays.items():
            inputs[name] = self._cut(array[index], is_read=name not in ("gradient", "values"))
        for function, args, out in self._bound:
            found = [inputs[arg.name] if type(arg) is Input else arg for arg in args]
            function(*found, out=inputs[out.name] if type(out) is Input else out)
        if self._values is not None:
            inputs["values"][...] = self._found(self._values, inputs)
        if self._total is None:
            return 0.0
        total = self._found(self._total, inputs)
        if isinstance(total, float):
            return total * size_of(self._layout.block_shape("row", rows))
        return float(np.sum(total, dtype=np.float64))

    def _cut(self, part: Values, is_read: bool) -> Values:
        if not self._layout.is_transposed:
            return part
        return np.ascontiguousarray(part.T) if is_read else part.T

    def _bind(self, rows: int) -> None:
        """The steps with their scratch memory in the shape of a block of so many rows."""
        self._rows = rows
        self._views: dict[Any, Values] = {}
        for slot, buffer in self._slots.items():
            shape = self._layout.block_shape(slot[0], rows)
            self._views[slot] = buffer[: size_of(shape)].reshape(shape)
        program = self._run.program
        self._bound = [
            (self._functions[step.op], [self._argument(step, arg) for arg in step.args], self._placed(step.out))
            for step in program.steps
        ]
        self._total, self._values = (self._placed(program.outputs.get(name)) for name in ("total", "values"))

    def _argument(self, step: Step, arg: Any) -> Any:
        if step.op in ("maximum", "minimum") and isinstance(arg, float) and isinstance(step.out, tuple):
            return self._repeated(arg, step.out[0])
        return self._placed(arg)

    def _repeated(self, number: float, level: str) -> Values:
        """A number as an array: NumPy compares two arrays five times as fast as an array and a number."""
        key = (number, level)
        if key not in self._views:
            self._views[key] = np.full(self._layout.block_shape(level, self._rows), number, self._float)
        return self._views[key]

    def _placed(self, place: Any) -> Any:
        """Scratch memory, a vector, or what needs no place: a number, an input."""
        if not isinstance(place, tuple):
            return place
        if place in self._views:
            return self._views[place]
        return np.asarray(place, self._float).reshape(self._layout.block_shape("vector", self._rows))

    def _found(self, place: Any, inputs: dict[str, Any]) -> Any:
        return inputs[place.name] if isinstance(place, Input) else place

    def _dtype(self, name: str) -> Any:
        return {"float": self._float, "bool": np.dtype(bool), "bits": np.dtype(f"i{self._float.itemsize}")}[name]
