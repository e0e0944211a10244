"""The cross-entropy of a last linear layer, forward and backward: whether the logits are ever held whole."""

from typing import Any

import calls
import definitions
from case import Case, Contender, Rate, Role
from ceilings import products
from targets import MemoryShare, Speed

from .inputs import last_layer

NAIVE, CHUNKED = "F.cross_entropy of F.linear", "F.linear_cross_entropy, chunked"
SGEMM = "its three matrix products"
RATE = Rate("GFLOP/s", lambda n, d, v: 6 * n * d * v / 1e9)
WRT = ("hidden", "weight")


def ours() -> Any:
    import losslab

    return losslab.linear_cross_entropy


def naive() -> Any:
    from torch.nn.functional import cross_entropy, linear

    return lambda hidden, weight, labels: cross_entropy(linear(hidden, weight), labels)


def chunked(**options: Any) -> Any:
    """PyTorch's own, since 2.13; without options it chooses the rows of a chunk itself."""
    from torch.nn import LinearCrossEntropyOptions
    from torch.nn.functional import linear_cross_entropy

    chosen = LinearCrossEntropyOptions(**options)
    return lambda hidden, weight, labels: linear_cross_entropy(hidden, weight, labels, options=chosen)


def chunks_of_256() -> Any:
    return chunked(batch_chunk_size=256, chunking_method=None)


def naive_jax() -> Any:
    import optax

    entropy = optax.losses.softmax_cross_entropy_with_integer_labels
    return lambda hidden, weight, labels: entropy(hidden @ weight.T, labels).mean()


SIZES: dict[str, Any] = {"size": {"n": 2048, "d": 512, "v": 32000}, "quick": {"n": 512, "d": 128, "v": 8000}}

CASES = (
    Case(
        name="linear_torch",
        title="Linear cross-entropy, {n} rows × {d} numbers × {v} classes, float32, PyTorch",
        inputs=last_layer,
        reference=definitions.linear_cross_entropy,
        contenders=(
            Contender("losslab.linear_cross_entropy", calls.on_torch(ours, *WRT), Role.OURS, rate=RATE),
            Contender(NAIVE, calls.on_torch(naive, *WRT), rate=RATE),
            Contender(CHUNKED, calls.on_torch(chunked, *WRT), rate=RATE),
            Contender(f"{CHUNKED} by 256", calls.on_torch(chunks_of_256, *WRT), rate=RATE),
            Contender("torch.compile of the first peer", calls.on_torch_compiled(naive, *WRT), rate=RATE),
            products(SGEMM, RATE),
        ),
        targets=(Speed(NAIVE, 1.1), Speed(CHUNKED, 1.5), MemoryShare(NAIVE, 1 / 5), Speed(SGEMM, 0.85)),
        threads=(1, 2),
        **SIZES,
    ),
    Case(
        name="linear_jax",
        title="Linear cross-entropy, {n} rows × {d} numbers × {v} classes, float32, JAX in jit",
        inputs=last_layer,
        reference=definitions.linear_cross_entropy,
        contenders=(
            Contender("losslab.linear_cross_entropy", calls.on_jax(ours, *WRT), Role.OURS, rate=RATE),
            Contender("optax of hidden @ weight.T", calls.on_jax(naive_jax, *WRT), rate=RATE),
        ),
        targets=(Speed("optax of hidden @ weight.T", 1), MemoryShare("optax of hidden @ weight.T", 1 / 3)),
        threads=(2,),
        **SIZES,
    ),
)
