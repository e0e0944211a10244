"""losslab over several devices: classes split over ranks, batches split over ranks.

Imported by those who ask for it: `import losslab.parallel`. `docs/parallel.md` shows it with torchrun, DTensor,
shard_map and DDP.
"""

from ._cross_entropy import cross_entropy
from ._linear import linear_cross_entropy
from ._normalizer import global_normalizer

__all__ = ["cross_entropy", "global_normalizer", "linear_cross_entropy"]
