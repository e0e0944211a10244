"""How arrays are cut into blocks of rows, whichever axis the classes are on.

With many classes, last, a block is (B, C): a slice of the leading axes, flattened. With an axis of classes before
others (images with channels first) it is (C, B): a slice of the trailing axes, so that memory is read in its order.
With few classes, last, it is (C, B) too, transposed: a sum over ten numbers costs more in its start than in its terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_FEW = 100  # classes


@dataclass(frozen=True)
class Layout:
    """Arrays in the shape (outer, C), or (outer, C, inner) with the classes first; (outer,) where there are no rows.

    Attributes:
        classes: C; None for flat blocks.
    """

    outer: int
    classes: int | None
    inner: int

    @property
    def class_axis(self) -> int:
        """Of a block."""
        return 0 if self.inner > 1 or self.is_transposed else -1

    @property
    def is_transposed(self) -> bool:
        """Whether a block is the transpose of the slice that `blocks` names."""
        return self.inner == 1 and self.classes is not None and self.classes <= _FEW

    def shape(self, level: str) -> tuple[int, ...]:
        """Of a whole array of elements or of rows."""
        if self.classes is None:
            return (self.outer,)
        length = self.classes if level == "element" else 1
        return (self.outer, length) if self.inner == 1 else (self.outer, length, self.inner)

    def block_shape(self, level: str, rows: int) -> tuple[int, ...]:
        if self.classes is None:
            return (1,) if level == "number" else (rows,)
        length = self.classes if level in ("element", "vector") else 1
        rows = rows if level in ("element", "row") else 1
        return (length, rows) if self.class_axis == 0 else (rows, length)

    def blocks(self, most: int) -> Iterator[tuple[tuple[Any, ...], int]]:
        """(index, rows) of blocks of about `most` elements."""
        rows = max(1, most // (self.classes or 1))
        whole, length = (1, self.outer) if self.inner == 1 else (self.outer, self.inner)
        for n in range(whole):
            for start in range(0, length, rows):
                part = slice(start, min(start + rows, length))
                yield ((part,) if self.inner == 1 else (n, slice(None), part)), part.stop - start


def layout_of(shape: tuple[int, ...], axis: int | None) -> Layout:
    """The layout of predictions of this shape, in memory order, whose rows lie along `axis`; None for no rows."""
    if axis is None:
        return Layout(size_of(shape), None, 1)
    return Layout(size_of(shape[:axis]), shape[axis], size_of(shape[axis + 1 :]))


def size_of(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total
