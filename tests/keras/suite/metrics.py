"""losslab's metrics in Keras: in compile, with weights and masks, saved and loaded."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import losslab
import losslab.keras.metrics as km
from losslab import metrics

ROWS, FEATURES = 30, 4

PROBABILITY = [
    metrics.Accuracy(),
    metrics.BinaryAccuracy(threshold=0.4),
    metrics.AUC(num_thresholds=200),
    metrics.AUC(num_thresholds=20, curve="PR", name="pr"),
    metrics.Precision(),
    metrics.Recall(),
    metrics.F1Score(),
    metrics.LossMetric("binary_crossentropy"),
]
CLASS_ID = [
    metrics.Accuracy(),
    metrics.SparseCategoricalAccuracy(ignore_class=2),
    metrics.SparseTopKCategoricalAccuracy(k=2),
    metrics.F1Score(average=None),
    metrics.LossMetric("sparse_categorical_crossentropy"),
]
ONE_HOT = [
    metrics.Accuracy(),
    metrics.CategoricalAccuracy(),
    metrics.TopKCategoricalAccuracy(k=2),
    metrics.AUC(num_thresholds=30, average="macro"),
    metrics.Precision(average="macro"),
    metrics.CosineSimilarity(),
    metrics.LossMetric(losslab.Huber(delta=0.2)),
]
# Name -> loss, units of the last layer, metrics
TASKS = {
    "probability": ("binary_crossentropy", 1, PROBABILITY),
    "class_id": ("sparse_categorical_crossentropy", 3, CLASS_ID),
    "one_hot": ("categorical_crossentropy", 3, ONE_HOT),
}


def data(name):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 2 if name == "probability" else 3, ROWS)
    weight = rng.choice([0.0, 0.5, 2.0], ROWS).astype("float32")
    x = rng.normal(size=(ROWS, FEATURES)).astype("float32")
    return x, np.eye(3)[ids] if name == "one_hot" else ids, weight


def model_for(name, **options):
    loss, units, _ = TASKS[name]
    keras.utils.set_random_seed(0)
    activation = "sigmoid" if units == 1 else "softmax"
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(units, activation=activation)])
    model.compile(optimizer="sgd", loss=loss, **options)
    return model


def expected(core, y, p, weight=None):
    metric = type(core).from_config(core.get_config())
    metric.update(y, p, weight)
    return metric.result()


def evaluated(model, x, y, weight, batch_size=7):
    return model.evaluate(x, y, sample_weight=weight, batch_size=batch_size, verbose=0, return_dict=True)


@pytest.fixture(params=TASKS)
def task(request):
    return request.param, TASKS[request.param][2], *data(request.param)


def test_every_metric_is_tested():
    tested = {type(core) for _, _, cores in TASKS.values() for core in cores}
    known = {metrics.LossMetric, *map(metrics.class_of, metrics.names())}
    assert tested == {cls for cls in known if issubclass(cls, metrics.Metric)}


def test_batches_in_evaluate_are_the_whole(task):
    name, cores, x, y, weight = task
    for options in ("metrics", "weighted_metrics"):
        model = model_for(name, **{options: [core.to_keras() for core in cores]})
        got, p = evaluated(model, x, y, weight), model.predict(x, verbose=0)
        for core in cores:
            value = expected(core, y, p, weight if options == "weighted_metrics" else None)
            np.testing.assert_allclose(got[core.name], value, rtol=1e-5)


def test_training_reports_them():
    x, y, _ = data("probability")
    model = model_for("probability", metrics=[core.to_keras() for core in PROBABILITY])
    history = model.fit(x, y, validation_data=(x, y), epochs=2, batch_size=7, verbose=0).history
    p = model.predict(x, verbose=0)
    for core in PROBABILITY:
        assert len(history[core.name]) == 2
        np.testing.assert_allclose(history[f"val_{core.name}"][-1], expected(core, y, p), rtol=1e-5)


LOAD = """
import json, pathlib, sys, keras, numpy as np, losslab.keras.metrics
folder = pathlib.Path(sys.argv[1])
there = {}
for path in folder.glob("*.keras"):
    data, model = np.load(path.with_suffix(".npz")), keras.saving.load_model(path)
    values = model.evaluate(data["x"], data["y"], data["w"].size, 0, data["w"], return_dict=True)
    there[path.stem] = {k: np.asarray(v).tolist() for k, v in values.items()}
