"""The lab: trains the same network under several losses, fairly, and says which is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losslab.lab.comparison import Comparison, compare
    from losslab.lab.levels import Levels, compare_levels

__all__ = ["Comparison", "Levels", "compare", "compare_levels"]


def __getattr__(name: str) -> Any:
    # On first use, because the command line's help must not wait for SciPy.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from losslab.lab import comparison, levels

    return getattr(comparison if name in ("Comparison", "compare") else levels, name)
