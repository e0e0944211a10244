"""A losslab object straight in `compile` trains; what Keras keeps from it is measured, and found by check_wiring."""

import keras
import numpy as np
import pytest

import losslab
import losslab.keras

from .models import ROWS, inputs, labels, model_for, sequence_model, sequences, weights

LOSS = losslab.Huber(delta=0.3)


def test_it_trains():
    y = labels(LOSS)
    history = model_for(LOSS, LOSS).fit(inputs(), y, epochs=5, batch_size=ROWS, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_weights_multiply_the_loss_by_their_mean():
    model, y, w = model_for(LOSS, LOSS), labels(LOSS), weights(ROWS)
    p = model.predict(inputs(), verbose=0)
    actual = model.evaluate(inputs(), y, sample_weight=w, batch_size=ROWS, verbose=0)
    assert actual == pytest.approx(LOSS(y, p) * w.mean(), rel=1e-5)
    assert actual != pytest.approx(LOSS(y, p, sample_weight=w), rel=1e-3)


def test_padding_counts():
    x, mask = sequences()
    y = LOSS.targets.draw(np.random.default_rng(4), (ROWS, 4, 3)).astype("float32")
    model = sequence_model(None, LOSS)
    p = model.predict(x, verbose=0)
    actual = model.evaluate(x, y, batch_size=ROWS, verbose=0)
    assert actual == pytest.approx(LOSS(y, p), rel=1e-5)
    assert actual != pytest.approx(LOSS(y, p, mask=mask), rel=1e-3)


def test_per_sample_values_are_weighed_by_keras():
    """reduction="none" leaves the reduction to Keras, which then has what it needs."""
    loss = losslab.Huber(delta=0.3, reduction="none")
    model, y, w = model_for(loss, loss), labels(loss), weights(ROWS)
    expected = LOSS(y, model.predict(inputs(), verbose=0), sample_weight=w)
    assert model.evaluate(inputs(), y, sample_weight=w, batch_size=ROWS, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert losslab.keras.check_wiring(model) == []


def test_the_check_finds_it_in_any_structure():
    x = keras.Input((1,))
    model = keras.Model(x, {name: keras.layers.Identity(name=name)(x) for name in "abc"})
    model.compile(loss={"a": LOSS, "b": "mse", "c": losslab.MeanSquaredError})
    first, second = losslab.keras.check_wiring(model)
    assert first.startswith("Huber(delta=0.3): Keras gives it no weights")
    assert "losslab.keras.wrap(MeanSquaredError())" in second


def test_the_check_finds_a_loss_that_keeps_its_values():
    model = model_for(LOSS, losslab.keras.Huber(reduction="none"))
    assert "cannot train" in losslab.keras.check_wiring(model)[0]


def test_the_check_has_nothing_against_the_right_way():
    assert losslab.keras.check_wiring(model_for(LOSS)) == []
    assert losslab.keras.check_wiring(model_for(LOSS, "mse")) == []


def test_a_model_must_be_compiled():
    with pytest.raises(ValueError, match="not compiled"):
        losslab.keras.check_wiring(keras.Sequential([keras.layers.Dense(1)]))
