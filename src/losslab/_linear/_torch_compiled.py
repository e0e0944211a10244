"""The chunked computation as one operator of PyTorch, for torch.compile: of the formula it would hold all logits again.

What a compiled graph cannot do anyway, derivatives of its gradients, the operator cannot do either.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._options import RowOptions
from ._tokens import Tokens
from ._torch_chunks import Gradients, Needed, forward, forward_backward
from ._torch_tokens import compacted, head_of, ones, spread, total, waiting


def compiled(
    tokens: Tokens, coefficient: Tensor | None, options: RowOptions, dtype: torch.dtype, needed: Needed
) -> tuple[Tensor, Tensor, Gradients]:
    """Σ coefficient·value, the values, and the gradients of the sum that are needed."""
    scale = ones(tokens) if coefficient is None else coefficient
    numbers = (options.label_smoothing, options.softcap, options.temperature, options.z_loss)
    hidden, weight, bias, labels, used = tokens
    result, values, *found = _operator(
        hidden, weight, bias, labels, used, scale, options.class_weight, *numbers, dtype, needed
    )
    d_hidden, d_weight, d_bias = _placed(found, needed)
    return result, values, (d_hidden, d_weight, d_bias)


@torch.library.custom_op("losslab::linear_cross_entropy", mutates_args=())
def _operator(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    labels: Tensor,
    used: Tensor | None,
    coefficient: Tensor,
    class_weight: Sequence[float] | None,
    label_smoothing: float,
    softcap: float | None,
    temperature: float,
    z_loss: float,
    dtype: torch.dtype,
    needed: Sequence[bool],
) -> list[Tensor]:
    """The total, the values, and those gradients that are needed."""
    class_weight = None if class_weight is None else tuple(class_weight)
    options = RowOptions(class_weight, label_smoothing, softcap, temperature, z_loss)
    tokens, scale, rows = compacted(Tokens(hidden, weight, bias, labels, used), coefficient)
    head = head_of(*tokens[:3], dtype)
    if not any(needed):
        values = forward(head, tokens.labels, options)[0]
        return [total(values, scale), spread(values, rows, len(hidden))]
    values, found = forward_backward(head, tokens.labels, scale, options, (needed[0], needed[1], needed[2]))
    d_hidden, d_weight, d_bias = waiting(found, (hidden, weight, bias))
    d_hidden = None if d_hidden is None else spread(d_hidden, rows, len(hidden))
    kept = [x for x in (d_hidden, d_weight, d_bias) if x is not None]
    return [total(values, scale), spread(values, rows, len(hidden)), *kept]


@_operator.register_fake
def _shapes(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, used: Any, coefficient: Tensor, *others: Any
) -> list[Tensor]:
    inputs = (hidden, weight, bias)
    empty = (x if n and x is not None else None for x, n in zip(inputs, others[-1], strict=True))
    kept = [torch.empty_like(x, memory_format=torch.contiguous_format) for x in waiting(empty, inputs) if x is not None]
    return [coefficient.new_empty(()), torch.empty_like(coefficient), *kept]


def _save(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    ctx.needed, ctx.dtypes = inputs[-1], [None if x is None else x.dtype for x in inputs[:3]]
    ctx.save_for_backward(*output[1:])


def _backward(ctx: Any, upstream: list[Tensor]) -> Any:
    values, *found = ctx.saved_tensors
    placed = zip(_placed(found, ctx.needed), ctx.dtypes, strict=True)
    scaled = (None if gradient is None else (gradient * upstream[0]).to(dtype) for gradient, dtype in placed)
    return *scaled, None, None, values * upstream[0], *[None] * 7


_operator.register_autograd(_backward, setup_context=_save)


def _placed(found: list[Tensor], needed: Sequence[bool]) -> Gradients:
    """The gradients that are there at the places of those that are needed."""
    left = iter(found)
    d_hidden, d_weight, d_bias = (next(left) if each else None for each in needed)
    return d_hidden, d_weight, d_bias
