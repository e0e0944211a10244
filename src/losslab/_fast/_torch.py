"""The driver of PyTorch, for eager tensors: fused operators for small ones, blocks or a GPU's row kernels for large.

Under torch.compile, torch.func and forward mode the composed formula is what the compiler and the transforms must see.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from .._ops._torch import transforms_are_active
from ._torch_function import Arguments, Total, Values, block_work_of, run, work_of
from ._torch_fused import FEW, fused
from ._torch_rows import has_rows, of_rows
from ._work import is_fast
from .blocks import is_blockwise

_LARGE = FEW  # elements from which blocks are faster than operators over the whole
_LARGE_ON_GPU = 1 << 20  # elements from which reading them is what takes time
_TYPES = (Tensor, torch.nn.Parameter)


class TorchDriver:
    def reduced(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> Tensor | None:
        if type(y_pred) not in _TYPES or torch.compiler.is_compiling():
            return None
        size = y_pred.numel()
        if weight is None and mask is None and normalizer is None and size and loss.reduction != "none":
            value = fused(loss, y_true, y_pred)
            if value is not None:
                return value
        if size < _LARGE:
            return None
        if y_pred.is_cuda and size >= _LARGE_ON_GPU and has_rows(loss) and not _is_transformed(y_pred):
            return of_rows(loss, y_true, y_pred, weight, mask, normalizer)
        if not _may_run_in_blocks(loss, y_true, y_pred, weight, mask, normalizer):
            return None
        if loss.reduction == "none":
            alone = is_blockwise(loss) and normalizer is None
            return _weighted_values(loss, y_pred, y_true, weight, mask) if alone else None
        return _total(loss, y_pred, (y_true, weight, mask, normalizer))

    def per_sample(self, loss: Any, y_true: Any, y_pred: Any, data: dict[str, Any]) -> Tensor | None:
        if type(y_pred) not in _TYPES or torch.compiler.is_compiling() or y_pred.dim() < 2:
            return None
        if y_pred.numel() < _LARGE or not (is_blockwise(loss) and _may_run_in_blocks(loss, y_true, y_pred)):
            return None
        return _values(loss.replace(reduction="none"), y_pred, (y_true, None, None, None))

    def value_and_grad(
        self, loss: Any, y_true: Any, y_pred: Any, weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> tuple[Tensor, Tensor]:
        with torch.inference_mode(False), torch.enable_grad():
            y_true, y_pred, weight, mask, normalizer = map(_usual, (y_true, y_pred, weight, mask, normalizer))
            x = torch.as_tensor(y_pred).detach()
            x = (x if x.is_floating_point() else x.to(torch.get_default_dtype())).requires_grad_()
            value = loss(y_true, x, weight, mask, normalizer, **{name: _usual(x) for name, x in data.items()})
            (gradient,) = torch.autograd.grad(value.sum(), x)
        return value.detach(), gradient


def _usual(x: Any) -> Any:
    """A tensor made under inference_mode has no derivatives: a copy of it."""
    return x.clone() if isinstance(x, Tensor) and x.is_inference() else x


def _may_run_in_blocks(loss: Any, *arguments: Any) -> bool:
    """Whether nothing but the gradient with respect to y_pred, the second of them, can be asked for on the CPU."""
    _, y_pred, *_ = tensors = arguments
    return (
        is_fast(loss)
        and not _is_transformed(y_pred)
        and all(x.is_cpu and (x is y_pred or not x.requires_grad) for x in tensors if isinstance(x, Tensor))
    )


def _is_transformed(y_pred: Tensor) -> bool:
    """Whether torch.func or forward mode follows the tensor."""
    return transforms_are_active() or forward_ad.unpack_dual(y_pred).tangent is not None  # type: ignore[no-untyped-call]


def _total(loss: Any, y_pred: Tensor, arguments: Arguments) -> Tensor | None:
    work = work_of(loss, y_pred, arguments)
    if work is None:
        return None
    y_pred = _computed(y_pred)
    if not (y_pred.requires_grad and torch.is_grad_enabled()):
        return y_pred.new_tensor(run(work.value))
    value: Tensor = Total.apply(y_pred, loss, arguments, work)  # type: ignore[no-untyped-call]
    return value


def _computed(y_pred: Tensor) -> Tensor:
    return y_pred if y_pred.dtype in (torch.float32, torch.float64) else y_pred.float()


def _weighted_values(loss: Any, y_pred: Tensor, y_true: Any, weight: Any, mask: Any) -> Tensor | None:
    if weight is None:
        return _values(loss, y_pred, (y_true, None, mask, None))
    work = block_work_of(loss, y_pred, (y_true, weight, mask, None))
    if work is None:
        return None
    factor = torch.tensor(work.plan.weight)  # a copy: PyTorch would not see it changed by the caller
    values = _values(loss, y_pred, (y_true, factor.ne(0), mask, None))
    return None if values is None else values * factor


def _values(loss: Any, y_pred: Tensor, arguments: Arguments) -> Tensor | None:
    work = block_work_of(loss, y_pred, arguments)
    found = None if work is None else run(work.per_sample)
    if found is None:
        return None
    values: Tensor = Values.apply(_computed(y_pred), loss, arguments, torch.from_numpy(found))  # type: ignore[no-untyped-call]
    return values


DRIVER = TorchDriver()
