"""TorchSplit: the classes of one process among those of a group, and how the statistics of all become one."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from .._linear._options import RowOptions
from .._linear._rows import rows_for
from .._linear._torch_composed import needs_formula
from ._shard import Shard

Tensor = torch.Tensor


@dataclass(frozen=True)
class TorchSplit:
    """The classes of this process, and the processes that hold the others."""

    group: dist.ProcessGroup | None
    shard: Shard
    mesh: Any = None
    """Where the classes are split by a DTensor: its mesh, and which dimension of it."""
    mesh_dim: int = 0

    @property
    def classes(self) -> int:
        return self.shard.classes

    @property
    def ranks(self) -> int:
        return dist.get_world_size(self.group)

    def statistics(self, logits: Tensor, labels: Tensor, options: RowOptions) -> Tensor:
        """The statistics (3, N) of rows of logits over all classes."""
        return self._merged(rows_for(logits).statistics(logits, labels, options, self.shard.first), options)

    def gradient_(self, logits: Tensor, labels: Tensor, lse: Tensor, scale: Tensor, options: RowOptions) -> None:
        """Overwrite this process's logits with their gradient, given the log-sum-exp over all classes."""
        rows_for(logits).gradient_(logits, labels, lse, scale, options, self.classes, self.shard.first)

    def _merged(self, rows: Tensor, options: RowOptions) -> Tensor:
        """The statistics over all classes from those over each shard: one all_gather of 3N numbers.

        Without label smoothing the sum of the logits stays at home, and 2N are sent.
        """
        if self.ranks == 1 or not rows.numel():
            return rows
        sent = rows if options.label_smoothing else rows[:2]
        received = gathered(sent, self.group)
        rows[0] = torch.logsumexp(received[:, 0], dim=0)
        rows[1 : len(sent)] = received[:, 1:].sum(dim=0)
        return rows


def gathered(x: Tensor, group: dist.ProcessGroup | None) -> Tensor:
    """What each process sends, stacked in rank order."""
    ranks = dist.get_world_size(group)
    received = x.new_empty((ranks * len(x), *x.shape[1:]))  # flat, as gloo wants it
    gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor  # its name before PyTorch 2.13
    gather(received, x, group=group)
    return received.view(ranks, *x.shape)


def refuse_a_graph_of_the_gradient() -> None:
    """What `backward` begins with: under create_graph=True its result would pass for a constant.

    Raises:
        NotImplementedError: the gradient is to be differentiated again.
    """
    if torch.is_grad_enabled():
        raise NotImplementedError(
            "losslab.parallel's gradients cannot be differentiated again (create_graph=True): "
            "take losslab.SparseCategoricalCrossentropy on the whole logits for that"
        )


def refuse_transforms(*tensors: Tensor | None) -> None:
    """What a driver begins with: PyTorch's own error for a function without rules tells nobody what to do.

    Raises:
        NotImplementedError: a transform of torch.func, or forward mode, is to go through the loss.
    """
    if needs_formula(*tensors):
        raise NotImplementedError(
            "losslab.parallel's losses do not go through torch.func (grad, jvp, vmap, …) or forward mode: what they "
            "send has no rule for it. Take the gradient with loss.backward() or torch.autograd.grad, or "
            "losslab.SparseCategoricalCrossentropy or losslab.linear_cross_entropy on all classes"
        )
