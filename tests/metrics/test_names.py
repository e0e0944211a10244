"""Names of metrics, losses as metrics, and several at once."""

import pickle
import re

import keras
import numpy as np
import pytest

import losslab

M = losslab.metrics

KERAS_METRICS = [
    "Accuracy",
    "AUC",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "Hinge",
    "KLDivergence",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Precision",
    "Recall",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
]
SHORT = {"acc": "accuracy", "f1": "f1_score", "mse": "mean_squared_error", "MAE": "mean_absolute_error"}


@pytest.mark.parametrize("name", KERAS_METRICS)
def test_names_of_keras_resolve(name):
    own = re.sub(r"_\d+$", "", keras.metrics.get(name).name)  # Keras numbers the second AUC of a process
    metric = M.get(name)
    assert metric.name == own
    assert M.get(own) == metric


@pytest.mark.parametrize("name", SHORT)
def test_short_names_resolve(name):
    assert M.get(name).name == SHORT[name]


OF_SEVERAL_SAMPLES = ("dice", "tversky", "sparse_categorical_dice", "circle")


@pytest.mark.parametrize("name", [*losslab.names(), "dice:axis=1", "tversky:axis=-1", "dice:axis=(-1,)"])
def test_every_loss_is_a_metric(name):
    if name in OF_SEVERAL_SAMPLES:
        pytest.skip("a value of it belongs to several samples: refused, as the next test has it")
    loss = losslab.get(name)
    rng = np.random.default_rng(0)
    shapes = [(n, 6, 4) if name == "ctc" else (n, 4) for n in (3, 5)]
    data = [(loss.targets.draw(rng, shape), loss.outputs.draw(rng, shape)) for shape in shapes]
    metric = M.LossMetric(name)
    for y_true, y_pred in data:
        metric.update(y_true, y_pred, sample_weight=np.full(len(y_pred), 0.5))
    assert metric.result() == pytest.approx(np.mean(np.concatenate([loss.per_sample(*batch) for batch in data])))
    assert metric.name == loss.name


@pytest.mark.parametrize("loss", [losslab.Dice, losslab.Tversky])
@pytest.mark.parametrize("axis", [None, 0, -2, (0, 1), (-2, -1)], ids=str)
def test_a_loss_on_sets_beyond_a_sample_is_no_metric(loss, axis):
    with pytest.raises(
        ValueError, match=r"no value per sample, but one for a whole batch.*give the axes of one sample's"
    ):
        M.get(loss(axis=axis)).update(np.eye(3), np.eye(3))


def test_a_loss_on_pixels_is_a_metric_of_images():
    rng = np.random.default_rng(0)
    ids, p = rng.integers(0, 3, (4, 5)), rng.dirichlet(np.ones(3), (4, 5))
    metric = M.get("sparse_categorical_dice:per_image=true")
    metric.update(ids[:1], p[:1])
    metric.update(ids[1:], p[1:])
    assert metric.result() == pytest.approx(losslab.SparseCategoricalDice(per_image=True)(ids, p))
    with pytest.raises(ValueError, match=r"no value per sample, but one for a whole batch.*or per_image=True"):
        M.get("sparse_categorical_dice").update(ids, p)


@pytest.mark.parametrize(
    "form",
    ["circle", losslab.Circle(), losslab.circle, losslab.LossFunctionWrapper(losslab.circle)],
    ids=["name", "object", "function", "wrapped"],
)
def test_a_loss_on_pairs_is_no_metric(form):
    with pytest.raises(ValueError, match="depends on the other samples of its batch, so that batches do not add up"):
        M.get(form)


def test_every_form_of_a_loss_is_the_loss():
    import losslab.keras

    huber = M.LossMetric(losslab.Huber(delta=2.0))
    assert M.get(losslab.keras.Huber(delta=2.0)) == huber
    assert M.get(losslab.LossFunctionWrapper(losslab.huber, delta=2.0)) == huber
    assert M.get(losslab.huber) == M.get(losslab.Huber) == M.get(losslab.keras.Huber) == M.get("huber")


def test_every_form_of_a_metric_is_the_metric():
    import losslab.keras.metrics

    assert M.get(M.auc) == M.get("auc")
    assert M.get(M.mean) == M.get("mean")
    assert M.get(M.top_k_categorical_accuracy) == M.TopKCategoricalAccuracy()
    assert M.get(losslab.keras.metrics.F1Score(average="micro")) == M.F1Score(average="micro")


def test_what_is_listed_can_be_made():
    for name in M.names():
        assert M.get(name).name == name
    with pytest.raises(losslab.UnknownNameError, match="unknown metric 'loss_metric'"):
        M.get("loss_metric")


@pytest.mark.parametrize("function", [M.auc, M.precision, M.recall, M.f1_score, M.mean], ids=lambda f: f.__name__)
def test_what_takes_all_samples_is_not_traced(function, framework):
    """A compiled step sees one batch, and the mean over batches is another number."""
    assert function.over_all_samples
    assert not hasattr(M.accuracy, "over_all_samples")
    if framework.name not in ("jax", "tensorflow"):
        pytest.skip("an eager batch does not show that it is a part")
    data = framework.array(np.array([0.0, 1.0])), framework.array(np.array([0.2, 0.7]))
    in_keras = "keras.metrics.Mean()" if function is M.mean else f"losslab.keras.metrics.{function.metric.__name__}("
    with pytest.raises(TypeError, match=re.escape(in_keras)):
        framework.compiled(lambda y_true, y_pred: function(y_true, y_pred))(*data)


