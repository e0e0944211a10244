"""The autograd functions of a linear cross-entropy on PyTorch."""

from typing import Any

import torch

from .._ops._torch import is_batched
from ._options import RowOptions
from ._tokens import Tokens
from ._torch_chunks import backward, forward, forward_backward
from ._torch_composed import composed_values
from ._torch_tokens import fitted, head_of, scaled, total, waiting

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
        ctx.options, ctx.dtype = options, dtype
        values, ctx.found = _values_and_gradients(ctx, hidden, weight, bias, labels, coefficient)
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
            found = _values_and_gradients(ctx, hidden, weight, bias, labels, coefficient)[1]
        if is_batched(upstream):
            gradients = scaled(found, upstream, (hidden, weight, bias))
        else:
            gradients = fitted([None if g is None else g.mul_(upstream) for g in found], (hidden, weight, bias))
        at_coefficient = upstream * values if ctx.needs_input_grad[4] else None
        return *gradients, None, at_coefficient, None, None


def _values_and_gradients(
    ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, coefficient: Tensor
) -> tuple[Tensor, list[Tensor | None]]:
    """The values, and the gradients as they wait for the upstream one."""
    head = head_of(hidden, weight, bias, ctx.dtype)
    values, found = forward_backward(head, labels, coefficient, ctx.options, ctx.needs_input_grad[:3])
    return values, waiting(found, (hidden, weight, bias))


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
        if torch.is_grad_enabled() or is_batched(upstream):
            with torch.enable_grad():
                values = composed_values(Tokens(hidden, weight, bias, labels, None), ctx.options, ctx.dtype)
            return _differentiated(ctx, values, (hidden, weight, bias, labels), upstream)
        head = head_of(hidden, weight, bias, ctx.dtype)
        found = backward(head, labels, lse, upstream, ctx.options, ctx.needs_input_grad[:3])
        return *fitted(found, (hidden, weight, bias)), None, None, None


def _differentiated(ctx: Any, result: Tensor, inputs: tuple[Tensor, ...], upstream: Tensor) -> tuple[Any, ...]:
    """The gradients of the composed formula, with a graph of their own where gradients are enabled."""
    needed = [index for index in range(len(inputs)) if ctx.needs_input_grad[index]]
    found = torch.autograd.grad(
        result, [inputs[index] for index in needed], upstream, create_graph=torch.is_grad_enabled()
    )
    gradients = dict(zip(needed, found, strict=True))
    return tuple(gradients.get(index) for index in range(len(ctx.needs_input_grad)))