(folder / "values.json").write_text(json.dumps(there))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Of every task what this process computes, and what one fresh process computes that loads all models."""
    folder, here = tmp_path_factory.mktemp("saved"), {}
    for name, (_, _, cores) in TASKS.items():
        x, y, weight = data(name)
        model = model_for(name, weighted_metrics=[core.to_keras() for core in cores])
        here[name] = evaluated(model, x, y, weight)
        model.save(folder / f"{name}.keras")
        np.savez(folder / f"{name}.npz", x=x, y=y, w=weight)
    done = subprocess.run([sys.executable, "-c", LOAD, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return here, json.loads((folder / "values.json").read_text())


@pytest.mark.parametrize("name", TASKS)
def test_a_saved_model_comes_back_in_a_fresh_process(loaded, name):
    here, there = loaded
    for core in TASKS[name][2]:
        np.testing.assert_allclose(there[name][core.name], here[name][core.name], rtol=1e-5)


def test_the_config_keeps_everything():
    for _, _, cores in TASKS.values():
        for core in cores:
            metric = core.to_keras(dtype="float64")
            again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
            assert again.core == core
            assert again.dtype == "float64"


def test_a_mask_of_a_layer_removes_steps():
    x = np.ones((5, 3, 2), "float32")
    x[:, 2] = 0.0
    ids = np.array([[0, 1, 1]] * 5)
    layers = [keras.layers.Masking(), keras.layers.Dense(2, activation="softmax", kernel_initializer="ones")]
    model = keras.Sequential([keras.Input((3, 2)), *layers])
    model.compile(
        loss="sparse_categorical_crossentropy", metrics=[km.SparseCategoricalAccuracy(), km.F1Score(average="micro")]
    )
    got = evaluated(model, x, ids, None)
    assert got["sparse_categorical_accuracy"] == got["f1_score"] == 0.5  # the first class, in two of three steps


def test_reset_and_stateless_use():
    metric = km.AUC(num_thresholds=200)
    assert np.isnan(float(metric.result()))
    metric.update_state([0, 1, 1], [0.2, 0.7, 0.9])
    assert float(metric.result()) == pytest.approx(1.0)
    metric.reset_state()
    assert np.isnan(float(metric.result()))  # no label is a yes
    state = metric.stateless_update_state(metric.variables, np.array([0, 1]), np.array([0.9, 0.2], "float32"))
    assert float(metric.stateless_result(state)) == 0.0


def test_callbacks_know_the_better_direction():
    assert km.AUC(num_thresholds=200)._direction == "up"
    assert km.wrap("mse")._direction == "down"


def test_what_grows_is_refused_with_the_fix():
    with pytest.raises(ValueError, match="Keras' state has a fixed size: give num_thresholds=200"):
        km.AUC()
    with pytest.raises(TypeError, match="is no losslab metric of labels and predictions"):
        km.wrap("mean")


def test_functions_go_into_compile_as_they_are():
    x, y, _ = data("one_hot")
    model = model_for("one_hot", metrics=[metrics.accuracy, metrics.top_k_categorical_accuracy])
    got, p = evaluated(model, x, y, None), model.predict(x, verbose=0)
    assert got["accuracy"] == pytest.approx(expected(metrics.CategoricalAccuracy(), y, p))


@pytest.mark.parametrize(
    ("function", "fix"),
    [
        (metrics.auc, r"auc is over all samples.*losslab\.keras\.metrics\.AUC\(num_thresholds=200\)"),
        (metrics.f1_score, r"f1_score is over all samples.*losslab\.keras\.metrics\.F1Score\(\)"),
    ],
)
def test_functions_over_all_samples_are_refused(function, fix):
    if keras.config.backend() == "torch":
        pytest.skip("PyTorch runs batches eagerly, where nothing shows that they are a part")
    x, y, _ = data("probability")
    with pytest.raises(TypeError, match=fix):
        evaluated(model_for("probability", metrics=[function]), x, y, None)


@pytest.mark.parametrize(
    ("metric", "units", "message"),
    [
        (metrics.Recall(), 3, "average='binary' is for one column, but y_pred has 3"),
        (metrics.SparseCategoricalAccuracy(), 1, "the best of one class is always right"),
    ],
    ids=repr,
)
def test_messages_are_of_shapes_not_of_the_values_of_a_trial_run(metric, units, message):
    x, y, _ = data("one_hot")
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(units)])
    model.compile(loss="mse", metrics=[metric.to_keras()])
    with pytest.raises(ValueError, match=message):
        evaluated(model, x, y if units == 3 else y.argmax(1), None)


def test_typos_get_suggestions():
    with pytest.raises(AttributeError, match="has no 'Acuracy': did you mean 'Accuracy'"):
        _ = km.Acuracy
    assert km.LossMetric is type(km.wrap("mse"))


def test_two_replicas_count_as_one():
    if keras.config.backend() != "tensorflow":
        pytest.skip("tf.distribute is TensorFlow's")
    import tensorflow as tf

    x, y, weight = data("probability")
    alone = evaluated(
        model_for("probability", weighted_metrics=[core.to_keras() for core in PROBABILITY]), x, y, weight, 10
    )
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        together = model_for("probability", weighted_metrics=[core.to_keras() for core in PROBABILITY])
        got = evaluated(together, x, y, weight, 10)
    for core in PROBABILITY:
        np.testing.assert_allclose(got[core.name], alone[core.name], rtol=1e-5)
