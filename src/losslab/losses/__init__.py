"""The catalogue, by family. Importing it makes every loss known to `losslab.get`."""

from . import classification, distribution, imbalance, margin, noisy_label, regression

__all__ = ["classification", "distribution", "imbalance", "margin", "noisy_label", "regression"]
