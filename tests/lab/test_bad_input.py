"""Every mistake: three lines, the right exit code, no traceback, nothing half-written."""

import gzip
import zipfile

import numpy as np
import pytest

from losslab.lab.store import Store

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, tmp_path_factory, monkeypatch):
    """Work in a folder of one's own, without the machine's data sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOSSLAB_DATA", str(tmp_path / "data"))
    # Not in the folder: Keras puts a file there when it is first imported.
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--losses", "categorical_crossentrpy"], 2, "did you mean 'categorical_crossentropy'"),
        (["--losses", "huber:delta=-1"], 2, "delta"),
        (["--losses", "huber:gama=2"], 2, "gama"),
        (["--losses", "huber:delta"], 2, "huber:delta"),
        (["--losses", "focal:gamma=3,alpha=0.5"], 2, "fix:   write focal:gamma=3:alpha=0.5"),
        (["--losses", "alpha=0.5"], 2, "fix:   write focal:gamma=3:alpha=0.5"),
        (["--losses", "cce,mse:reduction=none"], 2, "mean_squared_error:reduction=none gives values of shape (32,)"),
        (["--losses", "sparse_categorical_crossentropy:axis=0"], 2, "ValueError: sparse_categorical_crossentropy"),
        (
            ["--losses", "categorical_focal_crossentropy:alpha=[1,2]"],
            2,
            "cannot be trained on labels of shape (32, 10)",
        ),
        (["--losses", ","], 2, "no loss named"),
        (["--data", "digit"], 2, "did you mean digits?"),
        (["--data", "mnist"], 4, "keras.datasets.mnist.load_data()"),
        (["--data", "fashion_mnist"], 4, "fashion-mnist"),
        (["--data", "cifar10"], 4, "cifar10.npz"),
        (["--data", "absent.npz"], 2, "no file absent.npz"),
        (["--data", "absent.csv", "--target", "y"], 2, "no file absent.csv"),
        (["--seeds", "0"], 2, "--seeds"),
        (["--seeds", "x"], 2, "bad value 'x' for --seeds"),
        (["--seeds", "100000"], 2, "1000"),
        (["--epochs", "-1"], 2, "epochs is -1"),
        (["--batch", "0"], 2, "batch is 0"),
        (["--subset", "3"], 2, "--subset"),
        (["--lr", "shared=fast"], 2, "shared=fast"),
        (["--lr", "1e-3"], 2, "shared=1e-3"),
        (["--sedes", "3"], 2, "did you mean --seeds"),
        (["--seeds"], 2, "--seeds"),
        (["stray"], 2, "stray"),
        (["--target", "y"], 2, "leave --target out"),
    ],
)
def test_bad_arguments(refused, tmp_path, arguments, code, said):
    got, err = refused("compare", *arguments)
    assert (got, said in err) == (code, True), err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compar"], "did you mean compare?"),
        (["--vresion"], "did you mean --version?"),
        (["report"], "Missing argument"),
        (["report", "nowhere"], "no run in nowhere"),
    ],
)
def test_bad_commands(refused, arguments, said):
    code, err = refused(*arguments)
    assert (code, said in err) == (2, True), err


def table(**columns):
    names = list(columns)
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))])


NUMBERS = RNG.normal(size=40).round(3).tolist()
CLASSES = ["a", "b"] * 20


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        (table(x=NUMBERS, y=CLASSES), "yy", "did you mean y?"),
        (table(x=NUMBERS, y=CLASSES), None, "--target COLUMN"),
        (
            table(x=[*NUMBERS[:-2], "", ""], y=CLASSES),
            "y",
            "column 'x' of some.csv is empty, NaN or infinite in 2 of 40",
        ),
        (
            table(x=[*NUMBERS[:-1], "inf"], y=CLASSES),
            "y",
            "column 'x' of some.csv is empty, NaN or infinite in 1 of 40",
        ),
        (
            table(x=[*NUMBERS[:-1], "1e300"], y=CLASSES),
            "y",
            "column 'x' of some.csv is empty, NaN or infinite in 1 of 40",
        ),
        (table(x=NUMBERS, y=[*CLASSES[:-1], ""]), "y", "column 'y'"),
        (table(x=NUMBERS, y=[*NUMBERS[:-1], "1e300"]), "y", "column 'y'"),
        (table(x=NUMBERS, y=range(40)), "y", "40 different labels"),
        (table(x=NUMBERS, y=["a"] * 40), "y", "every label in some.csv is a"),
        (table(y=CLASSES), "y", "no column but 'y'"),
        (table(x=NUMBERS[:4], y=CLASSES[:4]), "y", "4 examples"),
        (table(x=[f"n{i}" for i in range(300)], y=["a", "b"] * 150), "y", "300 different texts"),
        ("x,y\n", "y", "no rows"),
        ("", "y", "some.csv"),
        ('x,y\n"1,2\n3,4', "y", "some.csv"),
    ],
)
def test_bad_tables(refused, tmp_path, text, target, said):
    (tmp_path / "some.csv").write_text(text)
    code, err = refused("compare", "--data", "some.csv", *(["--target", target] if target else []))
    assert (code, said in err) == (2, True), err
    assert [path.name for path in tmp_path.iterdir()] == ["some.csv"]


def test_a_csv_that_is_not_text(refused, tmp_path):
    (tmp_path / "some.csv").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "some.csv.gz").write_bytes(gzip.compress(b"x,y\n1,2\n" * 100)[:-20])
    for name in ("some.csv", "some.csv.gz"):
        assert refused("compare", "--data", name, "--target", "y")[0] == 2


X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 2
WITH_NAN = np.where(np.arange(120).reshape(40, 3) < 4, np.nan, X)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": X, "y": Y[:30]}, "40 examples but 30 labels"),
        ({"x": X}, "no array 'y'"),
        ({"a": X, "b": Y}, "it holds a, b"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "no array 'y_test'"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y}, "(40, 2)"),
        ({"x": X, "y": np.where(X[:, 0] > 0, 1.5, 1e300)}, "labels of some.npz"),
        ({"x": X, "y": Y - 1}, "class id -1"),
        ({"x": X, "y": np.zeros(40, int)}, "every label in some.npz is 0"),
        ({"x": X, "y": np.arange(40)}, "40 different labels"),
        ({"x": X, "y": X.astype(str)}, "labels of shape (40, 3)"),
        ({"x": WITH_NAN, "y": Y}, "NaN or infinity in 2 of 40 rows"),
        ({"x": X[:, 0], "y": Y}, "inputs of shape (40,)"),
        ({"x": X.astype(str), "y": Y}, "inputs of shape (40, 3) and type <U"),
        ({"x": X, "y": np.where(Y, np.nan, 0)}, "NaN or infinity in 20 of 40 labels"),
        ({"x": np.float64(3), "y": np.float64(3)}, "some.npz"),
        ({"x": X[:0], "y": Y[:0]}, "some.npz"),
        ({"x": np.array([object()] * 40), "y": Y}, "Python objects"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 5}, "labels that the training part lacks: 5, 6"),
        ({"x": X[:, :0], "y": Y}, "inputs of shape (40, 0)"),
        ({"x": np.zeros((40, 28, 28, 0)), "y": Y}, "inputs of shape (40, 28, 28, 0)"),
        ({"x": np.where(WITH_NAN == 0, 0, 1e300), "y": Y}, "NaN or infinity in 40 of 40 rows"),
        ({"x": np.where(np.isnan(WITH_NAN), np.inf, X), "y": Y}, "NaN or infinity in 2 of 40 rows"),
        ({"x": X, "y": np.where(Y, np.inf, 0)}, "NaN or infinity in 20 of 40 labels"),
        ({"x": X, "y": Y.astype("datetime64[D]")}, "labels of type datetime64[D]"),
        ({"x": X, "y": Y.astype("timedelta64[s]")}, "labels of type timedelta64[s]"),
        ({"x": X, "y": Y.astype(complex)}, "labels of type complex128"),
    ],
)
def test_bad_archives(refused, tmp_path, arrays, said):
    np.savez(tmp_path / "some.npz", **arrays)
    code, err = refused("compare", "--data", "some.npz")
    assert (code, said in err) == (2, True), err
    assert [path.name for path in tmp_path.iterdir()] == ["some.npz"]


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "npy", "empty"])
def test_damaged_archives(refused, tmp_path, damage):
    path = tmp_path / "some.npz"
    np.savez_compressed(path, x=RNG.normal(size=(400, 3)), y=np.arange(400) % 2)
    sound = path.read_bytes()
    middle = len(sound) // 2
    flipped = sound[:middle] + bytes(255 - byte for byte in sound[middle : middle + 50]) + sound[middle + 50 :]
    npy = b"\x93NUMPY\x01\x00" + b"v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(120) + bytes(8)
    content = {"text": b"x,y\n1,2\n", "cut": sound[:middle], "flipped": flipped, "npy": npy, "empty": b""}
    path.write_bytes(content[damage])
    code, err = refused("compare", "--data", "some.npz")
    assert (code, "some.npz" in err) == (2, True), err


def edited(sound, flags=0, method=0):
    """Set the flags or the compression method of every member of a zip archive, in both of its headers."""
    content = bytearray(sound)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(signature)
        while start >= 0:
            content[start + place] |= flags
            content[start + place + 2] |= method
            start = content.find(signature, start + 4)
    return bytes(content)


def npy(header):
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("encrypted", "encrypted"),
        ("unknown compression", "compression"),
        ("bad header", "some.npz"),
        ("no array", "member 'x' is no array"),
        ("giant", "some.npz"),
    ],
)
def test_archives_that_break_the_parsers(refused, tmp_path, damage, said):
    path = tmp_path / "some.npz"
    np.savez(path, x=X, y=Y)
    giant = b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000, 10000000), }\n"
    members = {"bad header": npy(b"{'descr': (((\n"), "no array": b"text", "giant": npy(giant)}
    if damage in members:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy" if damage != "no array" else "x", members[damage])
    else:
        changes = {"encrypted": {"flags": 1}, "unknown compression": {"method": 99}}
        path.write_bytes(edited(path.read_bytes(), **changes[damage]))
    code, err = refused("compare", "--data", "some.npz")
    assert (code, said in err, "mistake in losslab" in err) == (2, True, False), err


def test_a_folder_that_cannot_be_written(refused, tmp_path):
    (tmp_path / "file").write_text("")
    # The data are bad as well: the folder is looked at before any work.
    code, err = refused("compare", "--data", "absent.npz", "--out", tmp_path / "file" / "run")
    assert (code, "cannot write to" in err) == (4, True)
    assert (tmp_path / "file").read_text() == ""


def test_a_folder_in_use(refused, tmp_path, small):
    with Store(tmp_path / "run"):
        code, err = refused("compare", *small, "--out", tmp_path / "run")
    assert (code, "in use" in err) == (4, True)


def test_a_damaged_log(refused, tmp_path, small):
    (tmp_path / "runs.jsonl").write_text("nonsense\n")
    code, err = refused("compare", *small, "--out", tmp_path)
    assert (code, "line 1" in err) == (2, True)


def test_debug_shows_the_traceback(capsys):
    from losslab.cli import run

    assert run(["compare", "--losses", "nothing_like_it", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err
