"""Metrics, as functions and as objects that sum over batches, on NumPy, PyTorch, JAX and TensorFlow arrays.

>>> auc = losslab.metrics.get("auc")
>>> auc.update([0, 1], [0.2, 0.7])
>>> auc.update([1, 0], [0.6, 0.9])
>>> auc.result()
0.5
"""

from ._mean import Mean, MeanMetric, mean
from ._metric import Metric, Streaming, UndefinedMetricWarning
from ._names import aliases_of, class_of, deserialize, get, names, register, serialize
from .accuracies import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .areas import AUC, auc
from .confusion import ConfusionMetric, F1Score, Precision, Recall, f1_score, precision, recall
from .of_loss import CosineSimilarity, LossMetric
from .resolved import Accuracy, accuracy
from .several import Metrics

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "ConfusionMetric",
    "CosineSimilarity",
    "F1Score",
    "LossMetric",
    "Mean",
    "MeanMetric",
    "Metric",
    "Metrics",
    "Precision",
    "Recall",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "Streaming",
    "TopKCategoricalAccuracy",
    "UndefinedMetricWarning",
    "accuracy",
    "aliases_of",
    "auc",
    "binary_accuracy",
    "categorical_accuracy",
    "class_of",
    "deserialize",
    "f1_score",
    "get",
    "mean",
    "names",
    "precision",
    "recall",
    "register",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]
