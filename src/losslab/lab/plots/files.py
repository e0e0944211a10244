"""A figure as what a file or a page holds: PNG, SVG, CSV."""

from __future__ import annotations

import io
import re

import matplotlib as mpl
import numpy as np

from losslab.lab.plots.plot import Plot
from losslab.lab.plots.style import INK, STYLE


def settle(plot: Plot) -> None:
    """Lay the figure out once and for all: that takes longer than drawing, and the places of the marks depend on it."""
    square = any(axes.get_aspect() != "auto" for axes in plot.figure.axes)
    for _ in range(1 + square):  # the first layout does not know yet how large the squares become
        plot.figure.draw_without_rendering()
    plot.figure.set_layout_engine("none")


def png(plot: Plot) -> bytes:
    """Return the figure as a PNG on white."""
    buffer = io.BytesIO()
    plot.figure.savefig(buffer, format="png", dpi=160, facecolor="white")
    return buffer.getvalue()


def svg(name: str, plot: Plot) -> str:
    """Return the figure as an <svg> element with ids of its own, which takes the page's text colour.

    What belongs to one arm, by its gid, has that as its class.
    """
    buffer = io.StringIO()
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}):
        plot.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = _styles_once(name, _short(buffer.getvalue()))
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace(INK, "currentColor")


def _short(text: str) -> str:
    """Leave out half of what matplotlib writes: prologue, names of groups, turns by 0, a coordinate's third digit."""
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'<g id="(loss-\d+(?: loss-\d+)*)"', r'<g class="\1"', text)
    text = re.sub(r'<g id="\w+"', "<g", text)
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    return re.sub(r"<[^>]*>", _rounded, text)


def _rounded(tag: re.Match[str]) -> str:
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag[0])


def _styles_once(name: str, text: str) -> str:
    """Turn the styles, which matplotlib repeats at every element, into classes of this figure's own."""
    styles = dict.fromkeys(re.findall(r' style="([^"]*)"', text))
    classes = {style: f"{name}-{number}" for number, style in enumerate(styles)}
    text = re.sub(r' style="([^"]*)"', lambda style: f' class="{classes[style[1]]}"', text)
    rules = "".join(f".{place} {{{style}}}" for style, place in classes.items())
    return text.replace("</style>", f"{rules}</style>", 1)


def standing_alone(svg: str) -> str:
    """Return an <svg> element as the content of a file: dark on white, as no page around it gives it colours."""
    return svg.replace("<svg ", f'<svg style="color: {INK}; background: white" ', 1)


def csv(plot: Plot) -> str:
    """Return the table, numbers with six digits."""
    text: str = plot.table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text


def places(plot: Plot) -> list[tuple[int, float, float]]:
    """Return (row of the table, x, y) of what lies in view, in the units of the SVG."""
    box, unit = plot.figure.bbox, 72 / plot.figure.dpi
    found = []
    for mark in plot.marks:
        pixels = mark.axes.transData.transform(np.column_stack([mark.x, mark.y]))
        for row, pixel in zip(mark.rows, pixels, strict=True):
            if mark.axes.bbox.contains(*pixel):
                found.append((row, round(unit * pixel[0], 1), round(unit * (box.height - pixel[1]), 1)))
    return found
