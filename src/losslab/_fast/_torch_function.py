"""Autograd functions over blocks: the gradient is computed with the value, or again from the inputs.

On the CPU a tensor's memory is a NumPy array's, and blocks are NumPy's work: its vector functions are the faster ones.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from .._ops import ops_for
from .._ops._torch import is_batched
from ._work import Work, work_for
from .blocks import BlockWork, at_most, block_work

T = TypeVar("T")

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


def run(work: Callable[[], T]) -> T:
    """What the work gives, on as many threads as PyTorch takes."""
    with at_most(torch.get_num_threads()):
        return work()


def _gradient(loss: Any, y_pred: Tensor, arguments: Arguments) -> Tensor:
    work = work_of(loss, y_pred, arguments)
    if work is None:  # every weight is 0
        return torch.zeros_like(y_pred)
    return _like(run(work.value_and_gradient)[1], y_pred)


def _like(gradient: Any, y_pred: Tensor) -> Tensor:
    return torch.from_numpy(gradient).view_as(y_pred)


class Total(torch.autograd.Function):
    """The reduced loss, with the gradient kept for the first backward pass; a second one computes it again."""

    @staticmethod
    def forward(ctx: Any, y_pred: Tensor, loss: Any, arguments: Arguments, work: Work) -> Tensor:
        value, gradient = run(work.value_and_gradient)
        ctx.gradient = _like(gradient, y_pred)
        _save(ctx, loss, y_pred, arguments)
        return y_pred.new_tensor(value)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        y_pred, arguments = _saved(ctx)
        if torch.is_grad_enabled():  # to be differentiated again
            return _composed_gradient(ctx.loss, y_pred, arguments, upstream), None, None, None
        gradient, ctx.gradient = ctx.gradient, None  # handed over: whoever accumulates into it changes no later result
        if gradient is None:
            gradient = _gradient(ctx.loss, y_pred, arguments)
        if is_batched(upstream):
            return gradient * upstream, None, None, None
        factor = float(upstream)
        return gradient if factor == 1.0 else gradient.mul_(factor), None, None, None


class Values(torch.autograd.Function):
    """A value per sample, weighted by 0 or 1; the gradient is computed when the upstream one is known."""

    @staticmethod
    def forward(ctx: Any, y_pred: Tensor, loss: Any, arguments: Arguments, values: Tensor) -> Tensor:
        _save(ctx, loss, y_pred, arguments)
        return values

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        y_pred, arguments = _saved(ctx)
        if torch.is_grad_enabled() or is_batched(upstream):
            return _composed_gradient(ctx.loss, y_pred, arguments, upstream), None, None, None
        y_true, _, *others = arguments
        return _gradient(ctx.loss, y_pred, (y_true, upstream, *others)), None, None, None


def _save(ctx: Any, loss: Any, y_pred: Tensor, arguments: Arguments) -> None:
    """PyTorch keeps the tensors: it sees when one is changed in place, and lets go of them after the backward pass."""
    tensors = [x if isinstance(x, Tensor) else None for x in arguments]
    ctx.save_for_backward(y_pred, *tensors)
    ctx.loss, ctx.others = loss, [None if isinstance(x, Tensor) else x for x in arguments]


def _saved(ctx: Any) -> tuple[Tensor, Arguments]:
    y_pred, *tensors = ctx.saved_tensors
    return y_pred, tuple(other if x is None else x for x, other in zip(tensors, ctx.others, strict=True))


def _composed_gradient(loss: Any, y_pred: Tensor, arguments: Arguments, upstream: Tensor) -> Tensor:
    """Of the composed formula, itself differentiable where gradients are enabled."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        y_true, *others = arguments
        value = loss._composed(_OPS, y_true, y_pred, *others, {})
        (gradient,) = torch.autograd.grad(value, y_pred, upstream, create_graph=again)
    return gradient
