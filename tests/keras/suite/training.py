"""Every loss of the catalogue in `compile`: one model with an output for each."""

import keras
import numpy as np
import pytest

import losslab
import losslab.keras

from .models import FEATURES, ROWS, TRAINABLE, head, inputs, labels, weights

Y = {name: labels(loss) for name, loss in TRAINABLE.items()}


@pytest.fixture(scope="module")
def trained():
    """(history of fit, predictions after it, what evaluate gives with weights), of a model with a dict of losses."""
    keras.utils.set_random_seed(0)
    x = keras.Input((FEATURES,))
    model = keras.Model(x, {name: keras.Sequential(head(loss), name=name)(x) for name, loss in TRAINABLE.items()})
    losses = {name: losslab.keras.wrap(loss) for name, loss in TRAINABLE.items()}
    model.compile(optimizer=keras.optimizers.SGD(0.02, clipnorm=1.0), loss=losses)
    before = model.predict(inputs(), verbose=0)
    history = model.fit(inputs(), Y, epochs=5, batch_size=ROWS, verbose=0).history
    after = model.predict(inputs(), verbose=0)
    weighted = model.evaluate(inputs(), Y, sample_weight=weights(ROWS), batch_size=ROWS, return_dict=True, verbose=0)
    return history, before, after, weighted


@pytest.mark.parametrize("name", TRAINABLE)
def test_the_loss_goes_down(trained, name):
    history, *_ = trained
    losses = history[f"{name}_loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", TRAINABLE)
def test_the_numbers_are_those_of_the_predictions(trained, name):
    history, before, after, weighted = trained
    loss, y = TRAINABLE[name], Y[name]
    assert history[f"{name}_loss"][0] == pytest.approx(loss(y, before[name]), rel=1e-4)
    expected = loss(y, after[name], sample_weight=weights(ROWS))
    assert weighted[f"{name}_loss"] == pytest.approx(expected, rel=1e-4)


def test_the_total_is_the_sum_of_the_losses(trained):
    history, *_ = trained
    assert history["loss"][0] == pytest.approx(sum(history[f"{name}_loss"][0] for name in TRAINABLE), rel=1e-5)
