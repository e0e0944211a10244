"""Cross-entropy of logits whose classes are split over PyTorch processes."""

from dataclasses import dataclass
from typing import Any

import torch

from .._linear._options import RowOptions
from .._linear._tokens import Tokens
from .._linear._torch_rows import values
from ._torch_split import TorchSplit, refuse_a_graph_of_the_gradient, refuse_transforms

Tensor = torch.Tensor


@dataclass(frozen=True)
class LogitsDriver:
    """What `Values` says, for logits in the place of hidden states."""

    split: TorchSplit

    def total(self, tokens: Tokens, coefficient: Tensor | None, options: RowOptions) -> Tensor:
        found = self.values(tokens, options)
        return found.sum() if coefficient is None else (found * coefficient).sum()

    def values(self, tokens: Tokens, options: RowOptions) -> Tensor:
        refuse_transforms(*tokens)
        found: Tensor = _Values.apply(tokens.hidden, tokens.labels, tokens.used, options, self.split)  # type: ignore[no-untyped-call]
        found = found.masked_fill(tokens.labels < 0, torch.nan)
        return found if tokens.used is None else torch.where(tokens.used, found, 0.0)


class _Values(torch.autograd.Function):
    """A value per row; the logits and their log-sum-exp are kept for the gradient, and no probabilities."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, labels: Tensor, used: Tensor | None, options: RowOptions, split: TorchSplit
    ) -> Tensor:
        rows = split.statistics(logits, labels, options)
        ctx.save_for_backward(logits, labels, used, rows[0])
        ctx.options, ctx.split = options, split
        return values(rows, labels, options, split.classes)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        refuse_a_graph_of_the_gradient()
        logits, labels, used, lse = ctx.saved_tensors
        if used is None:
            gradient = logits.clone(memory_format=torch.contiguous_format)
        else:  # zeros in the rows that are removed, which may hold NaN: 0 * NaN is no 0
            gradient, lse = torch.where(used[:, None], logits, 0.0).contiguous(), torch.where(used, lse, 0.0)
        ctx.split.gradient_(gradient, labels, lse, upstream, ctx.options)
        return gradient, None, None, None, None
