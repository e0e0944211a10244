"""DTensors: which classes a process holds of one, and the plain tensor that it holds."""

import torch
from torch.distributed.tensor import DTensor, Partial, Replicate

from ._shard import Shard
from ._torch_split import TorchSplit

Tensor = torch.Tensor


def split_of(x: DTensor, axis: int) -> TorchSplit:
    """The classes of this process, where one dimension of the mesh splits them.

    Raises:
        ValueError: no dimension or several split them, or the values of one are yet to be summed.
    """
    over = [dim for dim, placement in enumerate(x.placements) if placement.is_shard(axis % x.ndim)]
    if len(over) != 1 or any(isinstance(placement, Partial) for placement in x.placements):
        raise ValueError(
            f"a DTensor of shape {tuple(x.shape)} is placed as {x.placements} on its mesh: its axis of classes, "
            f"{axis % x.ndim}, must be split by exactly one dimension of the mesh and nothing be left to sum: "
            f"redistribute it so, or take losslab.SparseCategoricalCrossentropy where it is not split"
        )
    mesh, dim = x.device_mesh, over[0]
    if axis == 0 and mesh.ndim > 1:  # a weight: where the rows of hidden differ, its gradient would be yet to be summed
        raise ValueError(
            f"a weight of shape {tuple(x.shape)} is a DTensor on a mesh of {mesh.ndim} dimensions: make it one on the "
            f"dimension that splits its classes alone, as in parallelize_module(model, mesh['tp'], …)"
        )
    shard = Shard.even(x.shape[axis], mesh.get_local_rank(dim), mesh.size(dim), x.to_local().shape[axis])
    return TorchSplit(mesh.get_group(dim), shard, mesh, dim)


def whole(x: DTensor, split: TorchSplit) -> Tensor:
    """What this process holds of a tensor that the processes with the other classes hold too.

    Raises:
        ValueError: they hold something else.
    """
    same = x.placements if split.mesh is None else x.placements[split.mesh_dim : split.mesh_dim + 1]
    if split.mesh not in (None, x.device_mesh) or not all(isinstance(each, Replicate) for each in same):
        raise ValueError(
            f"a DTensor of shape {tuple(x.shape)} is placed as {x.placements} on {x.device_mesh}, but every process "
            f"that holds some of the classes needs the same rows of it: redistribute it with Replicate() there"
        )
    return x.to_local()
