"""What every test and every example in a docstring takes for granted."""

import importlib
import importlib.metadata
import importlib.util
import os
import sys

# Read once, when Keras and Triton are imported: here, before any test or module can do so.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TRITON_INTERPRET", "1")

# Most of a test on JAX is XLA's compilation of a formula that runs once: compiled fast, not into fast code. Its newer
# emitters of loops take as long as LLVM; an XLA that does not know their flag would end the process, JAX's or
# TensorFlow's. Whoever sets XLA_FLAGS, to nothing for instance, tests the code that users run: `make test` does so for
# some of the files.
if all(
    tuple(map(int, found.version.split(".")[:2])) >= release
    for name, release in {"jaxlib": (0, 10), "tensorflow": (2, 21), "tensorflow_cpu": (2, 21)}.items()
    for found in importlib.metadata.distributions(name=name)
):
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

# Before TensorFlow: the other way round the process dies, in Triton's own copy of LLVM. torch.compile imports it.
if importlib.util.find_spec("triton"):
    importlib.import_module("triton")

import numpy as np
import pytest

import losslab
from losslab._registry import LOSSES
from losslab.constraints import CONSTRAINTS
from losslab.metrics._registry import METRICS
from losslab.regularizers import REGULARIZERS

# Kernels are no module without the language that they are written in
collect_ignore = [] if importlib.util.find_spec("triton") else ["src/losslab/_linear/_triton_rows.py"]


@pytest.fixture(autouse=True, scope="module")
def _what_jax_compiled_ends_with_the_module():
    """Kept for the whole run it fills gigabytes, and JAX's table of jitted calls, which then forgets what it has."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace):
    doctest_namespace.update(losslab=losslab, np=np)


@pytest.fixture(autouse=True)
def _registrations_end_with_the_test(monkeypatch):
    for registry in (LOSSES, METRICS, REGULARIZERS, CONSTRAINTS):
        monkeypatch.setattr(registry, "known", dict(registry.known))
