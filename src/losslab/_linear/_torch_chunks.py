"""The products of a linear cross-entropy on PyTorch: logits for one chunk of tokens at a time, and what they leave."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ._options import RowOptions
from ._rows import rows_for
from ._torch_rows import float_dtype, values

Tensor = torch.Tensor
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]
"""With respect to hidden, weight and bias, None where not needed; sums over tokens are in float32 for a head in half
precision, or in bfloat16 where there is nothing to add."""

Needed = tuple[bool, bool, bool]
"""Which of the gradients are."""

# Rows of a chunk, at least and at most, and in between the bytes that their logits may take. Every chunk reads and
# writes the gradient of the weight again: a few hundred rows repay that on a CPU, a few thousand on an accelerator. And
# 32 MiB are what malloc keeps for the next call instead of asking the system again.
_CPU_ROWS, _CPU_BYTES = (256, 512), 2**25
_ACCELERATOR_ROWS, _ACCELERATOR_BYTES = (1, 4096), 2**30

_WIDENS = "dtype" in torch.ops.aten.mm.overloads()  # type: ignore[no-untyped-call]  # PyTorch 2.8 and later


@dataclass(frozen=True)
class Head:
    """A linear layer and its inputs, all in the dtype to compute in, and the row step of its logits."""

    hidden: Tensor
    """(N, D)"""
    weight: Tensor
    """(V, D)"""
    bias: Tensor | None
    """(V,)"""

    @property
    def classes(self) -> int:
        """Of all logits; a subclass may hold a shard of them."""
        return len(self.weight)

    @property
    def columns(self) -> int:
        """Of a chunk's logits, to reckon with."""
        return len(self.weight)

    def statistics(self, logits: Tensor, labels: Tensor, options: RowOptions) -> Tensor:
        return rows_for(logits).statistics(logits, labels, options)

    def gradient_(self, logits: Tensor, labels: Tensor, lse: Tensor, scale: Tensor, options: RowOptions) -> None:
        rows_for(logits).gradient_(logits, labels, lse, scale, options, self.classes)

    def gradients(self, needed: Needed) -> "HeadGradients":
        return HeadGradients(self, needed)

    @property
    def rows_per_chunk(self) -> int:
        """All chunks have nearly one size: a short last one would cost as much in the gradient of the weight."""
        count = len(self.hidden)
        return math.ceil(count / math.ceil(count / self._most_rows)) if count else 1

    @property
    def _most_rows(self) -> int:
        cpu = self.hidden.device.type == "cpu"
        (least, most), budget = (_CPU_ROWS, _CPU_BYTES) if cpu else (_ACCELERATOR_ROWS, _ACCELERATOR_BYTES)
        return min(max(budget // (self.columns * self.hidden.element_size()), least), most)

    def chunks(self) -> Iterator[tuple[slice, Tensor]]:
        """Rows and their logits, in memory that the next chunk overwrites."""
        size, count = self.rows_per_chunk, len(self.hidden)
        buffer = self.hidden.new_empty((min(size, count), len(self.weight)))
        for start in range(0, count, size):
            rows = slice(start, min(start + size, count))
            logits = buffer[: rows.stop - start]
            if self.bias is None:
                torch.mm(self.hidden[rows], self.weight.T, out=logits)
            else:
                torch.addmm(self.bias, self.hidden[rows], self.weight.T, out=logits)
            yield rows, logits


class HeadGradients:
    """The gradients with respect to a head, summed over chunks."""

    def __init__(self, head: Head, needed: Needed) -> None:
        self._head = head
        self._one_chunk = len(head.hidden) <= head.rows_per_chunk
        dtype = float_dtype(head.hidden)
        empty = not len(head.hidden)
        self._needs_weight = needed[1]
        self.hidden = torch.empty_like(head.hidden, memory_format=torch.contiguous_format) if needed[0] else None
        self.weight = torch.zeros_like(head.weight, dtype=dtype) if needed[1] and empty else None
        self.bias = head.weight.new_zeros(len(head.weight), dtype=dtype) if needed[2] else None

    @property
    def result(self) -> Gradients:
        return self.hidden, self.weight, self.bias

    def add(self, rows: slice, slope: Tensor) -> None:
        """Take in the gradient (B, V) with respect to the logits of some rows."""
        if self.hidden is not None:
            torch.mm(slope, self._head.weight, out=self.hidden[rows])
        if self._needs_weight:
            self._add_to_weight(slope.T, self._head.hidden[rows])
        if self.bias is not None:
            self.bias += slope.sum(dim=0, dtype=self.bias.dtype)

    def _add_to_weight(self, left: Tensor, right: Tensor) -> None:
        if left.dtype in (torch.float32, torch.float64):
            self.weight = torch.mm(left, right) if self.weight is None else self.weight.addmm_(left, right)
        elif self.weight is None:
            self.weight = _half_product(left, right, narrow=self._one_chunk)
        else:
            self.weight = self.weight.float().add_(_half_product(left, right, narrow=False))


def _half_product(left: Tensor, right: Tensor, narrow: bool) -> Tensor:
    """The product of matrices in half precision, in float32 where that is at hand."""
    if left.dtype == torch.float16 and left.device.type == "cpu":
        return left.float() @ right.float()  # a sum over tokens may leave the range of float16
    if left.is_cuda and _WIDENS and not (narrow and left.dtype == torch.bfloat16):
        return torch.mm(left, right, out_dtype=torch.float32)
    return torch.mm(left, right)


def forward(head: Head, labels: Tensor, options: RowOptions) -> tuple[Tensor, Tensor]:
    """The value of each token, NaN where its label is -1, and its log-sum-exp."""
    lse = head.hidden.new_empty(len(labels), dtype=float_dtype(head.hidden))
    result = torch.empty_like(lse)
    for rows, logits in head.chunks():
        found = head.statistics(logits, labels[rows], options)
        lse[rows], result[rows] = found[0], values(found, labels[rows], options, head.classes)
    return result.masked_fill_(labels < 0, torch.nan), lse


def forward_backward(
    head: Head, labels: Tensor, scale: Tensor, options: RowOptions, needed: Needed
) -> tuple[Tensor, Gradients]:
    """The values as `forward` gives them, and the gradients of Σ scale·value."""
    result, gradients = torch.empty_like(scale), head.gradients(needed)
    scale = scale.masked_fill(labels < 0, 0.0)
    for rows, logits in head.chunks():
        found = head.statistics(logits, labels[rows], options)
        result[rows] = values(found, labels[rows], options, head.classes)
        head.gradient_(logits, labels[rows], found[0], scale[rows], options)
        gradients.add(rows, logits)
    return result.masked_fill_(labels < 0, torch.nan), gradients.result


def backward(head: Head, labels: Tensor, lse: Tensor, scale: Tensor, options: RowOptions, needed: Needed) -> Gradients:
    """The gradients of Σ scale·value, the logits computed again."""
    gradients = head.gradients(needed)
    scale = scale.masked_fill(labels < 0, 0.0)
    for rows, logits in head.chunks():
        head.gradient_(logits, labels[rows], lse[rows], scale[rows], options)
        gradients.add(rows, logits)
    return gradients.result
