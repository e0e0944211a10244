"""What the package shows, what importing it costs, and what a type checker sees."""

import inspect
import subprocess
import sys

import pytest

import losslab

HEAVY = ("torch", "jax", "tensorflow", "keras", "scipy", "sklearn", "matplotlib", "pandas", "rich", "typer")


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


MODULES = {"constraints", "domains", "metrics", "regularizers"}


def test_public_names_are_listed_and_sorted():
    shown = [
        name
        for name, value in vars(losslab).items()
        if not name.startswith("_") and (not inspect.ismodule(value) or name in MODULES)
    ]
    assert sorted(shown) == sorted(losslab.__all__)


def test_everything_public_is_documented():
    for name in losslab.__all__:
        assert inspect.getdoc(getattr(losslab, name)), f"losslab.{name} has no docstring"


@pytest.mark.parametrize("name", losslab.names())
def test_a_loss_tells_its_source_and_peers_and_shows_an_example(name):
    cls = type(losslab.get(name))
    assert cls.source
    assert cls.same_as
    assert f">>> losslab.{name}(" in cls.__doc__
    assert "$" in cls.__doc__


def test_importing_losslab_imports_numpy_only():
    loaded = run(f"import losslab, sys; print([name for name in {HEAVY!r} if name in sys.modules])")
    assert loaded.strip() == "[]"


def test_numpy_losses_import_no_framework():
    code = "import losslab, sys; [losslab.get(n) for n in losslab.names()]; losslab.MeanSquaredError()([1.0], [2.0]);"
    assert run(f"{code} print([n for n in {HEAVY!r} if n in sys.modules])").strip() == "[]"


def test_the_function_form_shows_its_parameters():
    assert str(inspect.signature(losslab.huber)) == "(y_true, y_pred, *, delta: float = 1.0)"
    assert losslab.huber.__module__ == "losslab.losses.regression"


def test_a_type_checker_catches_wrong_arguments(tmp_path):
    """In the class form and in the function form; correct calls pass."""
    mypy = pytest.importorskip("mypy.api", reason="mypy is not installed")
    script = tmp_path / "use.py"
    script.write_text(
        "import losslab\n"
        "losslab.Huber(delta=2.0)\n"
        "losslab.huber([1.0], [2.0], delta=2.0)\n"
        "losslab.Huber(detla=2.0)\n"
        "losslab.huber([1.0], [2.0], detla=2.0)\n"
        'losslab.huber([1.0], [2.0], delta="2")\n'
        'losslab.Huber(reduction="avg")\n'
    )
    report, _, _ = mypy.run(["--follow-imports=silent", str(script)])
    lines = {int(line.split(":")[1]) for line in report.splitlines() if ": error:" in line}
    assert lines == {4, 5, 6, 7}, report
