"""QuACK's linear cross-entropy, where it is installed, can serve the case and is faster on this device.

QuACK (https://github.com/Dao-AILab/quack) has kernels of its own for NVIDIA's Hopper and Blackwell: without bias,
class weights, smoothing, softcap, temperature or z-loss, in half precision. Which of the two is faster depends on the
device and the shapes: the first call of a kind tries both, and QuACK has to come to the same numbers to be taken.
"""

import functools
import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import torch

from .._ops._torch import is_batched
from ._options import RowOptions
from ._tokens import Tokens
from ._torch_composed import composed_values

Tensor = torch.Tensor
Function = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(hidden, weight, labels) -> the sum of the values."""

_INSTALLED = importlib.util.find_spec("quack") is not None
_ROUNDS = 3
_TOLERANCE = 2e-2  # of the largest gradient: bfloat16 has 8 bits
_CAPABILITIES = (9, 10)  # Hopper and Blackwell
_MULTIPLE = 8  # its kernels load 16 bytes at once
_IGNORED = -100


def quack_serves(tokens: Tokens, scale: Tensor | None, options: RowOptions, dtype: torch.dtype) -> bool:
    """Whether QuACK has the formula, and kernels for the arrays."""
    if not _INSTALLED or scale is not None or tokens.bias is not None or options != RowOptions():
        return False
    if dtype not in (torch.bfloat16, torch.float16) or torch.are_deterministic_algorithms_enabled():
        return False
    arrays, sides = tokens[:2], tokens.weight.shape
    fits = all(x.is_contiguous() and x.dtype == dtype for x in arrays) and not any(n % _MULTIPLE for n in sides)
    return fits and len(tokens.hidden) > 0 and _has_kernels(tokens.hidden)


def faster(own: Function, tokens: Tokens) -> Function:
    """`own`, or QuACK's function where it is faster for arrays like these and agrees with it."""
    kind = (tokens.hidden.device, tokens.hidden.dtype, tokens.weight.shape, len(tokens.hidden).bit_length())
    needed = (tokens.hidden.requires_grad, tokens.weight.requires_grad)
    if (*kind, needed) not in _CHOSEN:
        _CHOSEN[*kind, needed] = _quack_wins(own, tokens)
    return quack_total if _CHOSEN[*kind, needed] else own


_CHOSEN: dict[Any, bool] = {}


def quack_total(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """The sum of the values, NaN where a label is no class."""
    result: Tensor = _Total.apply(hidden, weight, labels)  # type: ignore[no-untyped-call]
    return result


class _Total(torch.autograd.Function):
    """QuACK's own graph is good for one backward pass: a second one runs it again."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
        ctx.run = functools.partial(_run, needed=ctx.needs_input_grad[:2])
        ctx.save_for_backward(hidden, weight, labels)
        result: Tensor
        result, ctx.graph = ctx.run(hidden, weight, labels)
        return result.detach()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        hidden, weight, labels = ctx.saved_tensors
        if torch.is_grad_enabled() or is_batched(upstream):  # the gradient is to be differentiated, or batched
            again = torch.is_grad_enabled()
            with torch.enable_grad():
                values = composed_values(Tokens(hidden, weight, None, labels, None), RowOptions(), hidden.dtype)
            return *_gradients(values.sum(), (hidden, weight), ctx.needs_input_grad, upstream, again), None
        graph, ctx.graph = ctx.graph, None
        total, leaves = ctx.run(hidden, weight, labels)[1] if graph is None else graph
        return *_gradients(total, leaves, ctx.needs_input_grad, upstream), None


def _run(hidden: Tensor, weight: Tensor, labels: Tensor, needed: tuple[bool, bool]) -> Any:
    """The sum, and the graph that it comes from: its end and its leaves."""
    from quack.linear_cross_entropy import chunked_linear_cross_entropy

    missing = -len(hidden) % _MULTIPLE
    leaves = [x.detach().requires_grad_(need) for x, need in zip((hidden, weight), needed, strict=True)]
    with torch.enable_grad(), torch.autocast(hidden.device.type, enabled=False):
        padded = torch.nn.functional.pad(leaves[0], (0, 0, 0, missing)) if missing else leaves[0]
        ids = torch.nn.functional.pad(labels.clamp(min=0), (0, missing), value=_IGNORED)
        total = chunked_linear_cross_entropy(padded, leaves[1], ids, ignore_index=_IGNORED, reduction="sum")
    return torch.where((labels < 0).any(), torch.nan, total), (total, leaves)


def _gradients(
    total: Tensor, leaves: Any, needed: tuple[bool, ...], upstream: Tensor, again: bool = False
) -> tuple[Tensor | None, ...]:
    asked = [x for x, need in zip(leaves, needed, strict=False) if need]
    found = iter(torch.autograd.grad(total, asked, upstream, create_graph=again))
    return tuple(next(found) if need else None for need in needed[:2])


def _has_kernels(x: Tensor) -> bool:
    return x.is_cuda and torch.cuda.get_device_capability(x.device)[0] in _CAPABILITIES


def _quack_wins(own: Function, tokens: Tokens) -> bool:
    try:
        if not _agree(_once(own, tokens), _once(quack_total, tokens)):
            raise ArithmeticError("its numbers differ from losslab's")
        rounds = [(_seconds(own, tokens), _seconds(quack_total, tokens)) for _ in range(_ROUNDS)]
    except Exception as error:
        warnings.warn(f"losslab computes a linear cross-entropy itself, not by QuACK: {error}", stacklevel=2)
        return False
    mine, theirs = zip(*rounds, strict=True)
    return bool(min(theirs) < min(mine))


def _once(function: Function, tokens: Tokens) -> list[Tensor]:
    """The sum, and its gradients where they are needed."""
    arrays = [x.detach().requires_grad_(x.requires_grad) for x in tokens[:2]]
    total = function(arrays[0], arrays[1], tokens.labels)
    asked = [x for x in arrays if x.requires_grad]
    return [total.detach(), *(torch.autograd.grad(total, asked) if asked else ())]


def _agree(own: list[Tensor], other: list[Tensor]) -> bool:
    """Whether they are equal as far as half precision goes; NaN where the other has NaN."""
    pairs = ((a.float().nan_to_num(), b.float().nan_to_num()) for a, b in zip(own, other, strict=True))
    return all(bool((a - b).abs().max() <= _TOLERANCE * a.abs().max()) for a, b in pairs)


def _seconds(function: Function, tokens: Tokens) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    begin.record()
    _once(function, tokens)
    end.record()
    end.synchronize()
    milliseconds: float = begin.elapsed_time(end)
    return milliseconds / 1e3
