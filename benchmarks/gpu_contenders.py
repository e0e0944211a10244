"""Who takes part on a GPU. A peer is imported when its turn comes; what is not installed does not take part."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812

Tensor = torch.Tensor
Loss = Callable[..., Tensor]


@dataclass(frozen=True)
class Contender:
    """One way to compute the mean cross-entropy.

    Attributes:
        make: gives the loss of (logits, labels) or of (hidden, weight, labels); an ImportError says what is missing.
        overwrites: whether it destroys its first argument, which is then restored before every call, outside the time.
    """

    name: str
    make: Callable[[], Loss]
    overwrites: bool = False


def our_rows() -> Loss:
    from losslab._fast._torch_rows_function import row_cross_entropy
    from losslab._linear._options import RowOptions

    return lambda logits, labels: row_cross_entropy(logits, labels, RowOptions()).mean()


def ours() -> Loss:
    import losslab

    loss = losslab.SparseCategoricalCrossentropy(from_logits=True)
    return lambda logits, labels: loss(labels, logits)


def liger() -> Loss:
    from liger_kernel.transformers.functional import liger_cross_entropy

    return liger_cross_entropy


def quack() -> Loss:
    from quack import cross_entropy

    return functools.partial(cross_entropy, reduction="mean")


def of_logits(compiler: str) -> list[Contender]:
    """Cross-entropy of (logits, labels)."""
    return [
        Contender("losslab, rows", our_rows),
        Contender("losslab", ours),
        Contender("F.cross_entropy", lambda: F.cross_entropy),
        Contender("F.cross_entropy, compiled", lambda: torch.compile(F.cross_entropy, backend=compiler)),
        Contender("Liger", liger, overwrites=True),
        Contender("QuACK", quack),
    ]


def our_linear() -> Loss:
    import losslab

    return losslab.linear_cross_entropy


def composed(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(hidden @ weight.T, labels)


def torch_linear() -> Loss:
    if not hasattr(F, "linear_cross_entropy"):
        raise ImportError(f"torch {torch.__version__} has no F.linear_cross_entropy")
    return functools.partial(F.linear_cross_entropy, options=torch.nn.LinearCrossEntropyOptions())


def liger_linear(implementation: str | None) -> Loss:
    from liger_kernel.ops import LigerFusedLinearCrossEntropyFunction
    from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy

    if implementation is None:
        return liger_fused_linear_cross_entropy
    if not getattr(LigerFusedLinearCrossEntropyFunction, "supports_inner_impl_dispatch", False):
        raise ImportError("this version of Liger has one implementation")
    defaults = (None, None, -100, 0.0, 0.0, "mean", None, False, None, False, False, False)
    return lambda *arrays: LigerFusedLinearCrossEntropyFunction.apply(*arrays, *defaults, implementation)[0]


def quack_linear(scaled: bool | None) -> Loss:
    from quack.linear_cross_entropy import chunked_linear_cross_entropy

    return functools.partial(chunked_linear_cross_entropy, use_scaled_exp=scaled)


def cut(**options: object) -> Loss:
    from cut_cross_entropy import linear_cross_entropy

    return functools.partial(linear_cross_entropy, **options)


def of_hidden(compiler: str) -> list[Contender]:
    """Linear cross-entropy of (hidden, weight, labels)."""
    return [
        Contender("losslab", our_linear),
        Contender("matmul, F.cross_entropy", lambda: composed),
        Contender("matmul, F.cross_entropy, compiled", lambda: torch.compile(composed, backend=compiler)),
        Contender("F.linear_cross_entropy, chunked", torch_linear),
        Contender("Liger, its choice", lambda: liger_linear(None)),
        Contender("Liger, Triton", lambda: liger_linear("nvidia-triton")),
        Contender("Liger, CuTe", lambda: liger_linear("nvidia-cutedsl")),
        Contender("QuACK, its choice", lambda: quack_linear(None)),
        Contender("QuACK, chunked", lambda: quack_linear(False)),
        Contender("cut-cross-entropy", cut),
        Contender("cut-cross-entropy, exact", lambda: cut(filter_eps=None)),
    ]
