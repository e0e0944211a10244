"""A figure as what a file or a page holds: PNG, SVG, CSV."""

from __future__ import annotations

import io
import re

import matplotlib as mpl

from losslab.lab.plots.plot import Plot
from losslab.lab.plots.style import INK


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
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        plot.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="(loss-\d+(?: loss-\d+)*)"', r'class="\1"', text)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace(INK, "currentColor")


def standing_alone(svg: str) -> str:
    """Return an <svg> element as the content of a file: dark on white, as no page around it gives it colours."""
    return svg.replace("<svg ", f'<svg style="color: {INK}; background: white" ', 1)


def csv(plot: Plot) -> str:
    """Return the table, numbers with six digits."""
    text: str = plot.table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text
