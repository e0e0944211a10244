"""Softmax cross-entropy of logits on PyTorch, row by row.

The forward pass keeps one number per row, its log-sum-exp; the backward pass computes the gradient from it and the
logits. So nothing of the logits' size lives between the two, any upstream gradient costs the same, and the logits stay
as they are: on a GPU two reads and one write of them in all.
"""

from typing import Any

import torch

from .._linear._composed import of_logits
from .._linear._options import RowOptions
from .._linear._rows import gradient, rows_for
from .._linear._torch_rows import float_dtype, values
from .._ops._torch import TORCH, is_batched

Tensor = torch.Tensor


def row_cross_entropy(logits: Tensor, labels: Tensor, options: RowOptions, scale: Tensor | None = None) -> Tensor:
    """scale·value of each row, (N,), in float32 or for float64 logits in float64; `RowOptions` says which value.

    For eager tensors: in `torch.compile`, in a function transform and in forward mode take `composed_rows`.

    Args:
        logits: (N, V)
        labels: (N,) class ids; out of range, the value and the gradient of the row are NaN.
        scale: (N,) in the dtype of the result, 1 where it is None. A row with scale 0 is removed: value 0 and gradient
            0, whatever its logits and label are.
    """
    if scale is None:
        scale = logits.new_ones(len(logits), dtype=float_dtype(logits))
    result: Tensor = _RowCrossEntropy.apply(logits, labels, scale, options)  # type: ignore[no-untyped-call]
    return result


def composed_rows(logits: Tensor, labels: Tensor, options: RowOptions, scale: Tensor) -> Tensor:
    """The same as a formula that PyTorch differentiates, to any order."""
    used, known = scale != 0, _known(logits, labels)
    logits = torch.where(used[:, None], logits, 0.0).to(scale.dtype)  # before the formula: 0 * NaN is NaN
    found = of_logits(TORCH, logits, torch.where(known, labels, 0), options)
    return torch.where(used, scale * torch.where(known, found, torch.nan), 0.0)


class _RowCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, scale: Tensor, options: RowOptions) -> Tensor:
        found = rows_for(logits).statistics(logits, labels, options)
        value = values(found, torch.where(_known(logits, labels), labels, 0), options, logits.shape[1])
        value = torch.where(scale != 0, value.masked_fill(~_known(logits, labels), torch.nan), 0.0)
        ctx.options = options
        ctx.save_for_backward(logits, labels, scale, found[0], value)
        return scale * value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        logits, labels, scale, lse, value = ctx.saved_tensors
        if torch.is_grad_enabled() or is_batched(upstream):  # the gradient is to be differentiated, or batched
            return _differentiated(ctx, upstream)
        of_logits_, of_scale = None, None
        if ctx.needs_input_grad[0]:
            outer = torch.where(scale != 0, upstream * scale, 0.0)
            of_logits_ = gradient(logits, labels, lse, outer, ctx.options, logits.shape[1])
        if ctx.needs_input_grad[2]:
            of_scale = upstream * value
        return of_logits_, None, of_scale, None


def _differentiated(ctx: Any, upstream: Tensor) -> Any:
    """The gradients of the composed formula, with a graph of their own where gradients are enabled."""
    logits, labels, scale = ctx.saved_tensors[:3]
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        result = composed_rows(logits, labels, ctx.options, scale)
    inputs = {index: x for index, x in ((0, logits), (2, scale)) if ctx.needs_input_grad[index]}
    found = torch.autograd.grad(result, tuple(inputs.values()), upstream, create_graph=again)
    gradients = dict(zip(inputs, found, strict=True))
    return gradients.get(0), None, gradients.get(2), None


def _known(logits: Tensor, labels: Tensor) -> Tensor:
    return (labels >= 0) & (labels < logits.shape[1])
