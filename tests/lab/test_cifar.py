"""CIFAR-10 from Keras' folder of pickled batches, of which nothing is executed."""

import os
import pickle

import numpy as np
import pytest

from losslab.lab import cifar, data, readers
from losslab.lab.data import DataSpec
from losslab.lab.errors import LabError

RNG = np.random.default_rng(0)
FOLDERS = ("cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py")
NAMES = (*cifar.TRAINING, cifar.TEST)


def batch(images, labels, **further):
    pixels = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return {
        b"batch_label": b"some",
        b"labels": labels,
        b"data": pixels,
        b"filenames": [b"a.png"] * len(images),
    } | further


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("LOSSLAB_DATA", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def images():
    return RNG.integers(0, 256, (6, 20, 32, 32, 3), dtype=np.uint8)


LABELS = [i % 10 for i in range(20)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_gives_what_the_npz_gives(keras_home, images, folder):
    place = keras_home / "datasets" / folder
    place.mkdir(parents=True)
    for name, part in zip(NAMES, images, strict=True):
        (place / name).write_bytes(pickle.dumps(batch(part, LABELS), protocol=2))
    found = data.load(DataSpec("cifar10"))
    np.testing.assert_array_equal(found.x_test, images[5])
    assert (found.labels.classes[9], len(found.y)) == ("truck", 100)
    y = np.tile(LABELS, 5).reshape(-1, 1)
    path = keras_home / "datasets" / "cifar10.npz"
    np.savez(path, x_train=np.concatenate(images[:5]), y_train=y, x_test=images[5], y_test=y[:20])
    assert readers.find_named("cifar10") == path
    assert data.load(DataSpec("cifar10")).digest == found.digest


# The first bytes of the published data_batch_1, which Python 2 wrote, in the order of its entries.
def python_2_pickle(pixels, labels):
    def text(value):
        return b"U" + bytes([len(value)]) + value + b"q\x01"

    numbers = b"]q\x02(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05"
    kind = b"cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = b"(K\x01M" + len(labels).to_bytes(2, "little") + b"M\x00\x0c\x86q\x08" + kind + b"\x89T"
    state += len(pixels).to_bytes(4, "little") + pixels + b"tb"
    entries = text(b"data") + array + state + text(b"labels") + numbers + text(b"batch_label") + text(b"training batch")
    return b"\x80\x02}q\x00(" + entries + b"u."


def test_a_batch_that_python_2_wrote(tmp_path, images):
    path = tmp_path / "data_batch_1"
    labels = [i % 10 for i in range(300)]
    many = np.concatenate([images.reshape(-1, 32, 32, 3)] * 3)[:300]
    path.write_bytes(python_2_pickle(batch(many, labels)[b"data"].tobytes(), labels))
    assert pickle.loads(path.read_bytes(), encoding="bytes")[b"labels"] == labels
    x, y = cifar.read_batch(path)
    np.testing.assert_array_equal(x, many)
    assert y.tolist() == labels


class Malicious:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_code_is_refused_and_not_run(keras_home, images, protocol):
    path = keras_home / "data_batch_1"
    for content in (Malicious(), batch(images[0], LABELS, evil=Malicious())):
        path.write_bytes(pickle.dumps(content, protocol=protocol))
        with pytest.raises(LabError, match=r"batch of CIFAR-10(.|\n)*names code to run"):
            cifar.read_batch(path)
    assert not (keras_home / "executed").exists()


@pytest.mark.parametrize("damage", ["absent", "cut", "nonsense", "empty", "too few labels", "nothing", "another"])
def test_damaged_batches_are_refused(tmp_path, images, damage):
    path = tmp_path / "data_batch_1"
    sound = pickle.dumps(batch(images[0], LABELS), protocol=2)
    content = {
        "cut": sound[:-200],
        "nonsense": RNG.bytes(1000),
        "empty": b"",
        "too few labels": pickle.dumps(batch(images[0], LABELS[:-1]), protocol=2),
        "nothing": pickle.dumps({}),
        "another": pickle.dumps({b"data": [1, 2], b"labels": "x"}, protocol=2),
    }
    if damage in content:
        path.write_bytes(content[damage])
    with pytest.raises(LabError, match="batch of CIFAR-10"):
        cifar.read_batch(path)
