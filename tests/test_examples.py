"""Every script of examples/, run as a person runs it, on small stand-ins for its data."""

import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import losslab

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


def needs(*packages):
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def command(name, *arguments):
    return [sys.executable, "-u", str(EXAMPLES / f"{name}.py"), *map(str, arguments)]


def run(name, *arguments, **variables):
    """What a script prints; it must succeed and warn of nothing."""
    done = subprocess.run(command(name, *arguments), capture_output=True, text=True, env=environment(**variables))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


def environment(**more):
    own = {name: value for name, value in os.environ.items() if name not in ("KERAS_BACKEND", "PYTHONWARNINGS")}
    return {**own, **more}


def images(path, shape, label_shape, train=384, test=96):
    """Noise with a bright row for its class, in Keras' layout."""
    rng = np.random.default_rng(0)
    parts = {}
    for part, count in (("train", train), ("test", test)):
        ids = np.arange(count, dtype="uint8") % 10
        x = rng.integers(0, 80, (count, *shape), dtype="uint8")
        x[np.arange(count), 2 * ids + 4] = 250
        parts |= {f"x_{part}": x, f"y_{part}": ids.reshape(count, *label_shape)}
    np.savez(path, **parts)
    return path


@pytest.fixture
def mnist(tmp_path):
    return images(tmp_path / "mnist.npz", (28, 28), ())


@pytest.fixture
def cifar10(tmp_path):
    return images(tmp_path / "cifar10.npz", (32, 32, 3), (1,), train=64, test=32)


def numbers(text):
    return [float(word.replace(",", "")) for word in re.findall(r"-?\d[\d,]*\.?\d*", text)]


def line(text, start):
    """What follows `start` in the line that begins so."""
    return next(each for each in text.splitlines() if each.strip().startswith(start)).strip().removeprefix(start)


