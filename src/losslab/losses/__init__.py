"""The catalogue, by family. Importing it makes every loss known to `losslab.get`."""

from . import classification, distribution, embedding, imbalance, margin, noisy_label, overlap, regression, sequence

__all__ = [
    "classification",
    "distribution",
    "embedding",
    "imbalance",
    "margin",
    "noisy_label",
    "overlap",
    "regression",
    "sequence",
]
