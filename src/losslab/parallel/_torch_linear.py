"""Linear cross-entropy with the classes of the weight split over PyTorch processes."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from .._linear._options import RowOptions
from .._linear._tokens import Tokens
from .._linear._torch_chunks import Gradients, Head, HeadGradients, Needed, backward, forward, forward_backward
from .._linear._torch_tokens import (
    compacted,
    compute_dtype,
    fitted,
    needs_gradient,
    ones,
    scaled,
    spread,
    total,
    waiting,
)
from ._torch_split import TorchSplit, refuse_a_graph_of_the_gradient, refuse_transforms

Tensor = torch.Tensor


@dataclass(frozen=True)
class LinearDriver:
    """What `Values` says, for the rows of the weight that this process holds; each process has all tokens."""

    split: TorchSplit

    def total(self, tokens: Tokens, coefficient: Tensor | None, options: RowOptions) -> Tensor:
        refuse_transforms(*tokens, coefficient)
        dtype = compute_dtype(tokens.hidden)
        tokens, coefficient, _ = compacted(tokens, coefficient)
        if not needs_gradient(*tokens, coefficient):
            head = ShardedHead.of(*tokens[:3], dtype, self.split)
            return total(forward(head, tokens.labels, options)[0], coefficient)
        scale = ones(tokens) if coefficient is None else coefficient
        result: Tensor = _Total.apply(*tokens[:4], scale, options, dtype, self.split)  # type: ignore[no-untyped-call]
        return result

    def values(self, tokens: Tokens, options: RowOptions) -> Tensor:
        refuse_transforms(*tokens)
        used, _, rows = compacted(tokens, None)
        dtype = compute_dtype(tokens.hidden)
        found = _Values.apply(*used[:4], options, dtype, self.split)  # type: ignore[no-untyped-call]
        return spread(found, rows, len(tokens.hidden))


class _Total(torch.autograd.Function):
    """Σ coefficient·value; the gradients are taken in the forward pass and wait for the upstream one."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        labels: Tensor,
        coefficient: Tensor,
        options: RowOptions,
        dtype: torch.dtype,
        split: TorchSplit,
    ) -> Tensor:
        head = ShardedHead.of(hidden, weight, bias, dtype, split)
        found, kept = forward_backward(head, labels, coefficient, options, ctx.needs_input_grad[:3])
        ctx.save_for_backward(hidden, weight, bias, found, *waiting(kept, (hidden, weight, bias)))
        return total(found, coefficient)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        refuse_a_graph_of_the_gradient()
        hidden, weight, bias, found, *kept = ctx.saved_tensors
        at_coefficient = upstream * found if ctx.needs_input_grad[4] else None
        return *scaled(kept, upstream, (hidden, weight, bias)), None, at_coefficient, None, None, None


class _Values(torch.autograd.Function):
    """The values of the tokens; the logits are computed again for the gradients, which differ by token."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        labels: Tensor,
        options: RowOptions,
        dtype: torch.dtype,
        split: TorchSplit,
    ) -> Tensor:
        found, lse = forward(ShardedHead.of(hidden, weight, bias, dtype, split), labels, options)
        ctx.options, ctx.dtype, ctx.split = options, dtype, split
        ctx.save_for_backward(hidden, weight, bias, labels, lse)
        return found

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        refuse_a_graph_of_the_gradient()
        hidden, weight, bias, labels, lse = ctx.saved_tensors
        head = ShardedHead.of(hidden, weight, bias, ctx.dtype, ctx.split)
        found = backward(head, labels, lse, upstream, ctx.options, ctx.needs_input_grad[:3])
        return *fitted(found, (hidden, weight, bias)), None, None, None, None


@dataclass(frozen=True)
class ShardedHead(Head):
    """A linear layer of which this process holds the rows of its own classes."""

    split: TorchSplit

    @classmethod
    def of(
        cls, hidden: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype, split: TorchSplit
    ) -> "ShardedHead":
        return cls(hidden.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype), split)

    @property
    def classes(self) -> int:
        return self.split.classes

    @property
    def columns(self) -> int:
        """An even share: all processes must take the same chunks, however many classes each has."""
        return -(-self.split.classes // self.split.ranks)

    def statistics(self, logits: Tensor, labels: Tensor, options: RowOptions) -> Tensor:
        return self.split.statistics(logits, labels, options)

    def gradient_(self, logits: Tensor, labels: Tensor, lse: Tensor, scale: Tensor, options: RowOptions) -> None:
        self.split.gradient_(logits, labels, lse, scale, options)

    def gradients(self, needed: Needed) -> HeadGradients:
        return _SummedGradients(self, needed, self.split)


class _SummedGradients(HeadGradients):
    """Gradients of which that of the hidden states is summed over the processes.

    A chunk's sum is on its way while the next chunk is computed.
    """

    def __init__(self, head: Head, needed: Needed, split: TorchSplit) -> None:
        super().__init__(head, needed)
        self._group = split.group
        self._pending: list[Any] = []

    def add(self, rows: slice, slope: Tensor) -> None:
        super().add(rows, slope)
        if self.hidden is not None:
            self._pending.append(dist.all_reduce(self.hidden[rows], group=self._group, async_op=True))

    @property
    def result(self) -> Gradients:
        for each in self._pending:
            each.wait()
        return super().result
