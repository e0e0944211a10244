"""What is minimised: a loss plus penalties. Kernel L2, activity L1, MaxNorm and L1L2 in a dense model, judged by AUC.

    python examples/objective.py

The data are scikit-learn's 569 breast tumours, 30 measurements each: malignant or benign.
"""

import argparse
from pathlib import Path

import data  # noqa: F401  before Keras: it chooses the backend
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer

import losslab
import losslab.keras
from losslab.constraints import MaxNorm
from losslab.regularizers import l1, l1_l2, l2

PENALTIES = {"hidden/kernel": l2(0.003), "out/kernel": l1_l2(l1=0.002, l2=0.002)}
ACTIVITY = {"hidden": l1(0.002)}
LONGEST = 0.4


def network():
    keras.utils.set_random_seed(0)
    hidden = {
        "kernel_regularizer": PENALTIES["hidden/kernel"],
        "activity_regularizer": ACTIVITY["hidden"],
        "kernel_constraint": MaxNorm(LONGEST),
    }
    return keras.Sequential(
        [
            layers.Input((30,)),
            layers.Dense(32, "relu", name="hidden", **hidden),
            layers.Dense(1, "sigmoid", name="out", kernel_regularizer=PENALTIES["out/kernel"]),
        ]
    )


def draw(parts, file):
    """The terms of the objective after each epoch, one on the other."""
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    epochs, bottom = np.arange(1, len(parts) + 1), np.zeros(len(parts))
    words = {"loss": "binary_crossentropy", "activity/hidden": "L1 of the activity"}
    for name, colour in zip(parts[0], ("#0072B2", "#009E73", "#CC79A7", "#D55E00"), strict=True):
        values = np.array([float(each[name]) for each in parts])
        axes.fill_between(epochs, bottom, bottom + values, color=colour, linewidth=0)
        label = words.get(name, f"{type(PENALTIES.get(name)).__name__} of {name}")
        end = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
        axes.annotate(label, (1, (bottom + values / 2)[-1]), (6, 0), color=colour, **end)
        bottom += values
    axes.set(xlabel="epoch", ylabel="objective, nats", xlim=(1, len(parts)), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=160)


def measures(y, p, batch=16):
    """AUC over everything, and the mean of the AUCs of batches."""
    auc, batches = losslab.metrics.AUC(), []
    for i in range(0, len(y), batch):
        auc.update(y[i : i + batch], p[i : i + batch])
        if 0 < y[i : i + batch].mean() < 1:
            batches.append(losslab.metrics.auc(y[i : i + batch], p[i : i + batch]))
    return auc.result(), np.mean(batches)


def said(call, *given):
    try:
        answer = repr(call(*given))
    except ValueError as error:
        answer = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    print(f"  {answer}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=569)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "output", help="for the picture")
    args = parser.parse_args()

    tumours = load_breast_cancer()
    order = np.random.default_rng(0).permutation(len(tumours.data))[: args.samples]
    x, y = tumours.data[order].astype("float32"), 1 - tumours.target[order, None]  # 1 is malignant
    cut = 4 * len(x) // 5
    x = (x - x[:cut].mean(axis=0)) / x[:cut].std(axis=0)
    x, x_test, y, y_test = x[:cut], x[cut:], y[:cut], y[cut:]

    model, parts = network(), []
    hidden = keras.Model(model.inputs[0], model.get_layer("hidden").output)
    objective = losslab.Objective("binary_crossentropy", PENALTIES, ACTIVITY)
    model.compile("adam", losslab.keras.BinaryCrossentropy(), metrics=[keras.metrics.AUC(name="auc")])
    for _ in range(args.epochs):
        model.fit(x, y, verbose=0)
        together, terms = objective.with_parts(y, model(x), model, activities={"hidden": hidden(x)})
        parts.append(terms)
    args.out.mkdir(parents=True, exist_ok=True)
    draw(parts, args.out / "objective.png")

    print("The objective after training, term by term:")
    for name, value in terms.items():
        print(f"  {name:18}{float(value):9.5f}")
    total = model.evaluate(x, y, batch_size=len(x), verbose=0)[0]
    print(f"  {'together':18}{float(together):9.5f}   what Keras minimised: {total:.5f}")
    norms = np.linalg.norm(model.get_layer("hidden").kernel, axis=0)
    held = (norms > 0.999 * LONGEST).sum()
    print(f"MaxNorm: {held} of the {len(norms)} columns of hidden/kernel are held at a length of {norms.max():.4f}.")

    p = model.predict(x_test, verbose=0)
    whole, by_batch = measures(y_test, p)
    binned = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"AUC of the test tumours: {whole:.5f} exactly, {binned:.5f} from Keras' 200 bins.")
    print(f"The mistake: the mean of the AUCs of batches, {by_batch:.5f}, is not the AUC.")

    print("\nThe mistake: a loop of your own that minimises the loss and forgets model.losses.")
    print(f"  It would minimise {float(terms['loss']):.5f} of {float(together):.5f}; an Objective has no such half.")
    print("The mistake: a path that no parameter has. Nothing would be penalised, so:")
    said(losslab.Objective("binary_crossentropy", {"hidden/kernal": l2(0.01)}), y, model(x), model)
    print("The mistake: a name that ought to work. Keras, then losslab, on 'l1_l2':")
    said(keras.regularizers.get, "l1_l2")
    said(losslab.regularizers.get, "l1_l2")


if __name__ == "__main__":
    main()
