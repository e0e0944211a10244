"""What times and counts: a GPU, or a CPU in its place."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

GIB = 2**30


class Gpu:
    """Times by events, its cache overwritten before each call; counts the bytes that PyTorch allocates."""

    name = "cuda"
    compiler = "inductor"

    def __init__(self) -> None:
        self._cache = torch.empty(GIB // 4, dtype=torch.int8, device=self.name)

    def seconds(self, call: Callable[[], object]) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._cache.zero_()
        start.record()
        call()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1e3

    def peak(self, call: Callable[[], object]) -> int | None:
        """Bytes beyond what is held before the call; its results count."""
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before

    def facts(self) -> dict[str, Any]:
        device = torch.cuda.get_device_properties(0)
        return {"name": device.name, "processors": device.multi_processor_count, "cuda": torch.version.cuda}

    def ceilings(self) -> dict[str, float]:
        """Bytes per second of a copy, read and written, and operations per second of a product in bfloat16."""
        source, target = (torch.empty(2 * GIB, dtype=torch.int8, device=self.name) for _ in range(2))
        left, right = (torch.randn(8192, 8192, dtype=torch.bfloat16, device=self.name) for _ in range(2))
        copy = statistics.median(self.seconds(lambda: target.copy_(source)) for _ in range(10))
        product = statistics.median(self.seconds(lambda: left @ right) for _ in range(10))
        return {"byte": 4 * GIB / copy, "flop": 2 * 8192**3 / product}


class Cpu:
    """Stands in where the script itself is tried."""

    name = "cpu"
    compiler = "aot_eager"

    def seconds(self, call: Callable[[], object]) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    def peak(self, call: Callable[[], object]) -> int | None:
        call()
        return None

    def facts(self) -> dict[str, Any]:
        return {"name": "none: Triton's interpreter on a CPU"}

    def ceilings(self) -> dict[str, float]:
        return {}


Device = Gpu | Cpu
