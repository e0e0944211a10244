"""Named random streams: every source of randomness of a run has its own, so that none shifts another."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator called `name` of the run `seed`; the same two always give the same numbers."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
