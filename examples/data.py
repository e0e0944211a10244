"""What the examples share: image sets in Keras' layout, read from a file and never downloaded."""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")  # read once, when Keras is imported: import this file first
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # where TensorFlow is installed, Keras imports it, and it talks
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from losslab.lab.errors import LabError
from losslab.lab.readers import read_named, read_npz


def load(name, path=None, samples=None):
    """The images and labels of MNIST, Fashion-MNIST or CIFAR-10, at most `samples` of each part.

    Returns:
        x_train, y_train, x_test, y_test: float32 images in [0, 1], always with an axis of channels; labels as stored.
    """
    try:
        raw = read_npz(Path(path)) if path else read_named(name)
    except LabError as error:
        sys.exit(str(error))
    x_train, x_test = (
        x.reshape(*x.shape[:3], -1).astype("float32") / 255 for x in (raw.x[:samples], raw.x_test[:samples])
    )
    return x_train, raw.y[:samples], x_test, raw.y_test[:samples]
