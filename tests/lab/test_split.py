"""Labels made wrong on purpose."""

import numpy as np

from losslab.lab.split import with_noise


def test_noise_is_uniform_over_the_other_classes():
    ids = np.repeat(np.arange(4, dtype=np.int32), 25_000)
    found = with_noise(ids, 4, 0.3, np.random.default_rng(0))
    assert found.dtype == ids.dtype
    share = np.array([[np.mean(found[ids == a] == b) for b in range(4)] for a in range(4)])
    np.testing.assert_allclose(share, np.where(np.eye(4), 0.7, 0.1), atol=0.01)


def test_no_noise_changes_nothing():
    ids = np.arange(10) % 3
    np.testing.assert_array_equal(with_noise(ids, 3, 0.0, np.random.default_rng(0)), ids)
