"""Tokens on PyTorch, before their chunks are computed and after."""

from collections.abc import Iterable
from typing import TypeVar

import torch

from ._tokens import Tokens
from ._torch_chunks import Head
from ._torch_rows import float_dtype

Tensor = torch.Tensor


def compute_dtype(hidden: Tensor) -> torch.dtype:
    """The dtype of the products: that of hidden, or of autocast where it is on."""
    device = hidden.device.type
    if hidden.dtype != torch.float64 and torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return hidden.dtype


def head_of(hidden: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Head:
    return Head(hidden.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype))


def needs_gradient(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors)


Coefficient = TypeVar("Coefficient", Tensor, Tensor | None)


def compacted(tokens: Tokens, coefficient: Coefficient) -> tuple[Tokens, Coefficient, Tensor | None]:
    """The tokens in use, their coefficients, and which they are: None for all.

    A removed token costs no multiplication, and what its row holds reaches nothing. To know how many are left waits for
    an accelerator once, which the products that are saved repay.
    """
    if tokens.used is None or tokens.used.is_meta:  # on meta nothing but shapes is computed
        return tokens._replace(used=None), coefficient, None
    rows = tokens.used.nonzero()[:, 0]
    if len(rows) == len(tokens.hidden):
        return tokens._replace(used=None), coefficient, None
    hidden, labels = tokens.hidden.index_select(0, rows), tokens.labels.index_select(0, rows)
    coefficient = None if coefficient is None else coefficient.index_select(0, rows)
    return tokens._replace(hidden=hidden, labels=labels, used=None), coefficient, rows


def spread(x: Tensor, rows: Tensor | None, count: int) -> Tensor:
    """Rows at their places among `count` rows of zeros; as they are where they are all."""
    return x if rows is None else x.new_zeros((count, *x.shape[1:])).index_copy(0, rows, x)


def ones(tokens: Tokens) -> Tensor:
    """A coefficient for each token."""
    return torch.ones(len(tokens.hidden), dtype=float_dtype(tokens.hidden), device=tokens.hidden.device)


def total(values: Tensor, coefficient: Tensor | None) -> Tensor:
    return values.sum() if coefficient is None else (values * coefficient).sum()


def waiting(found: Iterable[Tensor | None], inputs: Iterable[Tensor | None]) -> list[Tensor | None]:
    """The gradients as they wait for the upstream one, in the dtypes of their inputs.

    A sum over tokens may leave the range of float16 before the upstream gradient brings it back: it waits in float32.
    """
    dtypes = (None if x is None else x.dtype for x in inputs)
    wide = (torch.float32 if dtype == torch.float16 else dtype for dtype in dtypes)
    return [None if g is None else g.to(dtype) for g, dtype in zip(found, wide, strict=True)]


def scaled(found: Iterable[Tensor | None], upstream: Tensor, inputs: Iterable[Tensor | None]) -> list[Tensor | None]:
    """The gradients times the upstream one, out of place: the same graph may be gone through again."""
    return fitted([None if g is None else g * upstream for g in found], inputs)


def fitted(found: Iterable[Tensor | None], inputs: Iterable[Tensor | None]) -> list[Tensor | None]:
    """The gradients in the dtypes of their inputs."""
    return [g if g is None or x is None else g.to(x.dtype) for g, x in zip(found, inputs, strict=True)]
