"""Four published results about losses, tried anew: label noise, underfitting, overconfidence, the square loss.

    python examples/published_results.py

Each is a comparison of `losslab.lab` on real images, with learning rates of each loss's own and paired seeds:

- wrong labels: the generalized cross-entropy stands them better than the cross-entropy (Zhang & Sabuncu 2018,
  arXiv:1805.07836);
- the mean absolute error, which stands them by theory (Ghosh et al. 2017, arXiv:1712.09482), underfits: it does not get
  even its training examples right;
- a network that is trained on too long becomes overconfident under the cross-entropy, less so under the focal loss and
  the Brier score, which is the squared error of the probabilities (Mukhoti et al. 2020, arXiv:2002.09437);
- the squared error classifies as well as the cross-entropy (Hui & Belkin 2021, arXiv:2006.07322).

The data are read from `.npz` files in Keras' layout where `losslab compare --data fashion_mnist` finds them.
"""

import argparse
from pathlib import Path

import data  # noqa: F401  before Keras: it chooses the backend
import keras
import numpy as np
from keras import layers

from losslab.lab import compare
from losslab.lab.store import read_config, read_log

CCE, GCE, MAE = "categorical_crossentropy", "categorical_generalized_cross_entropy", "mean_absolute_error"
FOCAL, SQUARE = "categorical_focal_crossentropy:gamma=3", "mean_squared_error"
DENSE = f"{__file__}:dense"


def dense(shape, outputs):
    """Large enough to learn a few thousand images by heart."""
    hidden = [layers.Dense(256, "relu"), layers.Dense(128, "relu")]
    return keras.Sequential([layers.Input(shape), layers.Flatten(), *hidden, layers.Dense(outputs)])


def noise(settings):
    losses = [CCE, GCE, MAE]
    return compare("fashion_mnist", losses, model=DENSE, noise=0.4, **{"subset": 5000, "epochs": 30} | settings)


def underfitting(settings):
    return compare("fashion_mnist", [CCE, MAE], model=DENSE, **{"subset": 5000, "epochs": 30} | settings)


def overconfidence(settings):
    losses = [CCE, FOCAL, SQUARE]
    return compare("fashion_mnist", losses, model=DENSE, **{"subset": 2500, "epochs": 100} | settings)


def square(settings):
    return compare("mnist", [CCE, SQUARE], **{"subset": 10000} | settings)


def trained(found):
    """The mean share of the training examples that each loss gets right in the last epoch, by its label."""
    groups = {arm["group"] for arm in read_config(found.folder)["arms"]}  # the folder may hold others' runs as well
    logged = [run for run in read_log(found.folder)[0].values() if run["group"] in groups]
    runs = [run for run in logged if run["stage"] == "final" and run["status"] == "ok"]
    labels = dict.fromkeys(run["label"] for run in runs)
    return {label: np.mean([run["history"]["score"][-1] for run in runs if run["label"] == label]) for label in labels}


def told(found, name):
    print(f"{name}: {found.report()}")
    print(found.verdict())
    table = found.table()
    if name == "underfitting":
        print(
            "; ".join(
                f"{label} gets {share:.1%} of its training examples right" for label, share in trained(found).items()
            )
        )
    if name == "overconfidence":
        for label, row in table.iloc[1:].iterrows():
            difference = (
                f"{row.ece_difference:+.2f} points [{row.ece_low:+.2f}, {row.ece_high:+.2f}], p {row.ece_p:.2g}"
            )
            print(f"{label}: calibration error {row.ece:.2f} %, {difference}: {row.ece_verdict}")
        print(f"{table.index[0]}: calibration error {table.ece.iloc[0]:.2f} %")
    print()


RESULTS = {"noise": noise, "underfitting": underfitting, "overconfidence": overconfidence, "square": square}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=RESULTS)
    parser.add_argument("--out", type=Path, default=Path("examples/output/published_results"))
    parser.add_argument("--samples", type=int, help="training and validation images")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int)
    given = parser.parse_args()
    chosen = {"subset": given.samples, "epochs": given.epochs, "seeds": given.seeds}
    settings = {name: value for name, value in chosen.items() if value is not None}
    for name, result in RESULTS.items():
        if given.only in (None, name):
            told(result({"out": given.out / name, **settings}), name)


if __name__ == "__main__":
    main()
