"""A losslab object straight in `compile` trains; what Keras keeps from it is measured, and found by check_wiring."""

import re

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


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (losslab.LossContainer("mse"), r"LossContainer.*for every output by itself.*loss_weights=\{…\}\)$"),
        (losslab.Objective("mse"), "Objective.*for every output by itself.*kernel_regularizer"),
    ],
)
def test_the_check_finds_several_losses_in_one_object(loss, words):
    (finding,) = losslab.keras.check_wiring(model_for(LOSS, loss))
    assert re.match(words, finding)


@pytest.mark.parametrize("place", ["metrics", "weighted_metrics"])
@pytest.mark.parametrize("metric", [LOSS, losslab.keras.wrap(LOSS), losslab.Huber, losslab.metrics.f1_score])
def test_the_check_finds_metrics_that_keras_averages(metric, place, monkeypatch):
    monkeypatch.setattr(losslab.metrics.f1_score, "over_all_samples", True, raising=False)
    (finding,) = losslab.keras.check_wiring(model_with(**{place: [metric]}))
    fix = re.search(r"use metrics=\[(.*)\]$", finding)[1]
    right = eval(fix, {"losslab": losslab, "Huber": losslab.Huber})
    assert isinstance(right, keras.metrics.Metric)
    assert losslab.keras.check_wiring(model_with(**{place: [right]})) == []


@pytest.mark.parametrize("metric", ["mse", losslab.huber, losslab.Huber(reduction="none"), losslab.metrics.accuracy])
def test_the_check_has_nothing_against_means(metric):
    assert losslab.keras.check_wiring(model_with(metrics=[metric])) == []


def test_a_loss_as_a_metric_averages_batches():
    x, y = inputs(), labels(LOSS)
    model = model_with(metrics=[LOSS], weighted_metrics=[losslab.keras.metrics.wrap(LOSS)])
    first = ROWS - 1
    batches = [
        LOSS(part, model.predict(xs, verbose=0)) for part, xs in ((y[:first], x[:first]), (y[first:], x[first:]))
    ]
    got = model.evaluate(x, y, batch_size=first, verbose=0, return_dict=True)
    assert got["huber"] == pytest.approx(np.mean(batches), rel=1e-5)
    assert got["weighted_huber"] == pytest.approx(LOSS(y, model.predict(x, verbose=0)), rel=1e-5)
    assert got["huber"] != pytest.approx(got["weighted_huber"], rel=1e-3)


def model_with(**options):
    model = model_for(LOSS)
    model.compile(loss=losslab.keras.wrap(LOSS), **options)
    return model


def test_the_check_finds_a_loss_that_keeps_its_values():
    model = model_for(LOSS, losslab.keras.Huber(reduction="none"))
    assert "cannot train" in losslab.keras.check_wiring(model)[0]


def test_the_check_has_nothing_against_the_right_way():
    assert losslab.keras.check_wiring(model_for(LOSS)) == []
    assert losslab.keras.check_wiring(model_for(LOSS, "mse")) == []


def test_a_model_must_be_compiled():
    with pytest.raises(ValueError, match="not compiled"):
        losslab.keras.check_wiring(keras.Sequential([keras.layers.Dense(1)]))
