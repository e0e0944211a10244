"""The autograd functions of a linear cross-entropy on PyTorch."""

from typing import Any

import torch

from ._options import RowOptions
from ._tokens import Tokens
from ._torch_chunks import backward, forward, forward_backward
from ._torch_composed import composed_values
from ._torch_tokens import fitted, head_of, total, waiting

Tensor = torch.Tensor


class Total(torch.autograd.Function):
    """Σ coefficient·value; the gradients are taken in the forward pass and wait for the upstream one.

    They are handed over to the first backward pass, which need not copy them; a second one computes them again.
    """

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
    ) -> Tensor:
        head = head_of(hidden, weight, bias, dtype)
        values, found = forward_backward(head, labels, coefficient, options, ctx.needs_input_grad[:3])
        ctx.options, ctx.dtype, ctx.found = options, dtype, waiting(found, (hidden, weight, bias))
        ctx.save_for_backward(hidden, weight, bias, labels, coefficient, values)
        return total(values, coefficient)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        hidden, weight, bias, labels, coefficient, values = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient is to be differentiated itself
            tokens = Tokens(hidden, weight, bias, labels, None)
            result = total(composed_values(tokens, ctx.options, ctx.dtype), coefficient)
            return _differentiated(ctx, result, (hidden, weight, bias, labels, coefficient), upstream)
        found, ctx.found = ctx.found, None
        if found is None:
            head = head_of(hidden, weight, bias, ctx.dtype)
            found = forward_backward(head, labels, coefficient, ctx.options, ctx.needs_input_grad[:3])[1]
        scaled = [None if gradient is None else gradient.mul_(upstream) for gradient in found]
        at_coefficient = upstream * values if ctx.needs_input_grad[4] else None
        return *fitted(scaled, (hidden, weight, bias)), None, at_coefficient, None, None


class Values(torch.autograd.Function):
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
    ) -> Tensor:
        values, lse = forward(head_of(hidden, weight, bias, dtype), labels, options)
        ctx.options, ctx.dtype = options, dtype
        ctx.save_for_backward(hidden, weight, bias, labels, lse)
        return values

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        hidden, weight, bias, labels, lse = ctx.saved_tensors
        if torch.is_grad_enabled():
            values = composed_values(Tokens(hidden, weight, bias, labels, None), ctx.options, ctx.dtype)
            return _differentiated(ctx, values, (hidden, weight, bias, labels), upstream)
        head = head_of(hidden, weight, bias, ctx.dtype)
        found = backward(head, labels, lse, upstream, ctx.options, ctx.needs_input_grad[:3])
        return *fitted(found, (hidden, weight, bias)), None, None, None


def _differentiated(ctx: Any, result: Tensor, inputs: tuple[Tensor, ...], upstream: Tensor) -> tuple[Any, ...]:
    """The gradients of the composed formula, with a graph of their own."""
    needed = [index for index in range(len(inputs)) if ctx.needs_input_grad[index]]
    found = torch.autograd.grad(result, [inputs[index] for index in needed], upstream, create_graph=True)
    gradients = dict(zip(needed, found, strict=True))
    return tuple(gradients.get(index) for index in range(len(ctx.needs_input_grad)))
