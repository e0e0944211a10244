"""Every metric and every parameter of it, with data of its kind and its value from another library or by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import sklearn.metrics

import losslab

N, CLASSES = 60, 5


def _scores(rng, *shape):
    """Probabilities on a grid that float32 holds exactly, so that ties are ties in every dtype."""
    return rng.integers(1, 64, shape) / 64


def _rows(rng):
    return np.array([rng.permutation(CLASSES) + 1 for _ in range(N)]) / 16  # no ties: the best class is not arguable


def draw(kind, seed=0):
    """(y_true, y_pred) of a kind, labels as a user has them."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, CLASSES, N)
    if kind == "binary":
        return rng.integers(0, 2, N), _scores(rng, N)
    if kind == "logits":
        return rng.integers(0, 2, N), rng.normal(size=N)
    if kind == "signs":
        return rng.choice([-1, 1], N), rng.normal(size=N)
    if kind == "ids":
        return ids, _rows(rng)
    if kind == "one_hot":
        return np.eye(CLASSES)[ids], _rows(rng)
    if kind == "unknown_labels":
        labels = rng.integers(-1, 2, (N, CLASSES))
        labels[5] = -1
        return labels, _scores(rng, N, CLASSES)
    if kind == "multi_label":
        return rng.integers(0, 2, (N, CLASSES)), _scores(rng, N, CLASSES)
    return rng.normal(size=(N, 2)), rng.normal(size=(N, 2))


@dataclass(frozen=True)
class Row:
    """A metric, the kind of its data, and `expected(y_true, y_pred, weight)`; `tolerance` is that of the oracle."""

    metric: Any
    kind: str
    expected: Callable[..., Any]
    tolerance: float = 1e-12

    def __str__(self):
        return f"{self.metric!r}-{self.kind}"


def _mean(values):
    return lambda y, p, w: np.average(np.reshape(values(y, p), (len(w), -1)).mean(1), weights=w)


def _mean_of_known(y, p, w):
    """The mean over the labels of each row that are not -1, and over the rows that have any."""
    rows = [(np.mean((p[i] > 0.5)[y[i] >= 0] == y[i][y[i] >= 0]), w[i]) for i in range(len(y)) if (y[i] >= 0).any()]
    return np.average([value for value, _ in rows], weights=[weight for _, weight in rows])


def _sklearn_without(ignored, k=1):
    def expected(y, p, w):
        ids = y.argmax(1)
        kept = ids != ignored
        return sklearn.metrics.top_k_accuracy_score(
            ids[kept], p[kept], k=k, sample_weight=w[kept], labels=range(CLASSES)
        )

    return expected


def _sklearn(name, cut=0.5, **options):
    function = getattr(sklearn.metrics, name)
    return lambda y, p, w: function(y > 0, p > cut, sample_weight=w, zero_division=0, **options)


def _sklearn_classes(name, **options):
    function = getattr(sklearn.metrics, name)
    return lambda y, p, w: function(
        y if y.ndim == 1 else y.argmax(1),
        p.argmax(1),
        sample_weight=w,
        labels=range(CLASSES),
        zero_division=0,
        **options,
    )


def _keras(name, **options):
    def expected(y, p, w):
        metric = getattr(keras.metrics, name)(**options)
        metric.update_state(y.astype("float32"), p.astype("float32"), w.astype("float32"))
        return np.asarray(metric.result())

    return expected


def _rank_auc(y, p, w):
    """By its definition: every pair of a yes and a no."""
    yes, no = np.flatnonzero(y > 0), np.flatnonzero(y <= 0)
    wins = (p[yes, None] > p[None, no]) + 0.5 * (p[yes, None] == p[None, no])
    pairs = w[yes, None] * w[None, no]
    return (wins * pairs).sum() / pairs.sum()


def _per_column(function):
    return lambda y, p, w: np.mean([function(y[:, c], p[:, c], w) for c in range(y.shape[1])])


def _flat(function):
    return lambda y, p, w: function(y.ravel(), p.ravel(), np.repeat(w, y.shape[1]))


