"""Every loss of the catalogue, and every parameter of it at another value than its default: the table of the tests."""

import losslab

DEFAULTS = [losslab.get(name) for name in losslab.names()]

VARIANTS = [
    losslab.Huber(delta=0.3),
    losslab.CosineSimilarity(axis=1),
    losslab.BinaryCrossentropy(from_logits=True),
    losslab.BinaryCrossentropy(label_smoothing=0.2, axis=1),
    losslab.CategoricalCrossentropy(from_logits=True),
    losslab.CategoricalCrossentropy(label_smoothing=0.2),
    losslab.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2, axis=1),
    losslab.SparseCategoricalCrossentropy(from_logits=True),
    losslab.SparseCategoricalCrossentropy(ignore_class=255),
    losslab.SparseCategoricalCrossentropy(from_logits=True, axis=1),
    losslab.BinaryFocalCrossentropy(from_logits=True),
    losslab.BinaryFocalCrossentropy(from_logits=True, gamma=0.5, label_smoothing=0.1),
    losslab.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.9, gamma=0.0),
    losslab.CategoricalFocalCrossentropy(from_logits=True),
    losslab.CategoricalFocalCrossentropy(from_logits=True, gamma=0.5, label_smoothing=0.1),
    losslab.CategoricalFocalCrossentropy(alpha=[1.0, 0.5, 2.0], gamma=0.0),
    losslab.SparseCategoricalCrossentropy(label_smoothing=0.2),
    losslab.SparseCategoricalFocalCrossentropy(from_logits=True, gamma=0.5, label_smoothing=0.1, ignore_class=255),
    losslab.SparseCategoricalFocalCrossentropy(alpha=[1.0, 0.5, 2.0], axis=1),
    losslab.CategoricalGeneralizedCrossEntropy(from_logits=True, q=1.0),
    losslab.CategoricalGeneralizedCrossEntropy(q=0.1, ignore_class=255),
    losslab.Quantile(quantile=0.9),
    losslab.AsymmetricCost(over=2.0, under=0.5),
    losslab.MeanSquaredError(reduction="none"),
    losslab.BinaryCrossentropy(class_weight={0: 0.5, 1: 3.0}, label_smoothing=0.2),
    losslab.BinaryFocalCrossentropy(class_weight=[2.0, 0.25], from_logits=True, ignore_class=-1),
    losslab.CategoricalCrossentropy(class_weight=[1.0, 0.5, 2.0], label_smoothing=0.2, ignore_class=2),
    losslab.SparseCategoricalCrossentropy(class_weight=[1.0, 0.5, 2.0], from_logits=True, label_smoothing=0.2),
    losslab.CategoricalFocalCrossentropy(class_weight=[1.0, 0.0, 2.0], ignore_class=1),
    losslab.SparseCategoricalFocalCrossentropy(class_weight=[1.0, 0.5, 2.0], from_logits=True),
    losslab.CategoricalGeneralizedCrossEntropy(class_weight=[1.0, 0.5, 2.0], label_smoothing=0.2),
    losslab.Dice(axis=1, smooth=1.0),
    losslab.Dice(axis=(1, 2)),
    losslab.Tversky(axis=(0, 1), alpha=0.3, beta=0.7),
    losslab.Circle(gamma=10.0, margin=0.25),
    losslab.CTC(blank=4),
    losslab.SparseCategoricalDice(from_logits=True, axis=1, smooth=1.0, class_weight=[1.0, 0.5, 2.0]),
    losslab.SparseCategoricalDice(from_logits=True, per_image=True, ignore_class=255),
    losslab.SparseCategoricalDice(per_image=True, axis=1),
]


class Cubic(losslab.Loss):
    """A loss as people write it: a constructor and `call`."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * abs(y_pred - y_true) ** 3


class Forgetful(losslab.Loss):
    """The same without super().__init__()."""

    def __init__(self, factor=2.0):
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * abs(y_pred - y_true) ** 3


OWN = [
    Cubic(factor=3.0),
    losslab.LossFunctionWrapper(losslab.huber, delta=0.3),
    losslab.LossFunctionWrapper(losslab.sparse_categorical_crossentropy, from_logits=True, reduction="sum"),
]
LOSSES = DEFAULTS + VARIANTS + OWN


def dtypes(loss, compiled=True):
    """The dtypes in which to test a loss: where it is compiled, a variant only in float32, for its class is in both.

    What a variant is in float64 on JAX and TensorFlow, test_agreement says.
    """
    return ("float32",) if compiled and loss not in DEFAULTS else ("float32", "float64")
