"""Cross-entropy of logits whose classes are split over ranks."""

from typing import Any

from .._linear._class import LinearCrossEntropy
from .._ops import Array, ops_for
from .._param import ByClass
from .._reduce import Reduction
from ._batch import batch_of_logits
from ._ranks import ranks_for


def cross_entropy(
    y_true: Any,
    y_pred: Any,
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
    r"""The softmax cross-entropy of class ids, from logits of which every rank holds the columns of its own classes.

    The numbers of `losslab.SparseCategoricalCrossentropy(from_logits=True)` on the whole logits (and of
    `losslab.LinearCrossEntropy`, which has the formula with softcap, temperature and z-loss), the same on every rank.
    Each rank takes from its columns, per row, their log-sum-exp, the label's logit if it has it, and with label
    smoothing the sum of the logits; one all_gather of these 3N numbers, or 2N, is all that is sent. The gradient with
    respect to a rank's own logits needs nothing from the others: $e^{u - \text{lse}}$ minus the labels, smoothed by
    the number of all classes.

    Args:
        y_true: (…) class ids among all classes, or (…, 1); the same on every rank.
        y_pred: (…, V_rank) logits of the classes that this rank holds. Ranks may hold unequal numbers, PyTorch's ranks
            none at all. Or a PyTorch DTensor, split along its last axis by one dimension of its mesh.
        group: PyTorch: the process group that holds the classes among it; None for all processes. A DTensor knows it.
        axis_name: JAX: the axis of the mesh that the classes are split over, inside `jax.shard_map`.
        first: PyTorch: the first class that this rank holds.
        classes: the number of all classes. PyTorch: without it the numbers of all ranks are gathered, in rank order,
            which waits for an accelerator; with it and without `first` the ranks hold ⌈V / ranks⌉ each and the last
            ones what is left, as DTensor and `torch.chunk` split. JAX: columns from this number on are padding, which
            shard_map needs where the ranks do not divide V.
        ignore_class: the class id whose rows are removed, such as -100.
        class_weight: a weight for each of all classes, as a list or a dict {class: weight}; it enters no divisor.
        label_smoothing: from 0 to 1, how far the labels are drawn towards 1/V.
        softcap: the bound of the logits, > 0; None for none.
        temperature: > 0, what the logits are divided by, after the softcap.
        z_loss: >= 0, the weight of lse².
        sample_weight: a scalar, or of the shape of y_true or of its leading axes. 0 removes a row.
        reduction: as every losslab loss.
        normalizer: the divisor, in place of the reduction's own; `losslab.parallel.global_normalizer` gives that of
            a batch that is split over ranks too.

    Returns:
        One number, or with reduction="none" one per row (…), as a plain tensor: in float32, or in float64 for float64
        logits. On PyTorch it can be differentiated once, with respect to y_pred, sample_weight and normalizer; a
        DTensor gets a DTensor as its gradient. Every rank must differentiate it with the same upstream gradient.

    Raises:
        TypeError: arrays of NumPy or TensorFlow; `axis_name` with PyTorch, or none with JAX.
        ValueError: shapes that do not fit, a shard that is not what is said of it; a class id out of range. While
            tracing and on an accelerator, where looking would cost a synchronisation, that row's value is NaN instead.
        NotImplementedError: PyTorch: under torch.func or in forward mode; a gradient of the gradient.

    Source: the split of the softmax: Shoeybi et al. 2019, arXiv:1909.08053, section 3; merging log-sum-exps: Milakov &
    Gimelshein 2018, arXiv:1805.02867; z-loss: Chowdhery et al. 2022, arXiv:2204.02311, section 5.

    >>> import jax, losslab.parallel
    >>> from jax.sharding import PartitionSpec as P
    >>> loss = jax.shard_map(
    ...     lambda labels, logits: losslab.parallel.cross_entropy(labels, logits, axis_name="classes"),
    ...     mesh=jax.make_mesh((1,), ("classes",), axis_types=(jax.sharding.AxisType.Auto,)),
    ...     in_specs=(P(), P(None, "classes")),
    ...     out_specs=P(),
    ... )
    >>> round(float(loss(np.array([1]), np.array([[0.0, 2.0, 1.0]]))), 4)
    0.4076
    """
    caller = "parallel.cross_entropy"
    ops = ops_for(y_true, y_pred, sample_weight, normalizer)
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
    logits, split = ranks.split(y_pred, -1, first, classes)
    y_true, sample_weight, normalizer = (ranks.whole(x, split) for x in (y_true, sample_weight, normalizer))
    batch = batch_of_logits(caller, ops, y_true, logits, sample_weight, ignore_class, split.classes)
    return loss.of_batch(ops, ranks.logits_driver(split), batch, normalizer)
