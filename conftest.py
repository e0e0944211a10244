"""Names that the examples in docstrings take for granted."""

import numpy as np
import pytest

import losslab


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace):
    doctest_namespace.update(losslab=losslab, np=np)
