"""tf.distribute: two replicas give the numbers of one."""

import keras
import numpy as np
import pytest

import losslab

from .models import ROWS, inputs, labels, model_for, weights

if keras.config.backend() != "tensorflow":
    pytest.skip("tf.distribute is TensorFlow's", allow_module_level=True)

import tensorflow as tf


@pytest.fixture(scope="module")
def replicas():
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def trained(loss, w):
    """The history and the weights after one step on the whole batch."""
    model = model_for(loss)
    history = model.fit(inputs(), labels(loss), sample_weight=w, batch_size=ROWS, epochs=1, shuffle=False, verbose=0)
    return history.history["loss"][0], model.get_weights()


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
@pytest.mark.parametrize("w", [None, weights(ROWS)], ids=["plain", "weighted"])
def test_two_replicas_train_as_one(replicas, reduction, w):
    loss = losslab.Huber(delta=0.3, reduction=reduction)
    one, alone = trained(loss, w)
    with replicas.scope():
        two, together = trained(loss, w)
    assert replicas.num_replicas_in_sync == 2
    assert two == pytest.approx(one, rel=1e-5)
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_the_mean_of_the_weights_is_that_of_each_replica(replicas):
    """As in Keras: each half is divided by its own weights, whatever they sum to."""
    loss = losslab.Huber(delta=0.3, reduction="mean_with_sample_weight")
    model, y, w = model_for(loss), labels(loss), weights(ROWS)
    p = model.predict(inputs(), verbose=0)
    halves = [loss(y[part], p[part], w[part]) for part in (slice(0, ROWS // 2), slice(ROWS // 2, ROWS))]
    with replicas.scope():
        two, _ = trained(loss, w)
    assert two == pytest.approx(sum(halves) / 2, rel=1e-5)
