"""How the figures look: colours, lines, names."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with every kind of colour vision, on white and on black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F")
INK = "#1b1f24"
FAINT = "#8b949e"
PANELS_A_ROW = 4

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial", "sans-serif"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.alpha": 0.25,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
}


def colour(arm: int) -> str:
    """Return the colour of an arm."""
    return PALETTE[arm % len(PALETTE)]


def line(arm: int) -> str:
    """Return a line style that tells arms of the same colour apart."""
    return ("-", "--", ":")[arm // len(PALETTE) % 3]


def gid(*arms: int) -> str:
    """Return what marks an artist as that of these arms; in the SVG it is the classes of the artist's element."""
    return " ".join(f"loss-{arm}" for arm in arms)


def name_arms(figure: Figure) -> None:
    """Put a legend beside the panel, whose entries are the arms in their order."""
    legend = figure.legend(loc="outside right upper")
    for arm, parts in enumerate(zip(legend.get_texts(), legend.get_lines(), strict=True)):
        for part in parts:
            part.set_gid(gid(arm))


def wrapped(label: str) -> str:
    """Break a long name at an underscore so that it fits over a panel."""
    if len(label) <= 24:
        return label
    breaks = [i for i, letter in enumerate(label) if letter in "_:"]
    middle = min(breaks, key=lambda i: abs(i - len(label) // 2), default=len(label))
    return f"{label[: middle + 1]}\n{label[middle + 1 :]}" if breaks else label
