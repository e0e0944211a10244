"""The machine: processor, versions, settings, load."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("losslab", "numpy", "scipy", "torch", "jax", "tensorflow_cpu", "keras", "optax", "scikit-learn", "monai")
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def facts() -> dict[str, Any]:
    """What a reader needs to judge the figures."""
    return {
        "processor": _processor(),
        "cpus": _cpus(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "huge_pages": _huge_pages(),
        "load": load(),
    }


def load() -> list[float]:
    """Processes that ran or waited to run, the mean over the last 1, 5 and 15 minutes."""
    return [round(each, 2) for each in os.getloadavg()] if hasattr(os, "getloadavg") else []


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """The model name, where the system tells it."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _huge_pages() -> str:
    """The kernel's setting, and PyTorch's own switch: between them they change some figures threefold."""
    known = HUGE_PAGES.exists()
    kernel = HUGE_PAGES.read_text().partition("[")[2].partition("]")[0] if known else "not told"
    return f"{kernel}, THP_MEM_ALLOC_ENABLE={os.environ.get('THP_MEM_ALLOC_ENABLE', 'unset')}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
