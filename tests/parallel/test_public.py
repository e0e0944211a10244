"""What losslab.parallel shows, and who pays for importing it."""

import inspect
import subprocess
import sys

import pytest

from losslab import parallel

FRAMEWORKS = ("torch", "jax", "tensorflow")
OPTIONS = (
    "ignore_class",
    "class_weight",
    "label_smoothing",
    "softcap",
    "temperature",
    "z_loss",
    "sample_weight",
    "reduction",
    "normalizer",
)


def loaded(code, names):
    script = f"import sys; {code}; print([name for name in {names!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_who_does_not_ask_for_it_does_not_import_it():
    assert loaded("import losslab", ("losslab.parallel",)) == "[]"


def test_it_imports_no_framework():
    assert loaded("import losslab.parallel", FRAMEWORKS) == "[]"


@pytest.mark.parametrize("name", parallel.__all__)
def test_everything_public_is_documented(name):
    assert f"parallel.{name}(" in inspect.getdoc(getattr(parallel, name))


@pytest.mark.parametrize("name", ["cross_entropy", "linear_cross_entropy"])
def test_the_losses_have_the_options_of_the_linear_loss(name):
    from losslab._linear._function import linear_cross_entropy

    whole = inspect.signature(linear_cross_entropy).parameters
    split = inspect.signature(getattr(parallel, name)).parameters
    assert [str(split[each]) for each in OPTIONS] == [str(whole[each]) for each in OPTIONS]
    assert set(whole) - set(OPTIONS) == {"hidden", "weight", "labels", "bias"}
