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
]

LOSSES = DEFAULTS + VARIANTS
