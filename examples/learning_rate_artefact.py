"""Is the squared error bad at classification? Two losses under one shared learning rate, and each under its own.

    python examples/learning_rate_artefact.py

The gradient of the mean squared error on softmax outputs is much smaller than the cross-entropy's. At one rate of plain
gradient descent it has hardly begun to learn when the cross-entropy is done, which has been taken for a property of the
loss. Each at its own best rate, tuned on validation data, they tie (Hui & Belkin 2021, arXiv:2006.07322).
"""

import argparse
from pathlib import Path

from losslab.lab import compare

LOSSES = ["categorical_crossentropy", "mean_squared_error"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("examples/output/learning_rate_artefact"))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--subset", type=int)
    given = parser.parse_args()
    settings = {"optimizer": "sgd", "seeds": given.seeds, "epochs": given.epochs, "subset": given.subset}
    for name, lr in (("shared", "shared=0.1"), ("tuned", "auto")):
        found = compare("digits", LOSSES, lr=lr, out=given.out / name, **settings)
        table = found.table()
        print(f"{name}: rates {', '.join(f'{rate:g}' for rate in table.lr)}")
        print(found.verdict(), found.report(), "", sep="\n")


if __name__ == "__main__":
    main()