def test_the_name_is_a_similarity_and_the_loss_is_negative():
    y_true, y_pred = [[0.0, 2.0]], [[0.0, 1.0]]
    for metric, value in ((M.get("cosine_similarity"), 1.0), (M.get(losslab.CosineSimilarity()), -1.0)):
        metric.update(y_true, y_pred)
        assert metric.result() == value


def test_a_function_is_a_metric(framework):
    def largest(y_true, y_pred):
        return abs(y_pred - y_true).max(1)

    y_true, y_pred = np.zeros((3, 2)), np.array([[1.0, 2.0], [3.0, 1.0], [np.nan, 1.0]])
    metric = M.get(largest) if framework.name == "numpy" else M.get("mae")
    assert metric.name in ("largest", "mean_absolute_error")
    metric.update(framework.array(y_true), framework.array(y_pred), sample_weight=[1, 3, 0])
    assert metric.result() == pytest.approx((2 + 9) / 4 if framework.name == "numpy" else (1.5 + 6) / 4)


def test_a_registered_function_has_a_name():
    @M.register
    def squared_gap(y_true, y_pred, power=2):
        return abs(y_pred - y_true) ** power

    metric = M.get("squared_gap:power=3")
    metric.update([[0.0]], [[2.0]])
    assert metric.result() == 8.0


def test_a_metric_of_ones_own():
    @M.register
    class Bias(M.MeanMetric):
        def values(self):
            return losslab.LossFunctionWrapper(lambda y_true, y_pred: y_pred - y_true, name=self.name)

    metric = M.get("bias")
    metric.update([[1.0], [2.0]], [[2.0], [5.0]])
    assert metric.result() == 2.0
    assert M.serialize(metric)["class_name"] == "losslab>Bias"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("acuracy", "accuracy"), ("AUCC", "auc"), ("meen_squared_error", "mean_squared_error"), ("f1_scor", "f1_score")],
)
def test_typos_get_suggestions(name, nearest):
    with pytest.raises(losslab.UnknownNameError, match=f"unknown metric '{name}': did you mean") as caught:
        M.get(name)
    assert nearest in caught.value.suggestions


def test_parameters_are_checked():
    with pytest.raises(TypeError, match=r"auc has no parameter 'curv': did you mean 'curve'\?"):
        M.get("auc:curv=PR")
    with pytest.raises(ValueError, match="curve must be one of 'ROC', 'PR', got 'PRC'"):
        M.AUC(curve="PRC")
    with pytest.raises(TypeError, match=r"auc\(\) has no parameter 'tresholds'"):
        M.auc([0, 1], [0.1, 0.2], tresholds=3)
    with pytest.raises(TypeError, match="has no parameter 'name'"):
        M.binary_accuracy([0, 1], [0.1, 0.2], name="mine")
    with pytest.raises(TypeError, match="3 means no metric"):
        M.get(3)
    with pytest.raises(TypeError, match=r"f1_score\(\) has no parameter 'sample_weigth': did you mean 'sample_weight'"):
        M.f1_score([0, 1], [0.1, 0.2], sample_weigth=[1, 2])
    with pytest.raises(
        TypeError, match=r"it has y_true, y_pred, sample_weight, mask, average, threshold, from_logits$"
    ):
        M.f1_score([0, 1], [0.1, 0.2], zzz=1)


def test_a_metric_is_no_function_of_a_batch():
    """Keras would average the batches, which for most metrics is another number."""
    assert not callable(M.AUC())
    with pytest.raises(ValueError, match="Could not interpret metric identifier"):
        keras.metrics.get(M.AUC())


def test_several_at_once(framework):
    y_true, y_pred = framework.array(np.array([0, 1, 1, 0])), framework.array(np.array([0.1, 0.4, 0.9, 0.2]))
    metrics = M.Metrics(["accuracy", M.AUC(name="area"), M.Precision, losslab.Huber(delta=0.5), "mse"])
    metrics.update(y_true[:1], y_pred[:1])
    other = pickle.loads(pickle.dumps(metrics))
    other.reset()
    other.update(y_true[1:], y_pred[1:])
    metrics.merge(other)
    expected = {"accuracy": 0.75, "area": 1.0, "precision": 1.0}
    result = metrics.result()
    assert list(result) == ["accuracy", "area", "precision", "huber", "mean_squared_error"]
    assert {name: result[name] for name in expected} == expected
    assert result["mean_squared_error"] == pytest.approx((0.01 + 0.36 + 0.01 + 0.04) / 4)
    assert metrics["accuracy"].resolved == "binary_accuracy"
    metrics.reset()
    assert metrics["area"].sums == {}


def test_a_refused_batch_leaves_several_as_they_were():
    metrics = M.Metrics(["accuracy", "precision"])
    metrics.update([0, 1], [0.1, 0.9])
    before = metrics.result()
    with pytest.raises(ValueError, match="average='binary' is for one column"):
        metrics.update([2], [[0.1, 0.2, 0.7]])
    assert metrics.result() == before


def test_several_that_cannot_be():
    with pytest.raises(ValueError, match="two metrics are called 'auc'"):
        M.Metrics(["auc", "auc:curve=PR"])
    with pytest.raises(TypeError, match=r"Mean\(\) is no metric of labels and predictions"):
        M.Metrics(["mean"])
    with pytest.raises(ValueError, match="they measure different things"):
        M.Metrics(["auc"]).merge(M.Metrics(["mse"]))
    with pytest.raises(ValueError, match="they measure different things"):
        M.AUC().merge(M.AUC(curve="PR"))
