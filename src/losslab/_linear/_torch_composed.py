"""The composed formula on PyTorch, for whatever must see the formula itself: it holds the logits of all tokens."""

import torch
from torch.autograd import forward_ad

from .._ops._torch import TORCH, transforms_are_active
from ._composed import composed
from ._options import RowOptions
from ._tokens import Tokens
from ._torch_chunks import Gradients
from ._torch_tokens import head_of

Tensor = torch.Tensor


def needs_formula(*tensors: Tensor | None) -> bool:
    """Whether a function transform is at work, or forward mode, which no autograd function here has a rule for."""
    if transforms_are_active():
        return True
    return any(x is not None and forward_ad.unpack_dual(x).tangent is not None for x in tensors)  # type: ignore[no-untyped-call]


def composed_values(tokens: Tokens, options: RowOptions, dtype: torch.dtype) -> Tensor:
    head = head_of(*tokens[:3], dtype)
    with torch.autocast(head.hidden.device.type, enabled=False):
        cast = tokens._replace(hidden=head.hidden, weight=head.weight, bias=head.bias)
        values: Tensor = composed(TORCH, cast, options)
    return values


def composed_gradients(
    tokens: Tokens, coefficient: Tensor | None, options: RowOptions, dtype: torch.dtype
) -> tuple[Tensor, Gradients]:
    """The values, and the gradients of Σ coefficient·value."""

    def values(hidden: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return composed_values(tokens._replace(hidden=hidden, weight=weight, bias=bias), options, dtype)

    inputs = [x for x in tokens[:3] if x is not None]
    result, pullback = torch.func.vjp(values, *inputs)  # type: ignore[misc]  # of three only with has_aux
    d_hidden, d_weight, *d_bias = pullback(torch.ones_like(result) if coefficient is None else coefficient)
    return result, (d_hidden, d_weight, d_bias[0] if d_bias else None)
