"""CIFAR-10 under three losses: one network, three curves each, and how to read "accuracy" under binary_crossentropy.

    python examples/cifar10_losses.py                              # in full: about half an hour on two cores
    python examples/cifar10_losses.py --samples 2000 --epochs 3    # a taste

Ctrl-C at any time: the same command goes on after the last finished epoch, on the very curve it would have had.
"""

import argparse
import json
import os
from pathlib import Path

import data  # before Keras: it chooses the backend
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from matplotlib.ticker import MaxNLocator

import losslab

LOSSES = {  # a loss's function goes straight into compile()
    "categorical_crossentropy": losslab.categorical_crossentropy,
    "mean_squared_error": losslab.mean_squared_error,
    "binary_crossentropy": losslab.binary_crossentropy,
}
COLOURS = {"categorical_crossentropy": "#0072B2", "mean_squared_error": "#D55E00", "binary_crossentropy": "#009E73"}
GREY, BESIDE = "#6e7781", {"textcoords": "offset points", "va": "center"}


def network():
    keras.utils.set_random_seed(0)  # the same initial weights for every loss
    return keras.Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dropout(0.25, name="dropout"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train(loss, x, y, epochs, folder):
    """The trained network and its history; what an earlier run has saved is not trained again."""
    model = network()
    model.compile("adam", LOSSES[loss], metrics=["accuracy", keras.metrics.BinaryAccuracy(name="per_bit")])
    record, history = folder / f"{loss}.json", {}
    if record.exists():
        history = json.loads(record.read_text())
        model.optimizer.build(model.trainable_variables)
        model.load_weights(weights_file(record, history))
        print(f"{loss}: resumed after epoch {len(history['loss'])} of {epochs}")
    training = len(x) - len(x) // 4  # the last quarter is for validation, as validation_split=0.25 has it
    for epoch in range(len(history.get("loss", [])), epochs):
        # Shuffling and dropout follow from the epoch's number alone, resumed or not: Keras saves the state of neither.
        order = np.random.default_rng(epoch).permutation(training)
        model.get_layer("dropout").seed_generator.state.assign([0, epoch << 16])
        validation = {"validation_data": (x[training:], y[training:]), "shuffle": False}
        span = {"batch_size": 128, "initial_epoch": epoch, "epochs": epoch + 1, "verbose": 2}
        for name, values in model.fit(x[order], y[order], **validation, **span).history.items():
            history.setdefault(name, []).extend(values)
        save(model, history, record)
    return model, history


def weights_file(record, history):
    return record.with_name(f"{record.stem}-{len(history['loss']):02}.weights.h5")


def save(model, history, record):
    """Weights, optimizer and all, then the history that counts them: killed at any moment, one whole pair is there.

    Keras' BackupAndRestore keeps no history and writes in place, so that a kill at the wrong moment leaves half a file.
    """
    new = record.with_name("unfinished.weights.h5")
    model.save_weights(new, overwrite=True)
    os.replace(new, weights_file(record, history))
    new = record.with_name("unfinished.json")
    new.write_text(json.dumps(history))
    os.replace(new, record)
    for old in set(record.parent.glob(f"{record.stem}-*.weights.h5")) - {weights_file(record, history)}:
        old.unlink()


def draw(histories, file):
    """Left: the three losses, by the share of right answers. Right: one network, read per image and per bit."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), width_ratios=(1.25, 1), layout="constrained")
    for loss, history in histories.items():
        curve(left, history["accuracy"], "--", COLOURS[loss])
        curve(left, history["val_accuracy"], "-", COLOURS[loss], label=loss)
    left.set_title("Images named correctly", loc="left")
    left.legend(frameon=False, loc="lower right", title="solid: validation, dashed: training", alignment="left")
    binary = histories["binary_crossentropy"]
    last = len(binary["loss"])
    right.axhline(90, color=GREY, linewidth=1, linestyle=":")
    right.text(last, 88.5, 'answering "no" to everything: 90 %', color=GREY, va="top", ha="right")
    for name, colour, words in (("val_per_bit", GREY, "per bit"), ("val_accuracy", "#009E73", "per image")):
        curve(right, binary[name], "-", colour)
        right.annotate(words, (last, 100 * binary[name][-1]), (6, 0), color=colour, **BESIDE)
    right.set_title("binary_crossentropy, read in two ways", loc="left")
    right.set_ylim(0, 100)
    for axes in (left, right):
        axes.set(xlabel="epoch", ylabel="accuracy, %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=160)


def curve(axes, shares, style, colour, label=None):
    width = 1.8 if style == "-" else 1
    axes.plot(range(1, len(shares) + 1), 100 * np.array(shares), style, color=colour, linewidth=width, label=label)


def explain_bits(model, x, y):
    per_image = (model.predict(x, verbose=0).argmax(-1) == y.argmax(-1)).mean()
    per_bit = (model.predict(x, verbose=0).round() == y).mean()
    print(f"\nThe network trained under binary_crossentropy names {per_image:.1%} of the test images correctly.")
    print(f"Read per bit (Keras 2 took that for its accuracy; now: binary_accuracy) it scores {per_bit:.1%}.")
    print(f'Always answering "no" scores {(y == 0).mean():.1%} of the bits, and names no image at all.')


def explain_ids(model, x, ids):
    prediction = model.predict(x[:128], verbose=0)
    value = keras.ops.mean(keras.losses.mean_squared_error(ids[:128], prediction))
    print(f"\nThe mistake: CIFAR-10's labels as they come, shape {ids.shape}, given to the mean squared error.")
    print(f"Keras broadcasts: all 10 outputs are drawn towards the class's number; it reports {float(value):.2f}.")
    try:
        losslab.mean_squared_error(ids[:128], prediction)
    except ValueError as error:
        print(f"losslab refuses: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=50_000, help="training images, a quarter of them for validation")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--data", help="a .npz file in Keras' layout, in place of CIFAR-10's")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "output", help="for weights and picture")
    args = parser.parse_args()

    folder = args.out / f"cifar10_losses-{args.samples}"
    folder.mkdir(parents=True, exist_ok=True)
    x, ids, x_test, ids_test = data.load("cifar10", args.data, args.samples)
    y, y_test = losslab.one_hot(ids, 10), losslab.one_hot(ids_test, 10)
    trained = {loss: train(loss, x, y, args.epochs, folder) for loss in LOSSES}

    print(f"\n{'loss':26}  test accuracy  per bit")
    for loss, (model, _) in trained.items():
        _, accuracy, per_bit = model.evaluate(x_test, y_test, verbose=0)
        print(f"{loss:26}{accuracy:13.2%}{per_bit:11.2%}")
    draw({loss: history for loss, (_, history) in trained.items()}, folder / "curves.png")
    explain_bits(trained["binary_crossentropy"][0], x_test, y_test)
    explain_ids(trained["mean_squared_error"][0], x_test, ids_test)
    print(f"\nThe curves: {folder}/curves.png")
    print("One seed and one learning rate prove little: losslab compare --data cifar10 measures.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nstopped: the same command goes on after the last finished epoch")
        raise SystemExit(130) from None
