"""Every promise of losslab.testing, for every loss, on the frameworks and in the dtypes where it may break."""

import pytest

from losslab.testing import FRAMEWORKS, PROPERTIES, Case, NotApplicable, _objects

from .catalogue import LOSSES, dtypes

OF_THE_OBJECT = {check.__name__ for check in _objects.PROPERTIES}
COMPILING = {"compiled_equals_eager", "gradient_survives_compilation", "class_ids_are_in_range"}


def where(loss, name):
    """The frameworks and dtypes in which a promise of a loss is checked.

    What an object promises, no framework has a part in. Where every operation is compiled, and where a promise compiles
    on its own, a variant goes by `dtypes` of the catalogue.
    """
    if name in OF_THE_OBJECT:
        return [("numpy", "float64")]
    return [
        (framework, dtype)
        for framework in FRAMEWORKS
        for dtype in dtypes(loss, compiled=framework in ("jax", "tensorflow") or name in COMPILING)
    ]


CASES = [
    pytest.param(framework, dtype, loss, name, id=f"{framework}-{dtype}-{loss!r}-{name}")
    for framework in FRAMEWORKS
    for dtype in ("float32", "float64")
    for loss in LOSSES
    for name in PROPERTIES
    if (framework, dtype) in where(loss, name)
]


@pytest.mark.parametrize(("framework", "dtype", "loss", "name"), CASES, indirect=["framework", "dtype"])
def test_promise(framework, dtype, loss, name):
    try:
        PROPERTIES[name](Case(loss, framework, dtype))
    except NotApplicable as reason:
        pytest.skip(str(reason))
