"""Writes the pages that follow from the code: one per loss, their index, and the differences from Keras."""

import pathlib
import re
import tomllib

import latex2mathml.converter
import matplotlib.figure
import numpy as np

import losslab

DOCS = pathlib.Path(__file__).parent
PAGES = DOCS / "losses"


def main():
    PAGES.mkdir(exist_ok=True)
    rows = ["| name | aliases | what it is |", "|---|---|---|"]
    for name in losslab.names():
        cls = type(losslab.get(name))
        (PAGES / f"{name}.md").write_text(page(name, cls))
        summary = cls.__doc__.partition("\n")[0]
        others = [f"`{alias}`" for alias in losslab.aliases_of(name)]
        rows.append(f"| [`{name}`]({name}.md) | {', '.join(others)} | {mathematics(summary)} |")
    (PAGES / "index.md").write_text("# Losses\n\n" + "\n".join(rows) + "\n")
    (PAGES / "differences.md").write_text(differences())


def page(name, cls):
    """The docstring as Markdown, with the loss drawn where it is a curve."""
    picture = f"![{name} and its slope]({name}.svg)\n" if draw(name, cls()) else ""
    return f"# {cls.__name__}\n\n{picture}\n{markdown(cls.__doc__)}\n"


def draw(name, loss):
    """Value against prediction, for element losses: a curve per label."""
    if not isinstance(loss, losslab.ElementLoss):
        return False
    labels, low, high = CURVES[loss.outputs.name]
    x = np.linspace(low, high, 400)
    figure = matplotlib.figure.Figure(figsize=(6, 3), layout="constrained")
    axes = figure.add_subplot()
    for label in labels:
        axes.plot(x, type(loss)(reduction="none")(np.full_like(x, label), x), label=f"y_true = {label:g}")
    axes.set_xlabel("y_pred")
    axes.set_ylabel(name)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PAGES / f"{name}.svg", metadata={"Date": None})
    return True


CURVES = {
    "real": ((1.0,), -3, 5),
    "non_negative": ((1.0, 4.0), 0, 8),
    "rate": ((1.0, 4.0), 0.02, 8),
    "score": ((-1.0, 1.0), -3, 3),
    "probability": ((0.0, 1.0), 0.001, 0.999),
}


def markdown(text):
    """Sections as headings, parameters as lists, examples as code, mathematics as MathML."""
    text = re.sub(r"(?m)^(Parameters|Args of the loss.*|Returns|Raises):$", r"### \1\n", text)
    text = re.sub(r"(?m)^((?:>>>|\.\.\.).*(?:\n(?!\n|###).*)*)", r"```python\n\1\n```", text)
    text = re.sub(r"(?m)^    (\w+)( = [^:]+)?: ", r"- `\1\2`: ", text)
    text = re.sub(r"(?m)^    (?! )", "", text)
    text = re.sub(r"(?m)^(Source|Aliases|Compared in the tests with): ", r"**\1:** ", text)
    return mathematics(text)


def mathematics(text):
    text = re.sub(r"\n(?=\$)", " ", text)  # at the beginning of a line it would be a paragraph of its own
    return re.sub(r"\$(.+?)\$", lambda tex: latex2mathml.converter.convert(tex[1]), text, flags=re.S)


def differences():
    rows = tomllib.loads((DOCS / "differences.toml").read_text())["difference"]
    lines = [
        "# Differences from Keras",
        "",
        "For valid input away from saturation the numbers are Keras'. At the edges they differ as follows.",
        "Keras' numbers are those of Keras 3 on JAX; `tests/test_differences.py` evaluates every row.",
        "",
        "| what | losslab gives | Keras gives |",
        "|---|---|---|",
    ]
    for row in rows:
        ours, theirs = row["gives"]
        lines.append(f"| {row['about']}<br>`{row['losslab']}` | {ours} | {theirs} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
