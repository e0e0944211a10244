"""What is installed here, found without importing it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("losslab", "numpy", "scipy", "keras", "jax", "torch", "tensorflow", "scikit-learn", "pandas", "matplotlib")


def describe() -> dict[str, Any]:
    """Return the machine and the versions of the packages that matter; None for those that are not installed."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
