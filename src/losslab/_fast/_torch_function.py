"""Autograd functions over blocks: the gradient is computed with the value, or again from the inputs.

On the CPU a tensor's memory is a NumPy array's, and blocks are NumPy's work: its vector functions are the faster ones.
"""

from typing import Any

import torch
from torch import Tensor

from .._ops import ops_for
from ._work import Work, work_for
from .blocks import BlockWork, block_work

_OPS = ops_for(torch.empty(0))

Arguments = tuple[Any, ...]
"""y_true, weight, mask, normalizer: what a call is given beside the predictions."""


def work_of(loss: Any, y_pred: Tensor, arguments: Arguments) -> Work | None:
    y_true, *others = (_as_numpy(x) for x in arguments)
    return work_for(loss, y_true, _as_numpy(y_pred), *others)


def block_work_of(loss: Any, y_pred: Tensor, arguments: Arguments) -> BlockWork | None:
    y_true, *others = (_as_numpy(x) for x in arguments)
    return block_work(loss, y_true, _as_numpy(y_pred), *others)


def _as_numpy(x: Any) -> Any:
    if not isinstance(x, Tensor):
        return x
    x = x.detach()
    return (x.float() if x.is_floating_point() and x.dtype != torch.float64 else x).numpy()


def _gradient(loss: Any, y_pred: Tensor, arguments: Arguments) -> Tensor:
    work = work_of(loss, y_pred, arguments)
    if work is None:  # every weight is 0
        return torch.zeros_like(y_pred)
    return _like(work.value_and_gradient()[1], y_pred)


def _like(gradient: Any, y_pred: Tensor) -> Tensor:
    return torch.from_numpy(gradient).view_as(y_pred)


class Total(torch.autograd.Function):
    """The reduced loss, with the gradient kept for the first backward pass; a second one computes it again."""

    @staticmethod
    def forward(ctx: Any, y_pred: Tensor, loss: Any, arguments: Arguments, work: Work) -> Tensor:
        value, gradient = work.value_and_gradient()
        ctx.gradient = _like(gradient, y_pred)
        ctx.loss, ctx.arguments = loss, arguments
        ctx.save_for_backward(y_pred)
        return y_pred.new_tensor(value)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (y_pred,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated again
            y_true, *others = ctx.arguments
            value = ctx.loss._composed(_OPS, y_true, y_pred, *others, {})
            return *_differentiable(value, y_pred, upstream), None, None, None
        gradient, ctx.gradient = ctx.gradient, None  # handed over: whoever accumulates into it changes no later result
        if gradient is None:
            gradient = _gradient(ctx.loss, y_pred, ctx.arguments)
        factor = float(upstream)
        return gradient if factor == 1.0 else gradient.mul_(factor), None, None, None


class Values(torch.autograd.Function):
    """A value per sample, weighted by 0 or 1; the gradient is computed when the upstream one is known."""

    @staticmethod
    def forward(ctx: Any, y_pred: Tensor, loss: Any, arguments: Arguments, values: Tensor) -> Tensor:
        ctx.loss, ctx.arguments = loss, arguments
        ctx.save_for_backward(y_pred)
        return values

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (y_pred,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            y_true, *others = ctx.arguments
            values = ctx.loss._composed(_OPS, y_true, y_pred, *others, {})
            return *_differentiable(values, y_pred, upstream), None, None, None
        y_true, _, *others = ctx.arguments
        return _gradient(ctx.loss, y_pred, (y_true, upstream, *others)), None, None, None


def _differentiable(value: Tensor, y_pred: Tensor, upstream: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(value, y_pred, upstream, create_graph=True)
