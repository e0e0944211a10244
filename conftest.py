"""What every test and every example in a docstring takes for granted."""

import os

# Read once, when Keras is imported: here, before any test or module can do so.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import pytest

import losslab
from losslab._registry import LOSSES
from losslab.constraints import CONSTRAINTS
from losslab.metrics._registry import METRICS
from losslab.regularizers import REGULARIZERS


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace):
    doctest_namespace.update(losslab=losslab, np=np)


@pytest.fixture(autouse=True)
def _registrations_end_with_the_test(monkeypatch):
    for registry in (LOSSES, METRICS, REGULARIZERS, CONSTRAINTS):
        monkeypatch.setattr(registry, "known", dict(registry.known))
