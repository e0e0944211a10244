"""The cross-entropy over many classes: one row of logits is larger than the cache of a core's first levels."""

from typing import Any

import calls
import definitions
from case import Case, Contender, Role
from ceilings import exponentials, traffic
from targets import Memory, Speed

from .inputs import classified
from .overhead import optax_own, ours, torch_own

SIZES: dict[str, Any] = {"size": {"rows": 4096, "classes": 32000}, "quick": {"rows": 256, "classes": 32000}}
ONE_LOGITS_BUFFER = 4096 * 32000 * 4 / 2**20  # MiB


def count(rows: int, classes: int) -> int:
    return rows * classes


CASES = (
    Case(
        name="cross_entropy_torch",
        title="Cross-entropy of [{rows}, {classes}] float32 logits, forward and backward, PyTorch",
        inputs=classified,
        reference=definitions.cross_entropy,
        contenders=(
            Contender("losslab", calls.on_torch(ours, "y_pred"), Role.OURS),
            Contender("F.cross_entropy", calls.on_torch(torch_own, "y_pred")),
            Contender("torch.compile of it", calls.on_torch_compiled(torch_own, "y_pred")),
            exponentials(count),
            traffic(count, "y_pred"),
        ),
        targets=(Speed("F.cross_entropy", 2), Memory(round(1.05 * ONE_LOGITS_BUFFER))),
        threads=(1, 2),
        **SIZES,
    ),
    Case(
        name="cross_entropy_jax",
        title="Cross-entropy of [{rows}, {classes}] float32 logits, forward and backward, JAX in jit",
        inputs=classified,
        reference=definitions.cross_entropy,
        contenders=(
            Contender("losslab", calls.on_jax(ours, "y_pred"), Role.OURS),
            Contender("optax", calls.on_jax(optax_own, "y_pred")),
        ),
        **SIZES,
    ),
)
