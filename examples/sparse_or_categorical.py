"""MNIST with class ids and with one-hot labels: the same result. What is said when labels and loss do not fit.

python examples/sparse_or_categorical.py
"""

import argparse
import os
from pathlib import Path

import data  # before Keras: it chooses the backend
import keras
import numpy as np
from keras import layers

import losslab
import losslab.keras


def trained(loss, x, y, epochs):
    keras.utils.set_random_seed(0)  # the same start and the same batches for both
    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
    return model


def saved_and_loaded(model, file):
    """Written whole or not at all; the loss comes back with the model, because losslab.keras is imported."""
    unfinished = file.with_name(f"unfinished-{file.name}")
    model.save(unfinished)
    os.replace(unfinished, file)
    return keras.models.load_model(file)


def said(name, y_true, y_pred):
    """What Keras makes of these labels, and what losslab says."""
    answers = []
    for function in (getattr(keras.losses, name), getattr(losslab, name)):
        try:
            answers.append(f"{float(np.mean(np.asarray(function(y_true, y_pred)))):.4f}")
        except (ValueError, TypeError) as error:
            answers.append(f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return answers


def mistakes(model, x, y):
    p = model.predict(x, verbose=0)
    wrong = y.copy()
    wrong[0] = 10
    one_hot = losslab.one_hot(y, 10)
    cases = {
        "one-hot labels": ("sparse_categorical_crossentropy", one_hot),
        "class ids": ("categorical_crossentropy", y),
        "class ids (N, 1)": ("mean_squared_error", y[:, None]),
        "an id of 10": ("sparse_categorical_crossentropy", wrong),
        "ids with a fraction": ("sparse_categorical_crossentropy", y + 0.9),
    }
    print("\nThe mistakes: labels that do not fit the loss.")
    for labels, (name, y_true) in cases.items():
        by_keras, by_losslab = said(name, y_true, p)
        print(f"\n  {labels} under {name}\n    Keras    {by_keras}\n    losslab  {by_losslab}")

    print("\n  That id of 10 in evaluate and fit, where the loss is compiled and nobody looks at the labels:")
    for loss in (keras.losses.SparseCategoricalCrossentropy(), losslab.keras.SparseCategoricalCrossentropy()):
        model.compile(loss=loss)
        value = model.evaluate(x, wrong, verbose=0, return_dict=True)["loss"]
        print(f"    {type(loss).__module__.partition('.')[0]:8} {value:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data", help="a .npz file in Keras' layout, in place of MNIST's")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "output", help="for the model")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    x, ids, x_test, ids_test = data.load("mnist", args.data, args.samples)

    ways = {
        "class ids": (losslab.keras.SparseCategoricalCrossentropy(), ids, ids_test),
        "one-hot": (losslab.keras.CategoricalCrossentropy(), losslab.one_hot(ids, 10), losslab.one_hot(ids_test, 10)),
    }
    predictions = []
    print(f"{'labels':12}{'bytes':>10}{'test loss':>12}{'accuracy':>11}")
    for labels, (loss, y, y_test) in ways.items():
        model = trained(loss, x, y, args.epochs)
        value, accuracy = model.evaluate(x_test, y_test, verbose=0)
        print(f"{labels:12}{y.nbytes:>10,}{value:12.5f}{accuracy:11.2%}")
        predictions.append(model.predict(x_test, verbose=0))
    print(f"Their predictions differ by at most {np.abs(predictions[0] - predictions[1]).max():.1e}.")

    again = saved_and_loaded(model, args.out / "sparse_or_categorical.keras")
    unchanged = np.array_equal(again.predict(x_test, verbose=0), predictions[1])
    print(f"Saved and loaded: loss {again.loss!r}, predictions {'unchanged' if unchanged else 'changed'}.")
    mistakes(model, x_test[:100], ids_test[:100].astype("int32"))


if __name__ == "__main__":
    main()
