"""Focal loss on MNIST with compile and fit, in every form that compile takes; and what applying softmax twice does.

python examples/mnist_focal_compile.py
"""

import argparse
from pathlib import Path

import data  # before Keras: it chooses the backend
import keras
import matplotlib.pyplot as plt
import numpy as np

import losslab
import losslab.keras

PARAMETERS = {"gamma": 2.0, "alpha": 1.0, "from_logits": True}


class Network(keras.Model):
    def __init__(self, activation):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.hidden = keras.layers.Dense(128, activation="relu")
        self.out = keras.layers.Dense(10, activation=activation)

    def call(self, x):
        return self.out(self.hidden(self.flatten(x)))


def trained(activation, loss, x, y, args):
    keras.utils.set_random_seed(0)
    model = Network(activation)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    history = model.fit(x, y, batch_size=128, epochs=args.epochs, validation_split=0.1, verbose=0).history
    return model, history


def forms():
    """The same loss, in the forms that compile takes."""
    loss = losslab.SparseCategoricalFocalCrossentropy(**PARAMETERS)
    losslab.register(loss, name="focal_of_digits")
    losslab.keras.register_strings()
    return {
        "Keras class": losslab.keras.SparseCategoricalFocalCrossentropy(**PARAMETERS),
        "losslab loss": loss.to_keras(),
        "by name": losslab.keras.wrap("sparse_focal:gamma=2,alpha=1,from_logits=true"),
        "string": "losslab>focal_of_digits",
        "function": loss.per_sample,
    }


def draw(once, twice, floor, file):
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for name, history, colour in (("softmax once", once, "#0072B2"), ("softmax twice", twice, "#D55E00")):
        epochs = np.arange(1, len(history["loss"]) + 1)
        axes.plot(epochs, history["loss"], color=colour, linewidth=1.8, marker="o", markersize=4)
        accuracy = history["val_accuracy"][-1]
        axes.annotate(
            f"{name}\nvalidation accuracy {accuracy:.1%}",
            (epochs[-1], history["loss"][-1]),
            (8, 0),
            color=colour,
            textcoords="offset points",
            va="center",
        )
    axes.axhline(floor, color="#8b949e", linewidth=1, linestyle=":")
    axes.text(
        1, floor, "what perfect predictions cost after a second softmax", color="#57606a", va="bottom", fontsize=9
    )
    axes.set(xlabel="epoch", ylabel="focal loss, nats", ylim=(0, None))
    axes.set_xticks(epochs)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=160)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data", help="a .npz file in Keras' layout, in place of MNIST's")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "output", help="for the picture")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    x, y, x_test, y_test = data.load("mnist", args.data, args.samples)

    loss = losslab.keras.SparseCategoricalFocalCrossentropy(**PARAMETERS)
    model, once = trained(None, loss, x, y, args)
    value, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{args.epochs} epochs: test loss {value:.4f}, test accuracy {accuracy:.2%}")
    for form, same in forms().items():
        model.compile(loss=same)
        print(f"  {form:14}{model.evaluate(x_test, y_test, verbose=0, return_dict=True)['loss']:.4f}")

    print("\nThe mistake: a softmax layer before a loss that takes logits.")
    _, twice = trained("softmax", loss, x, y, args)
    floor = float(loss(y_test, losslab.one_hot(y_test, 10)))
    print(f"  loss {twice['loss'][-1]:.3f}, above {floor:.3f} for ever, accuracy {twice['val_accuracy'][-1]:.1%};")
    print(f"  once: loss {once['loss'][-1]:.3f}, accuracy {once['val_accuracy'][-1]:.1%}")
    print(f"  what the loss wants: {loss.core.outputs.meaning}")
    draw(once, twice, floor, args.out / "mnist_focal_compile.png")

    print("\nThe mistake: losslab's own object in compile. It trains, but Keras gives it no weights and no masks:")
    model.compile(loss=loss.core)
    weight = (y_test == 1).astype("float32")
    got = model.evaluate(x_test, y_test, sample_weight=weight, verbose=0, return_dict=True)["loss"]
    meant = float(loss(y_test, model.predict(x_test, verbose=0), weight))
    print(f"  of the ones alone (weight 1, all others 0): {got:.4f} instead of {meant:.4f}")
    print(f"  losslab.keras.check_wiring: {losslab.keras.check_wiring(model)[0]}")


if __name__ == "__main__":
    main()
