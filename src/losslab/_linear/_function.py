"""linear_cross_entropy: the function form."""

from typing import Any

from .._ops import Array
from .._param import ByClass
from .._reduce import Reduction
from ._class import LinearCrossEntropy


def linear_cross_entropy(
    hidden: Any,
    weight: Any,
    labels: Any,
    bias: Any = None,
    *,
    ignore_class: int | None = None,
    class_weight: tuple[float, ...] | ByClass | None = None,
    label_smoothing: float = 0.0,
    softcap: float | None = None,
    temperature: float = 1.0,
    z_loss: float = 0.0,
    sample_weight: Any = None,
    reduction: Reduction = "sum_over_batch_size",
    normalizer: Any = None,
) -> Array:
    """The cross-entropy of `hidden @ weight.T + bias`, without ever holding the logits of all tokens.

    `losslab.LinearCrossEntropy` says what each argument is, what comes back and what it raises.

    >>> hidden, weight = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> losslab.linear_cross_entropy(hidden, weight, [0, 1]).round(4)
    np.float64(0.3955)
    >>> losslab.linear_cross_entropy(hidden, weight, [0, 1], z_loss=1e-4, reduction="none").round(4)
    array([0.5517, 0.24  ])
    """
    loss = LinearCrossEntropy(
        reduction=reduction,
        ignore_class=ignore_class,
        class_weight=class_weight,
        label_smoothing=label_smoothing,
        softcap=softcap,
        temperature=temperature,
        z_loss=z_loss,
    )
    return loss(hidden, weight, labels, bias, sample_weight, normalizer)
