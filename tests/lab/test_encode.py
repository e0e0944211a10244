"""Labels and output layer follow from what a loss declares."""

import numpy as np
import pytest

import losslab
from losslab.lab import encode
from losslab.lab.errors import LabError

IDS = np.array([[2], [0]])


@pytest.mark.parametrize(
    ("name", "labels", "activation"),
    [
        ("categorical_crossentropy", [[0, 0, 1], [1, 0, 0]], "softmax"),
        ("categorical_crossentropy:from_logits=True", [[0, 0, 1], [1, 0, 0]], "linear"),
        ("sparse_categorical_crossentropy", [2, 0], "softmax"),
        ("binary_crossentropy", [[0, 0, 1], [1, 0, 0]], "sigmoid"),
        ("binary_crossentropy:from_logits=True", [[0, 0, 1], [1, 0, 0]], "linear"),
        ("mse", [[0, 0, 1], [1, 0, 0]], "softmax"),
        ("poisson", [[0, 0, 1], [1, 0, 0]], "softmax"),
        ("kl_divergence", [[0, 0, 1], [1, 0, 0]], "softmax"),
        ("hinge", [[-1, -1, 1], [1, -1, -1]], "linear"),
        ("categorical_hinge", [[0, 0, 1], [1, 0, 0]], "linear"),
    ],
)
def test_encoding(name, labels, activation):
    loss = losslab.get(name)
    encode.check(loss)
    encoded = encode.labels(loss, IDS, 3)
    np.testing.assert_array_equal(encoded, labels)
    assert encoded.dtype.kind == ("i" if "sparse" in name else "f")
    assert encode.activation(loss) == activation


@pytest.mark.parametrize("name", sorted(set(losslab.names()) - {"circle", "ctc"}))
def test_every_loss_on_classes_trains(name):
    loss = losslab.get(name)
    encode.check(loss)
    labels = encode.labels(loss, IDS, 3)
    assert np.isfinite(loss(labels, np.full((2, 3), 1 / 3, dtype=np.float32)))


@pytest.mark.parametrize(("name", "targets"), [("circle", "identity"), ("ctc", "label_sequence")])
def test_losses_on_pairs_and_sequences_are_refused(name, targets):
    with pytest.raises(LabError, match=f"{name} cannot train a classifier") as refusal:
        encode.check(losslab.get(name))
    assert targets in str(refusal.value)


def test_a_loss_on_other_targets_is_refused():
    class Angle(losslab.ElementLoss):
        targets = losslab.domains.Domain("angle", "an angle in radians", lambda rng, shape: rng.uniform(-3, 3, shape))

        def formula(self, ops, y_true, y_pred):
            return y_pred - y_true

    with pytest.raises(LabError, match="angle"):
        encode.check(Angle())
