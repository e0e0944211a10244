"""Every promise of losslab.testing, for every loss, framework and dtype."""

import pytest

from losslab.testing import PROPERTIES, Case, NotApplicable

from .catalogue import LOSSES


@pytest.mark.parametrize("holds", PROPERTIES.values(), ids=PROPERTIES)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_promise(loss, framework, dtype, holds):
    try:
        holds(Case(loss, framework, dtype))
    except NotApplicable as reason:
        pytest.skip(str(reason))
