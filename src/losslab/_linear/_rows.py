"""Which row step serves logits on PyTorch: Triton kernels on a GPU, torch operations everywhere else."""

import importlib.util
from typing import Protocol

import torch

from . import _torch_rows
from ._options import RowOptions

_TRITON = importlib.util.find_spec("triton") is not None
_KERNEL_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


class Rows(Protocol):
    """The row step: `_torch_rows` says what the two functions do."""

    def statistics(
        self, logits: torch.Tensor, labels: torch.Tensor, options: RowOptions, first: int = 0
    ) -> torch.Tensor: ...

    def gradient_(
        self,
        logits: torch.Tensor,
        labels: torch.Tensor,
        lse: torch.Tensor,
        scale: torch.Tensor,
        options: RowOptions,
        classes: int,
        first: int = 0,
    ) -> None: ...


def rows_for(logits: torch.Tensor) -> Rows:
    """The row step for logits of this device, dtype and layout.

    Triton is imported here, when the first tensor arrives that its kernels serve. They work in float32: float64, which
    is for checks rather than for speed, stays with torch.
    """
    if not (_TRITON and logits.is_cuda and logits.dtype in _KERNEL_DTYPES and logits.stride(-1) == 1):
        return _torch_rows
    from . import _triton_rows

    return _triton_rows


def gradient(
    logits: torch.Tensor,
    labels: torch.Tensor,
    lse: torch.Tensor,
    scale: torch.Tensor,
    options: RowOptions,
    classes: int,
) -> torch.Tensor:
    """The derivative of Σ scale·value with respect to logits (B, V) of all classes, which stay as they are.

    It is 0 in a row with scale 0 whatever is in it, and NaN in any other whose label is no class.
    """
    if rows_for(logits) is not _torch_rows:
        from . import _triton_rows

        result = torch.empty_like(logits)
        _triton_rows.write_gradient(result, logits, labels, lse, scale, options, classes)
        return result
    used = scale != 0
    result = torch.where(used[:, None], logits, 0.0)
    scale = torch.where((labels >= 0) & (labels < classes) | ~used, scale, torch.nan)
    _torch_rows.gradient_(result, labels, torch.where(used, lse, 0.0), scale, options, classes)
    return result
