"""How time and memory grow with each size, the others fixed: twice the work may take twice the time, and no more.

The sizes begin where the gradients are too large for the caches, whose end would show as a step, and where blocks have
taken over from PyTorch's fused operators (2^23 logits).
"""

from typing import Any

import calls
import definitions
from case import Case, Contender, Role, Size
from targets import Slope, Target

from .elementwise import ours_focal
from .inputs import classified, detected, last_layer
from .linear import WRT
from .linear import ours as ours_linear
from .overhead import ours as ours_cross_entropy

TIMES = (1, 2, 4, 8)
TIME, MEMORY = Slope("time", 1.05), Slope("memory", 1.05)
FLAT = Slope("beyond", 0.1)

FOCAL: dict[str, Any] = {
    "inputs": detected,
    "reference": definitions.focal,
    "build": calls.on_torch(ours_focal, "y_pred"),
}
CROSS_ENTROPY: dict[str, Any] = {
    "inputs": classified,
    "reference": definitions.cross_entropy,
    "build": calls.on_torch(ours_cross_entropy, "y_pred"),
}
LINEAR: dict[str, Any] = {
    "inputs": last_layer,
    "reference": definitions.linear_cross_entropy,
    "build": calls.on_torch(ours_linear, *WRT),
}


def growth(loss: str, axis: str, base: Size, *targets: Target, build: Any, **definition: Any) -> Case:
    """The sizes `base`, the one named by `axis` times 1, 2, 4 and 8; with --quick an eighth of it, times 1 and 8."""
    fixed = "".join(f", {name} {size:,}" for name, size in base.items() if name != axis)
    return Case(
        name=f"growth_{loss}_{axis}".replace(" ", "_"),
        title=f"{loss.capitalize()}, {axis} growing from {{{axis}:,}}{fixed}: forward and backward, PyTorch",
        size=base,
        quick=_eighth(base, axis),
        contenders=tuple(_at(times, base, axis, build) for times in TIMES),
        targets=targets,
        grows=axis,
        **definition,
    )


def _at(times: int, base: Size, axis: str, build: Any) -> Contender:
    size = {**base, axis: base[axis] * times}
    ends = times in (TIMES[0], TIMES[-1])
    quick = _eighth(size, axis)
    return Contender(f"losslab, {axis} × {times}", build, Role.OURS, size=size, quick=quick, in_quick=ends)


def _eighth(size: Size, axis: str) -> Size:
    return {**size, axis: size[axis] // 8}


CASES = (
    growth("focal loss", "elements", {"elements": 2**22}, TIME, MEMORY, **FOCAL),
    growth("cross-entropy", "rows", {"rows": 1024, "classes": 16000}, TIME, MEMORY, **CROSS_ENTROPY),
    growth("cross-entropy", "classes", {"rows": 2048, "classes": 8000}, TIME, MEMORY, **CROSS_ENTROPY),
    growth("linear cross-entropy", "n", {"n": 512, "d": 256, "v": 16000}, TIME, MEMORY, **LINEAR),
    growth("linear cross-entropy", "d", {"n": 1024, "d": 128, "v": 16000}, TIME, MEMORY, **LINEAR),
    growth("linear cross-entropy", "v", {"n": 1024, "d": 256, "v": 8000}, TIME, MEMORY, FLAT, **LINEAR),
)
