"""Losses of single elements, large: what matters is how often memory is read and written."""

from typing import Any

import calls
import definitions
from case import Case, Contender, Role
from ceilings import exponentials, traffic
from definitions import ALPHA, GAMMA
from targets import Memory, Speed

from .inputs import detected, measured

COMPOSED = "composed, torchvision's formula"
LEVEL = 0.9  # level: at most a ninth slower


def ours_focal() -> Any:
    import losslab

    return losslab.BinaryFocalCrossentropy(from_logits=True, apply_class_balancing=True, alpha=ALPHA, gamma=GAMMA)


def composed_focal() -> Any:
    """The cross-entropy of the logits times (1 - p_t)^γ and α_t, operation by operation.

    The formula that torchvision documents for `torchvision.ops.sigmoid_focal_loss`, written afresh.
    """
    import torch

    def focal(y_true: Any, y_pred: Any) -> Any:
        p = torch.sigmoid(y_pred)
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(y_pred, y_true, reduction="none")
        p_true = p * y_true + (1 - p) * (1 - y_true)
        alpha = ALPHA * y_true + (1 - ALPHA) * (1 - y_true)
        return (alpha * (entropy * (1 - p_true) ** GAMMA)).mean()

    return focal


def optax_focal() -> Any:
    import optax

    return lambda y_true, y_pred: optax.losses.sigmoid_focal_loss(y_pred, y_true, alpha=ALPHA, gamma=GAMMA).mean()


def ours_huber() -> Any:
    import losslab

    return losslab.Huber()


def torch_huber() -> Any:
    import torch

    return lambda y_true, y_pred: torch.nn.functional.huber_loss(y_pred, y_true)


def count(elements: int) -> int:
    return elements


SIZES: dict[str, Any] = {"size": {"elements": 2**24}, "quick": {"elements": 2**20}}
READ_AND_WRITE = traffic(count, "y_true", "y_pred")

CASES = (
    Case(
        name="focal_torch",
        title="Focal loss of {elements:,} float32, forward and backward, PyTorch",
        inputs=detected,
        reference=definitions.focal,
        contenders=(
            Contender("losslab", calls.on_torch(ours_focal, "y_pred"), Role.OURS),
            Contender(COMPOSED, calls.on_torch(composed_focal, "y_pred")),
            Contender("torch.compile of it", calls.on_torch_compiled(composed_focal, "y_pred")),
            Contender("losslab in torch.compile", calls.on_torch_compiled(ours_focal, "y_pred"), Role.OURS),
            exponentials(count),
            READ_AND_WRITE,
        ),
        targets=(Speed(COMPOSED, 6), Speed("torch.compile of it", LEVEL), Memory(70)),
        threads=(1, 2),
        **SIZES,
    ),
    Case(
        name="focal_jax",
        title="Focal loss of {elements:,} float32, forward and backward, JAX in jit",
        inputs=detected,
        reference=definitions.focal,
        contenders=(
            Contender("losslab", calls.on_jax(ours_focal, "y_pred"), Role.OURS),
            Contender("optax", calls.on_jax(optax_focal, "y_pred")),
        ),
        **SIZES,
    ),
    Case(
        name="huber_torch",
        title="Huber loss of {elements:,} float32, forward and backward, PyTorch",
        inputs=measured,
        reference=definitions.huber,
        contenders=(
            Contender("losslab", calls.on_torch(ours_huber, "y_pred"), Role.OURS),
            Contender("F.huber_loss", calls.on_torch(torch_huber, "y_pred")),
            Contender("torch.compile of it", calls.on_torch_compiled(torch_huber, "y_pred")),
            READ_AND_WRITE,
        ),
        **SIZES,
    ),
)
