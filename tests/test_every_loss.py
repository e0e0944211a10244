"""Every promise of losslab.testing, for every loss, framework and dtype."""

import pytest

from losslab.testing import PROPERTIES, Case, NotApplicable

from .catalogue import DEFAULTS, LOSSES

COMPILATION = {"compiled_equals_eager", "gradient_survives_compilation"}


@pytest.mark.parametrize("holds", PROPERTIES.values(), ids=PROPERTIES)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_promise(loss, framework, dtype, holds):
    if holds.__name__ in COMPILATION and dtype == "float64" and loss not in DEFAULTS:
        pytest.skip("a variant is compiled in float32 alone, its class in both dtypes")
    try:
        holds(Case(loss, framework, dtype))
    except NotApplicable as reason:
        pytest.skip(str(reason))
