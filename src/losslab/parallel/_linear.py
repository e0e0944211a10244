"""Linear cross-entropy with the classes of the weight split over ranks."""

from typing import Any

from .._linear._class import LinearCrossEntropy
from .._linear._tokens import batch_of
from .._ops import Array, ops_for
from .._param import ByClass
from .._reduce import Reduction
from ._ranks import ranks_for


def linear_cross_entropy(
    hidden: Any,
    weight: Any,
    labels: Any,
    bias: Any = None,
    *,
    group: Any = None,
    axis_name: Any = None,
    first: int | None = None,
    classes: int | None = None,
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
    """The cross-entropy of `hidden @ weight.T + bias`, of which every rank holds the rows of its own classes.

    The numbers of `losslab.linear_cross_entropy` with the whole weight. A rank's logits exist for one chunk of tokens
    at a time, and the gradients are taken while they do: 6NDV multiplications, split over the ranks. For that the
    log-sum-exp over all classes must be known chunk by chunk, so the one all_gather of 3N numbers goes out in as many
    pieces as there are chunks; to keep it in one piece, all logits would be computed twice (8NDV). The gradient of
    `weight` and `bias` stays where they are. That of `hidden` is summed over the ranks, a chunk at a time while
    the next chunk is computed: N·D numbers, as in any layer that is split by its outputs.

    Args:
        hidden: (…, D) the input of the last layer; the same on every rank.
        weight: (V_rank, D) the rows of the classes that this rank holds, or a DTensor split along its first axis.
        labels: (…) class ids among all classes; the same on every rank.
        bias: (V_rank,) of the same classes.
        group, axis_name, first, classes: as in `losslab.parallel.cross_entropy`.
        ignore_class, class_weight, label_smoothing, softcap, temperature, z_loss, sample_weight, reduction, normalizer:
            as in `losslab.linear_cross_entropy`; the class weights are those of all classes.

    Returns:
        One number, or with reduction="none" one per token (…), the same on every rank. It can be differentiated once
        (for "none" the logits are computed again: 8NDV), everywhere with the same upstream gradient.

    Raises: as `losslab.parallel.cross_entropy`.

    Source: as `losslab.LinearCrossEntropy`, split as in Shoeybi et al. 2019, arXiv:1909.08053, section 3.

    >>> import jax, losslab.parallel
    >>> from jax.sharding import PartitionSpec as P
    >>> loss = jax.shard_map(
    ...     lambda *arrays: losslab.parallel.linear_cross_entropy(*arrays, axis_name="classes"),
    ...     mesh=jax.make_mesh((1,), ("classes",), axis_types=(jax.sharding.AxisType.Auto,)),
    ...     in_specs=(P(), P("classes"), P()),
    ...     out_specs=P(),
    ... )
    >>> hidden, weight = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> round(float(loss(hidden, weight, np.array([0, 1]))), 4)
    0.3955
    """
    caller = "parallel.linear_cross_entropy"
    ops = ops_for(hidden, weight, labels, bias, sample_weight, normalizer)
    ranks = ranks_for(caller, ops, group, axis_name)
    loss = LinearCrossEntropy(
        name=caller,
        reduction=reduction,
        ignore_class=ignore_class,
        class_weight=class_weight,
        label_smoothing=label_smoothing,
        softcap=softcap,
        temperature=temperature,
        z_loss=z_loss,
    )
    weight, split = ranks.split(weight, 0, first, classes)
    hidden, labels, sample_weight, normalizer = (
        ranks.whole(x, split) for x in (hidden, labels, sample_weight, normalizer)
    )
    batch = batch_of(caller, ops, hidden, weight, labels, ranks.part(bias), sample_weight, ignore_class, split.classes)
    return loss.of_batch(ops, ranks.linear_driver(split), batch, normalizer)
