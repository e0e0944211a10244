"""The ranks of PyTorch: the processes of a group, with plain tensors or DTensors."""

import sys
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from .._linear._drivers import Values
from ._shard import Shard
from ._torch_linear import LinearDriver
from ._torch_logits import LogitsDriver
from ._torch_split import TorchSplit, gathered

Tensor = torch.Tensor


@dataclass(frozen=True)
class TorchRanks:
    """What `Ranks` says."""

    group: dist.ProcessGroup | None

    def split(self, x: Any, axis: int, first: int | None, classes: int | None) -> tuple[Tensor, TorchSplit]:
        if _is_dtensor(x):
            from . import _dtensor

            return self.part(x), _dtensor.split_of(x, axis)
        return x, TorchSplit(self.group, self._shard(x, axis, first, classes))

    def part(self, x: Any) -> Any:
        return x.to_local() if _is_dtensor(x) else x

    def whole(self, x: Any, split: TorchSplit) -> Any:
        if _is_dtensor(x):
            from . import _dtensor

            return _dtensor.whole(x, split)
        return x

    def logits_driver(self, split: TorchSplit) -> Values:
        return LogitsDriver(split)

    def linear_driver(self, split: TorchSplit) -> Values:
        return LinearDriver(split)

    def total(self, x: Tensor) -> Tensor:
        total = x.detach().clone()
        dist.all_reduce(total, group=self.group)
        return total

    @property
    def count(self) -> int:
        return dist.get_world_size(self.group)

    def _shard(self, x: Tensor, axis: int, first: int | None, classes: int | None) -> Shard:
        """The classes of this process; how many the others have is gathered only where nothing says it."""
        size = x.shape[axis]
        if first is not None:
            return Shard.said(first, classes, size)
        rank = dist.get_rank(self.group)
        if classes is not None:
            return Shard.even(classes, rank, self.count, size)
        sizes = gathered(torch.tensor([size], device=x.device), self.group)[:, 0].tolist()
        return Shard(sum(sizes[:rank]), sum(sizes))


def _is_dtensor(x: Any) -> bool:
    """Whether it is one; their module costs half a second to import, and who has one has imported it."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(x, module.DTensor)
