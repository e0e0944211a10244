"""What every test and every example in a docstring takes for granted."""

import importlib
import importlib.util
import os

# Read once, when Keras and Triton are imported: here, before any test or module can do so.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TRITON_INTERPRET", "1")

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


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace):
    doctest_namespace.update(losslab=losslab, np=np)


@pytest.fixture(autouse=True)
def _registrations_end_with_the_test(monkeypatch):
    for registry in (LOSSES, METRICS, REGULARIZERS, CONSTRAINTS):
        monkeypatch.setattr(registry, "known", dict(registry.known))
