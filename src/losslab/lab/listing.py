"""The catalogue, as `losslab list` prints it."""

from __future__ import annotations

import losslab


def print_losses() -> None:
    """Print every loss's name, aliases and first line of documentation."""
    for name in losslab.names():
        loss = losslab.get(name)
        summary = (type(loss).__doc__ or "").strip().partition("\n")[0]
        print(f"{name:36} {', '.join(losslab.aliases_of(name))}")
        print(f"    {summary}")