def is_png(path):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def histories(folder):
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*/*.json")}


@needs("keras")
def test_cifar10_losses(cifar10, tmp_path):
    told = run("cifar10_losses", "--data", cifar10, "--out", tmp_path, "--samples", 64, "--epochs", 2)
    assert line(told, 'Always answering "no"') == " scores 90.0% of the bits, and names no image at all."
    assert "losslab refuses: mean_squared_error: y_true has shape (32, 1) and y_pred (32, 10)" in told
    assert is_png(tmp_path / "cifar10_losses-64" / "curves.png")
    done = histories(tmp_path)
    assert set(done) == {"categorical_crossentropy", "mean_squared_error", "binary_crossentropy"}
    assert all(len(history["val_accuracy"]) == 2 for history in done.values())

    # killed in its second epoch and started again, it ends where it would have ended
    again = tmp_path / "again"
    arguments = ("--data", cifar10, "--out", again, "--samples", 64, "--epochs", 2)
    with subprocess.Popen(command("cifar10_losses", *arguments), stdout=subprocess.PIPE, text=True) as process:
        next(text for text in process.stdout if "Epoch 2/2" in text)
        process.send_signal(signal.SIGKILL)
    assert set(histories(again)) <= {"categorical_crossentropy"}
    assert "categorical_crossentropy: resumed after epoch" in run("cifar10_losses", *arguments)
    assert histories(again) == done


@needs("keras", "sklearn")
def test_objective(tmp_path):
    told = run("objective", "--samples", 200, "--epochs", 2, "--out", tmp_path)
    together, by_keras = numbers(line(told, "together"))
    assert together == pytest.approx(by_keras, abs=2e-5)
    terms = [numbers(line(told, name))[0] for name in ("loss", "hidden/kernel", "out/kernel", "activity/hidden")]
    assert sum(terms) == pytest.approx(together, abs=5e-5)
    assert "the path 'hidden/kernal': the nearest are 'hidden/kernel'" in told
    assert "L1L2(l1=0.01, l2=0.01)" in told
    assert is_png(tmp_path / "objective.png")


@needs("keras", "tensorflow", "torch", "jax")
def test_mnist_focal_custom_loop(mnist):
    told = run("mnist_focal_custom_loop", "--data", mnist, "--epochs", 10)
    curves = [numbers(line(told, f"in_{name}")) for name in ("tensorflow", "pytorch", "jax")]
    first, *_, last, accuracy = curves[0]
    assert last < first / 2
    assert accuracy > 50
    for curve in curves[1:]:
        assert curve == pytest.approx(curves[0], abs=2e-4)
    assert "AttributeError: 'Focal' object has no attribute 'name'" in line(told, "keras")
    assert float(line(told, "losslab")) == pytest.approx(np.log(2) / 2)
    without, balanced = numbers(line(told, "False")), numbers(line(told, "True"))
    assert without[1] == without[3]
    assert balanced[1] != balanced[3]


@needs("keras")
def test_mnist_focal_compile(mnist, tmp_path):
    told = run("mnist_focal_compile", "--data", mnist, "--epochs", 3, "--out", tmp_path)
    forms = [line(told, form) for form in ("Keras class", "losslab loss", "by name", "string", "function")]
    assert len({float(value) for value in forms}) == 1
    twice, floor, _ = numbers(line(told, "loss "))
    once, _ = numbers(line(told, "once: loss"))
    p = np.e / (np.e + 9)
    assert floor == pytest.approx(-((1 - p) ** 2) * np.log(p), abs=1e-3)
    assert once < floor < twice
    wrong, right = numbers(line(told, "of the ones alone (weight 1, all others 0):"))
    assert wrong != right
    assert "Keras gives it no weights and no masks" in line(told, "losslab.keras.check_wiring")
    assert is_png(tmp_path / "mnist_focal_compile.png")


@needs("keras")
def test_sparse_or_categorical(mnist, tmp_path):
    told = run("sparse_or_categorical", "--data", mnist, "--epochs", 2, "--out", tmp_path)
    ids, one_hot = numbers(line(told, "class ids")), numbers(line(told, "one-hot"))
    assert ids[1:] == pytest.approx(one_hot[1:], abs=2e-5)
    assert one_hot[0] == 40 * ids[0]
    assert "predictions unchanged" in line(told, "Saved and loaded")
    assert [path.name for path in tmp_path.glob("*.keras")] == ["sparse_or_categorical.keras"]
    assert told.count("losslab  ValueError: ") == 5
    assert line(told, "losslab  n") == "an"


@pytest.mark.parametrize("given", [{}, {"path": "nowhere.npz"}])
def test_missing_data_is_said(tmp_path, given):
    env = environment(LOSSLAB_DATA=str(tmp_path), KERAS_HOME=str(tmp_path), PYTHONPATH=str(EXAMPLES))
    code = f"import data; data.load('mnist', **{given})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "fix:" in done.stderr


def test_names_to_losses():
    told = run("names_to_losses")
    said = told.partition("The whole table")[2]
    for name in losslab.names():
        assert f"  {name}(" in said
        assert all(alias in said for alias in losslab.aliases_of(name))
    assert told.count("Huber(delta=2.0)     2.2500") == 5
    assert "unknown loss 'hubr': did you mean 'huber'?" in told


def juice(path):
    """Two shops' sales: very uneven, so that mean, median and the best order lie far apart."""
    rng = np.random.default_rng(0)
    prices = [f"price{brand}" for brand in range(1, 12)]
    header = ["store", "brand", "week", *prices, "deal", "feat", "profit", "size_oz", "cartons", "price_per_carton"]
    rows = [",".join(header)]
    for store, brand, week in np.ndindex(2, 11, 60):
        shelf = rng.uniform(0.03, 0.05, 11)
        cartons = int(np.exp(4 + 1.2 * rng.normal())) + 1
        values = [store, brand + 1, week + 40, *shelf, 0, 0.0, 25.0, 64, cartons, 64 * shelf[brand]]
        rows.append(",".join(map(str, values)))
    path.write_text("\n".join(rows))
    return path


@needs("keras", "pandas")
def test_juice_sales(tmp_path):
    table = juice(tmp_path / "juice.csv")
    told = run("juice_sales", "--data", table, "--out", tmp_path, "--epochs", 60, "--seeds", 1, "--weeks", 12)
    cost, multiple = numbers(line(told, "12 ordered, 10 sold:"))
    assert cost == multiple
    lost = {
        name: numbers(line(told, name))[2] for name in ("squared error", "absolute error", "cost, each row's prices")
    }
    assert lost["cost, each row's prices"] < lost["absolute error"] < lost["squared error"]
    assert "AsymmetricCost: over must be a number > 0, got -" in told
    assert is_png(tmp_path / "juice_sales.png")


def test_mse_three_ways():
    told = run("mse_three_ways", "--samples", 50)
    assert "(50, 50) matrix" in told
    wrong, right = numbers(line(told, "NumPy makes a (50, 50) matrix"))[-1], numbers(line(told, "losslab"))
    assert right[0] == right[1]
    assert right[0] < wrong
    assert "mean_squared_error: y_true has shape (50, 1) and y_pred (50, 3)" in told


def test_cross_entropy_by_hand():
    told = run("cross_entropy_by_hand", "--samples", 50)
    for name in ("categorical", "sparse", "from logits", "binary"):
        value, by_hand = numbers(
            line(told, name).partition("   by hand")[0] + line(told, name).partition("by hand")[2]
        )[:2]
        assert value == by_hand
    assert "losslab [0.0, 1000.0]" in told
    assert "class ids given to a loss on one-hot labels" in told


@needs("torch", "transformers")
def test_hugging_face_head():
    told = run("hugging_face_head", "--samples", 160)
    pairs = [numbers(text.partition("its own loss")[2]) for text in told.splitlines() if "its own loss" in text]
    assert len(pairs) == 6
    for own, ours in pairs:
        assert ours == pytest.approx(own, rel=1e-3)
    assert pairs[2][1] < pairs[0][1] - 0.1
    assert pairs[3] != pairs[0]  # tied weights are another model
    wrong, right = numbers(line(told, "110 and 17 targets:"))
    assert wrong != right


@needs("torch")
def test_hugging_face_head_says_what_is_missing():
    script = str(EXAMPLES / "hugging_face_head.py")
    code = f"import sys, runpy; sys.modules['transformers'] = None; runpy.run_path({script!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.returncode == 1
    assert done.stderr == "error: transformers is not installed\nfix: pip install transformers\n"


def test_hugging_face_head_is_what_the_documentation_shows():
    page = (EXAMPLES.parent / "docs" / "linear.md").read_text()
    shown = page.partition("class LlamaForCausalLM")[2].partition("\n\n")[0]
    assert "linear_cross_entropy" in shown
    assert f"class LlamaForCausalLM{shown}" in (EXAMPLES / "hugging_face_head.py").read_text()


@needs("keras", "jax")
def test_learning_rate_artefact(tmp_path):
    told = run("learning_rate_artefact", "--out", tmp_path, "--seeds", 5, "--epochs", 5, "--subset", 400)
    shared, tuned = told.split("tuned: ")
    assert "mean_squared_error is worse than categorical_crossentropy by" in shared
    assert "rates 0.1, 0.1" in shared
    rates = [float(rate) for rate in tuned.splitlines()[0].removeprefix("rates ").split(", ")]
    assert rates[1] > rates[0]
    assert (tmp_path / "tuned" / "report.html").is_file()


@needs("keras", "jax", "torch")
def test_own_model(tmp_path):
    told = run("own_model", "--out", tmp_path, "--quick", "--epochs", 1, "--subset", 200)
    for name in ("in_keras", "in_torch", "in_jax"):
        assert line(told, f"{name}:") == ""
        assert f"the user&#39;s own, __main__:{name}" in (tmp_path / name / "report.html").read_text()
    assert "in_keras_with_softmax ends in a softmax" in told
    assert not (tmp_path / "refused").exists()


@needs("jax", "keras", "sklearn")
def test_published_results(tmp_path):
    for name in ("mnist", "fashion_mnist"):
        images(tmp_path / f"{name}.npz", (28, 28), ())
    arguments = ("--samples", 60, "--epochs", 2, "--seeds", 2, "--out", tmp_path / "out")
    told = run("published_results", *arguments, LOSSLAB_DATA=str(tmp_path))
    assert told.count("is the baseline") == 4
    assert re.search(r"categorical_crossentropy gets [\d.]+% of its training examples right; mean_absolute", told)
    assert len(re.findall(r"calibration error [\d.]+ %", told)) == 3
    assert len(list(tmp_path.glob("out/*/report.html"))) == 4
    log = tmp_path / "out" / "underfitting" / "runs.jsonl"
    others = [
        json.loads(each) | {"group": "another", "id": f"another {i}"}
        for i, each in enumerate(log.read_text().splitlines())
    ]
    for run_of_another in others:
        run_of_another["history"]["score"] = [9.0] * len(run_of_another["history"]["score"])
    log.write_text(log.read_text() + "".join(json.dumps(each) + "\n" for each in others))
    again = run("published_results", *arguments, "--only", "underfitting", LOSSLAB_DATA=str(tmp_path))
    assert line(again, "categorical_crossentropy gets") == line(told, "categorical_crossentropy gets")
