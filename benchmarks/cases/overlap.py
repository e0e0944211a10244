"""The Dice loss of a segmentation from class ids: where one-hot masks are made, they are what costs."""

from typing import Any

import calls
import definitions
from case import Case, Contender, Role
from ceilings import exponentials, traffic
from targets import Memory, Speed

from .inputs import segmented

SMP, MONAI = "segmentation_models_pytorch's formula", "MONAI's DiceLoss"


def ours() -> Any:
    import losslab

    return losslab.SparseCategoricalDice(from_logits=True, axis=1)


def monai() -> Any:
    from monai.losses import DiceLoss

    loss = DiceLoss(softmax=True, to_onehot_y=True, batch=True, smooth_nr=0.0, smooth_dr=1e-7)
    return lambda y_true, y_pred: loss(y_pred, y_true.unsqueeze(1))


def smp() -> Any:
    """Dice per class over the batch's pixels, exp(log_softmax) against one-hot masks of integers.

    The shared part is (Σp + Σy - Σ|p - y|) / 2, as in Wang et al. 2023, arXiv:2302.05666. Written afresh from what
    `segmentation_models_pytorch.losses.DiceLoss("multiclass")` documents in 0.6; the package needs torchvision.
    """
    from torch.linalg import vector_norm
    from torch.nn.functional import log_softmax, one_hot

    def dice(y_true: Any, y_pred: Any) -> Any:
        p = log_softmax(y_pred, dim=1).exp().flatten(2)
        ids = one_hot(y_true.flatten(1), p.shape[1]).permute(0, 2, 1)
        y = ids.type_as(p)
        sizes = p.sum((0, 2)) + y.sum((0, 2))
        score = (sizes - vector_norm(p - y, ord=1, dim=(0, 2))) / sizes.clamp_min(1e-7)
        return ((1 - score) * (ids.sum((0, 2)) > 0)).mean()

    return dice


def count(images: int, classes: int, side: int) -> int:
    return images * classes * side**2


CASES = (
    Case(
        name="dice_torch",
        title="Dice loss of [{images}, {classes}, {side}, {side}] float32 logits, forward and backward, PyTorch",
        inputs=segmented,
        size={"images": 4, "classes": 20, "side": 512},
        quick={"images": 2, "classes": 20, "side": 128},
        reference=definitions.dice,
        contenders=(
            Contender("losslab", calls.on_torch(ours, "y_pred"), Role.OURS),
            Contender(SMP, calls.on_torch(smp, "y_pred")),
            Contender(MONAI, calls.on_torch(monai, "y_pred")),
            Contender("torch.compile of smp's formula", calls.on_torch_compiled(smp, "y_pred")),
            exponentials(count),
            traffic(count, "y_pred"),
        ),
        targets=(Speed(SMP, 5), Speed(MONAI, 2), Memory(100)),
        rtol=1e-3,  # smp's norm over a million float32 pixels has no more digits
        threads=(1, 2),
    ),
)
