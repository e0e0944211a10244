"""The driver of PyTorch: gradients taken chunk by chunk in the forward pass.

Where PyTorch must see the formula itself (function transforms, forward mode, derivatives of the gradient), it gets the
composed one, so that everything stays exact; torch.compile gets the chunks as one operator. On a GPU that QuACK has
kernels for, its function takes part where it is installed.
"""

import torch

from ._options import RowOptions
from ._tokens import Tokens
from ._torch_chunks import Gradients, forward, forward_backward
from ._torch_compiled import compiled
from ._torch_composed import composed_gradients, composed_values, needs_formula
from ._torch_function import Total, Values
from ._torch_quack import faster, quack_serves
from ._torch_tokens import compacted, compute_dtype, head_of, needs_gradient, ones, spread, total

Tensor = torch.Tensor


class TorchDriver:
    """What `Driver` says, on PyTorch."""

    def total(self, tokens: Tokens, coefficient: Tensor | None, options: RowOptions) -> Tensor:
        dtype = compute_dtype(tokens.hidden)
        if needs_formula(*tokens, coefficient):
            return total(composed_values(tokens, options, dtype), coefficient)
        if torch.compiler.is_compiling():
            hidden, weight, bias = (needs_gradient(x) for x in tokens[:3])
            return compiled(tokens, coefficient, options, dtype, (hidden, weight, bias))[0]
        used, scale, _ = compacted(tokens, coefficient)
        if not needs_gradient(*used, scale):
            return total(forward(head_of(*used[:3], dtype), used.labels, options)[0], scale)
        if quack_serves(used, scale, options, dtype):
            return faster(_plain_total, used)(used.hidden, used.weight, used.labels)
        scale = ones(used) if scale is None else scale
        result: Tensor = Total.apply(*used[:4], scale, options, dtype)  # type: ignore[no-untyped-call]
        return result

    def values(self, tokens: Tokens, options: RowOptions) -> Tensor:
        dtype = compute_dtype(tokens.hidden)
        if needs_formula(*tokens) or torch.compiler.is_compiling():
            return composed_values(tokens, options, dtype)
        used, _, rows = compacted(tokens, None)
        if needs_gradient(*used):
            values: Tensor = Values.apply(*used[:4], options, dtype)  # type: ignore[no-untyped-call]
        else:
            values = forward(head_of(*used[:3], dtype), used.labels, options)[0]
        return spread(values, rows, len(tokens.hidden))

    def values_and_gradients(
        self, tokens: Tokens, coefficient: Tensor | None, options: RowOptions
    ) -> tuple[Tensor, Gradients]:
        dtype = compute_dtype(tokens.hidden)
        if needs_formula(*tokens, coefficient):
            return composed_gradients(tokens, coefficient, options, dtype)
        needed = (True, True, tokens.bias is not None)
        with torch.no_grad():
            if torch.compiler.is_compiling():
                return compiled(tokens, coefficient, options, dtype, needed)[1:]
            used, scale, rows = compacted(tokens, coefficient)
            scale = ones(used) if scale is None else scale
            head = head_of(*used[:3], dtype)
            values, (d_hidden, d_weight, d_bias) = forward_backward(head, used.labels, scale, options, needed)
            assert d_hidden is not None
            count = len(tokens.hidden)
            return spread(values, rows, count), (spread(d_hidden, rows, count), d_weight, d_bias)


def _plain_total(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """The sum of the values without any option."""
    scale = ones(Tokens(hidden, weight, None, labels, None))
    result: Tensor = Total.apply(hidden, weight, None, labels, scale, RowOptions(), hidden.dtype)  # type: ignore[no-untyped-call]
    return result