def _roc(y, p, w):
    return sklearn.metrics.roc_auc_score(y, p, sample_weight=w)


def _pr(y, p, w):
    return sklearn.metrics.average_precision_score(y, p, sample_weight=w)


def _rank(y, p):
    """How many classes score above the true one."""
    ids = y if y.ndim == 1 else y.argmax(1)
    return (p > p[np.arange(len(p)), ids][:, None]).sum(1)


M = losslab.metrics

TABLE = [
    Row(M.BinaryAccuracy(), "binary", _mean(lambda y, p: (p > 0.5) == y)),
    Row(M.BinaryAccuracy(threshold=0.3), "multi_label", _mean(lambda y, p: (p > 0.3) == y)),
    Row(M.BinaryAccuracy(from_logits=True), "logits", _mean(lambda y, p: (p > 0) == y)),
    Row(M.BinaryAccuracy(threshold=0.25, from_logits=True), "logits", _mean(lambda y, p: (p > -np.log(3)) == y)),
    Row(M.BinaryAccuracy(threshold=0.0), "signs", _mean(lambda y, p: np.sign(p) == y)),
    Row(M.BinaryAccuracy(ignore_class=-1), "unknown_labels", _mean_of_known),
    Row(
        M.BinaryAccuracy(ignore_class=1),
        "binary",
        lambda y, p, w: sklearn.metrics.recall_score(y, p > 0.5, pos_label=0, sample_weight=w),
    ),
    Row(M.CategoricalAccuracy(ignore_class=3), "one_hot", _sklearn_without(3)),
    Row(M.TopKCategoricalAccuracy(k=2, ignore_class=3), "one_hot", _sklearn_without(3, k=2)),
    Row(M.CategoricalAccuracy(), "one_hot", _mean(lambda y, p: _rank(y, p) < 1)),
    Row(M.SparseCategoricalAccuracy(), "ids", _mean(lambda y, p: _rank(y, p) < 1)),
    Row(M.TopKCategoricalAccuracy(k=2), "one_hot", _mean(lambda y, p: _rank(y, p) < 2)),
    Row(M.TopKCategoricalAccuracy(k=3), "one_hot", _keras("TopKCategoricalAccuracy", k=3), 1e-6),
    Row(
        M.SparseTopKCategoricalAccuracy(k=2),
        "ids",
        lambda y, p, w: sklearn.metrics.top_k_accuracy_score(y, p, k=2, sample_weight=w),
    ),
    Row(M.SparseTopKCategoricalAccuracy(k=4), "ids", _keras("SparseTopKCategoricalAccuracy", k=4), 1e-6),
    Row(
        M.SparseCategoricalAccuracy(ignore_class=3),
        "ids",
        lambda y, p, w: sklearn.metrics.accuracy_score(y[y != 3], p[y != 3].argmax(1), sample_weight=w[y != 3]),
    ),
    Row(M.Accuracy(), "binary", _keras("BinaryAccuracy"), 1e-6),
    Row(M.Accuracy(), "ids", _keras("SparseCategoricalAccuracy"), 1e-6),
    Row(M.Accuracy(), "one_hot", _keras("CategoricalAccuracy"), 1e-6),
    Row(M.Accuracy(), "multi_label", _mean(lambda y, p: (p > 0.5) == y)),
    Row(M.Accuracy(threshold=0.0), "signs", _mean(lambda y, p: np.sign(p) == y)),
    Row(M.Accuracy(from_logits=True), "logits", _mean(lambda y, p: (p > 0) == y)),
    Row(
        M.Accuracy(ignore_class=3),
        "ids",
        lambda y, p, w: sklearn.metrics.accuracy_score(y[y != 3], p[y != 3].argmax(1), sample_weight=w[y != 3]),
    ),
    Row(M.Accuracy(ignore_class=3), "one_hot", _sklearn_without(3)),
    Row(M.Accuracy(ignore_class=-1), "unknown_labels", _mean_of_known),
    Row(M.AUC(), "binary", _roc),
    Row(M.AUC(), "binary", _rank_auc),
    Row(M.AUC(), "signs", _roc),
    Row(M.AUC(), "multi_label", _flat(_roc)),
    Row(M.AUC(average="macro"), "multi_label", _per_column(_roc)),
    Row(M.AUC(curve="PR"), "binary", _pr),
    Row(M.AUC(curve="PR"), "multi_label", _flat(_pr)),
    Row(M.AUC(curve="PR", average="macro"), "multi_label", _per_column(_pr)),
    Row(M.AUC(num_thresholds=200), "binary", _keras("AUC"), 1e-5),
    Row(M.AUC(num_thresholds=5), "binary", _keras("AUC", num_thresholds=5), 1e-5),
    Row(M.AUC(num_thresholds=2), "binary", _keras("AUC", num_thresholds=2), 1e-5),
    Row(M.AUC(num_thresholds=64, from_logits=True), "logits", _keras("AUC", num_thresholds=64, from_logits=True), 1e-5),
    Row(M.AUC(num_thresholds=200, curve="PR"), "binary", _keras("AUC", curve="PR"), 1e-5),
    Row(M.AUC(num_thresholds=7, curve="PR"), "binary", _keras("AUC", num_thresholds=7, curve="PR"), 1e-5),
    Row(M.AUC(num_thresholds=200), "multi_label", _flat(_keras("AUC")), 1e-5),
    Row(
        M.AUC(num_thresholds=30, curve="PR", average="macro"),
        "multi_label",
        _per_column(_keras("AUC", num_thresholds=30, curve="PR")),
        1e-5,
    ),
    Row(M.Precision(), "binary", _sklearn("precision_score")),
    Row(M.Precision(), "binary", _keras("Precision"), 1e-6),
    Row(M.Precision(threshold=0.7), "binary", _keras("Precision", thresholds=0.7), 1e-6),
    Row(M.Precision(from_logits=True), "logits", _sklearn("precision_score", cut=0.0)),
    Row(M.Precision(threshold=0.5, average="micro"), "multi_label", _sklearn("precision_score", average="micro")),
    Row(M.Precision(average="macro"), "ids", _sklearn_classes("precision_score", average="macro")),
    Row(M.Precision(average=None), "one_hot", _sklearn_classes("precision_score", average=None)),
    Row(M.Recall(), "binary", _sklearn("recall_score")),
    Row(M.Recall(), "binary", _keras("Recall"), 1e-6),
    Row(M.Recall(threshold=0.5, average="weighted"), "multi_label", _sklearn("recall_score", average="weighted")),
    Row(M.Recall(average="micro"), "ids", _sklearn_classes("recall_score", average="micro")),
    Row(M.F1Score(), "binary", _sklearn("f1_score")),
    Row(M.F1Score(threshold=0.5, average="macro"), "multi_label", _sklearn("f1_score", average="macro")),
    Row(M.F1Score(average="weighted"), "ids", _sklearn_classes("f1_score", average="weighted")),
    Row(M.F1Score(average=None), "one_hot", _keras("F1Score", average=None), 1e-6),
    Row(M.get("mse"), "real", _keras("MeanSquaredError"), 1e-6),
    Row(M.get("mae"), "real", _mean(lambda y, p: abs(y - p))),
    Row(
        M.get("huber:delta=0.5"),
        "real",
        lambda y, p, w: np.average(
            np.where(abs(y - p) < 0.5, (y - p) ** 2 / 2, 0.5 * (abs(y - p) - 0.25)).mean(1), weights=w
        ),
    ),
    Row(M.get("sparse_categorical_crossentropy"), "ids", _keras("SparseCategoricalCrossentropy"), 1e-6),
    Row(M.get("cosine_similarity"), "real", _keras("CosineSimilarity"), 1e-6),
    Row(M.LossMetric("cosine_similarity"), "real", lambda y, p, w: -_keras("CosineSimilarity")(y, p, w), 1e-6),
]
