"""The divisor of a batch whose samples are split over ranks."""

from typing import Any, Literal

from .._ops import Array, ops_for
from ._ranks import ranks_for


def global_normalizer(
    local: Any, *, gradients: Literal["sum", "mean"], group: Any = None, axis_name: Any = None
) -> Array:
    r"""The divisor with which the losses of all ranks' batches have the gradient of the one batch that they make up.

    A mean over each rank's own samples weighs every rank alike, however few of its samples count: the gradient is that
    of another loss. Divide by one number instead, the total of all ranks:

    $\nabla \frac{\sum_r \sum_i w_{ri} v_{ri}}{\sum_r n_r} = \sum_r \nabla \frac{\sum_i w_{ri} v_{ri}}{\sum_r n_r}$

    where ranks add up their gradients. Where they average them, as PyTorch's DDP and FSDP do, each has to be as many
    times larger as there are ranks, so the divisor is $\sum_r n_r / \text{ranks}$.

    Args:
        local: what this rank's loss would be divided by, a tensor with one number: the count of its samples that are
            not ignored, or the sum of their weights; over all its micro-batches where it accumulates gradients.
        gradients: "sum" where the gradients of the ranks are summed (`psum`, all_reduce, and `jax.grad` inside
            `shard_map` with respect to what all ranks share), "mean" where they are averaged (DDP, FSDP, `pmean`).
        group: PyTorch: the process group that the batch is split over; None for all processes.
        axis_name: JAX: the axis, or the axes, of the mesh that the batch is split over, inside `jax.shard_map`.

    Returns:
        The number to give as `normalizer=`, the same on every rank, without gradient; 0 where nothing is left, which
        every losslab loss takes as 0. The loss of the whole batch is the sum, or the mean, of the ranks' losses.

    Raises:
        TypeError: no tensor; `axis_name` with PyTorch, or none with JAX.
        ValueError: `gradients` is something else, `local` more than one number.

    >>> import jax, losslab.parallel
    >>> from jax.sharding import PartitionSpec as P
    >>> def loss(labels, logits):
    ...     count = jax.numpy.sum(labels != -1)
    ...     normalizer = losslab.parallel.global_normalizer(count, gradients="sum", axis_name="batch")
    ...     own = losslab.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    ...     return jax.lax.psum(own(labels, logits, normalizer=normalizer), "batch")
    >>> mesh = jax.make_mesh((1,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    >>> mapped = jax.shard_map(loss, mesh=mesh, in_specs=(P("batch"), P("batch")), out_specs=P())
    >>> round(float(mapped(np.array([1, -1]), np.zeros((2, 2)))), 4)
    0.6931
    """
    if gradients not in ("sum", "mean"):
        raise ValueError(
            f"gradients={gradients!r} must say what becomes of the ranks' gradients: 'sum', or 'mean' (DDP, FSDP)"
        )
    ops = ops_for(local)
    ranks = ranks_for("parallel.global_normalizer", ops, group, axis_name)
    if ops.shape(local) != ():
        raise ValueError(
            f"global_normalizer takes one number of each rank, got an array of shape {tuple(ops.shape(local))}: "
            f"give the count of its samples, or the sum of their weights"
        )
    total = ranks.total(local)
    return total if gradients == "sum" else total / ranks.count
