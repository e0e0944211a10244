"""Tasks: which losses serve them, what these are given, and what becomes of their outputs."""

from dataclasses import asdict

import numpy as np
import pytest
import sklearn.metrics as peer

import losslab
from losslab.lab import plan
from losslab.lab.errors import LabError
from losslab.lab.tasks import TASKS, Labels, binary, classes, labels, refuse, regression, segmentation

IDS = np.array([2, 0])
RNG = np.random.default_rng(0)
NAMES = ("a", "b", "c")
OF_TASK = {
    "classes": (Labels((), NAMES), RNG.integers(0, 3, 20)),
    "binary": (Labels((), NAMES[:2]), RNG.integers(0, 2, 20)),
    "labels": (Labels((3,), NAMES), RNG.integers(0, 2, (20, 3))),
    "regression": (Labels((1,), low=0.5, mean=(3.0,), spread=(2.0,)), RNG.uniform(0.5, 7, (20, 1))),
    "segmentation": (Labels((4, 5), NAMES[:2]), RNG.integers(0, 2, (20, 4, 5))),
    "segmentation of three": (Labels((4, 5), NAMES), RNG.integers(0, 3, (20, 4, 5))),
}
SERVES = {
    "asymmetric_cost": "labels regression",
    "binary_crossentropy": "labels",
    "categorical_crossentropy": "",
    "cosine_similarity": "",
    "hinge": "labels",
    "huber": "labels regression",
    "kl_divergence": "",
    "mean_squared_logarithmic_error": "labels regression",
    "poisson": "labels regression",
    "quantile": "labels regression",
    "sparse_categorical_dice": "",
}
"""Of what a loss can do besides choosing among classes; for a part of the catalogue, by hand."""


@pytest.mark.parametrize(
    ("name", "wanted", "activation"),
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
def test_classes_for_a_loss(name, wanted, activation):
    loss, task, three = losslab.get(name), TASKS["classes"](), OF_TASK["classes"][0]
    encoded = task.targets(loss, IDS, three)
    np.testing.assert_array_equal(encoded, wanted)
    assert encoded.dtype.kind == ("i" if "sparse" in name else "f")
    assert (task.output(loss, three).shape, task.output(loss, three).activation) == ((3,), activation)


@pytest.mark.parametrize(
    ("name", "wanted", "activation"),
    [
        ("binary_crossentropy", [[1], [0]], "sigmoid"),
        ("focal:from_logits=True", [[1], [0]], "linear"),
        ("mse", [[1], [0]], "sigmoid"),
        ("dice", [[1], [0]], "sigmoid"),
        ("hinge", [[1], [-1]], "linear"),
        ("categorical_crossentropy", [[0, 1], [1, 0]], "softmax"),
        ("sparse_categorical_crossentropy", [1, 0], "softmax"),
        ("cosine_similarity", [[0, 1], [1, 0]], "softmax"),
    ],
)
def test_two_classes_are_one_output_for_a_loss_on_single_values(name, wanted, activation):
    loss, task, two = losslab.get(name), TASKS["binary"](), OF_TASK["binary"][0]
    np.testing.assert_array_equal(task.targets(loss, np.array([1, 0]), two), wanted)
    output = task.output(loss, two)
    assert (output.shape, output.activation) == ((1 if np.shape(wanted)[1:] == (1,) else 2,), activation)


def usable(task, loss, of):
    if not task.refusal(loss, of):
        return True
    with pytest.raises(LabError, match=f"{loss.name} cannot {task.goal}"):
        refuse(task, loss, of)
    return False


@pytest.mark.parametrize("which", OF_TASK)
@pytest.mark.parametrize("name", losslab.names())
def test_every_loss_serves_a_task_or_is_refused(which, name):
    """What it is given fits it; right outputs score best; wrong ones do not."""
    loss, task, (of, y) = losslab.get(name), TASKS[which.split()[0]](), OF_TASK[which]
    if not usable(task, loss, of):
        assert not name.endswith("crossentropy") or which in ("labels", "regression")
        return
    output = task.output(loss, of)
    right, wrong = (outputs(task, loss, output, of, values) for values in (y, y[::-1]))
    assert right.shape == (len(y), *output.shape)
    assert np.isfinite(loss(task.targets(loss, y, of), right.astype(np.float32)))
    best = 1.0 if task.decides.higher_is_better else 0.0
    assert task.score(loss, (right, y)) == pytest.approx(best, abs=1e-6)
    assert abs(task.score(loss, (wrong, y)) - best) > 0.05
    found = task.measured(loss, (right, y), (right, y))["measures"]
    assert {measure.key for measure in task.measures} - found.keys() <= {"nll", "brier"}


def outputs(task, loss, output, of, y):
    """Outputs that predict these labels, written out by hand for each activation."""
    if task.name == "regression":
        return y.astype(float)
    if task.name == "labels":
        share = np.where(y, 0.9, 0.1)
    elif output.shape[-1] == 1:
        share = np.where(y, 0.9, 0.1)[..., None]
    else:
        share = np.where(np.arange(len(of.classes)) == y[..., None], 0.9, 0.1 / (len(of.classes) - 1))
    if output.activation != "linear":
        return share
    return np.log(share) if output.shape[-1] > 1 and task.name != "labels" else np.log(share / (1 - share))


@pytest.mark.parametrize("name", SERVES)
def test_who_serves_what(name):
    loss = losslab.get(name)
    able = [which for which in ("labels", "regression") if usable(TASKS[which](), loss, OF_TASK[which][0])]
    assert able == SERVES[name].split()


@pytest.mark.parametrize(("name", "targets"), [("circle", "identity"), ("ctc", "label_sequence")])
def test_losses_on_pairs_and_sequences_are_refused(name, targets):
    with pytest.raises(LabError, match=f"{name} cannot train a classifier") as refusal:
        refuse(TASKS["classes"](), losslab.get(name), OF_TASK["classes"][0])
    assert targets in str(refusal.value)


def test_a_loss_on_other_targets_is_refused():
    class Angle(losslab.ElementLoss):
        targets = losslab.domains.Domain("angle", "an angle in radians", lambda rng, shape: rng.uniform(-3, 3, shape))

        def formula(self, ops, y_true, y_pred):
            return y_pred - y_true

    with pytest.raises(LabError, match="angle"):
        refuse(TASKS["classes"](), Angle(), OF_TASK["classes"][0])


def test_numbers_below_zero_are_refused_where_a_loss_has_none():
    low = Labels((1,), low=-2.0, mean=(1.0,), spread=(1.0,))
    for name in ("poisson", "msle"):
        with pytest.raises(LabError, match="the smallest target is -2"):
            refuse(TASKS["regression"](), losslab.get(name), low)


def logits_of(evidence):
    return np.stack([np.zeros(len(evidence)), np.array(evidence, float)], axis=1)


def test_measures_of_two_classes_by_hand():
    ids, evidence = np.array([1, 0, 1, 1, 0]), logits_of([5, 4, 3, 2, 1])
    # precision 1, 1/2, 2/3, 3/4 at the recalls 1/3, 1/3, 2/3, 1
    assert binary.average_precision(evidence, ids) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert binary.auroc(evidence, ids) == pytest.approx(4 / 6)  # of six pairs, two are the wrong way round
    assert binary.recall_at_precision(evidence, ids) == pytest.approx(1 / 3)
    assert binary.recall_at_precision(logits_of([1, 2]), np.array([1, 0])) == 0
    assert classes.accuracy(evidence, ids) == pytest.approx(3 / 5)


def test_measures_of_labels_against_scikit_learn():
    y, logits = RNG.integers(0, 2, (50, 4)), RNG.normal(size=(50, 4))
    chosen = logits > 0
    assert labels.f1(logits, y) == pytest.approx(peer.f1_score(y, chosen, average="micro"))
    assert labels.exact_match(logits, y) == pytest.approx(peer.accuracy_score(y, chosen))
    each = [peer.average_precision_score(y[:, k], logits[:, k]) for k in range(4)]
    assert labels.mean_average_precision(logits, y) == pytest.approx(np.mean(each))
    y[:, 1] = 0  # nothing to find: left out, without a warning
    assert labels.mean_average_precision(logits, y) == pytest.approx(np.mean([each[k] for k in (0, 2, 3)]))
    measured = TASKS["labels"]().measured(losslab.get("bce:from_logits=True"), (logits, y), (logits, y))["measures"]
    p = 1 / (1 + np.exp(-logits))
    assert measured["brier"] == pytest.approx(((p - y) ** 2).mean())
    assert measured["nll"] == pytest.approx(np.mean([peer.log_loss(y[:, k], p[:, k], labels=[0, 1]) for k in range(4)]))


@pytest.mark.parametrize("count", [2, 3])
def test_measures_of_regions_against_scikit_learn(count):
    ids, logits = RNG.integers(0, count, (3, 8, 9)), RNG.normal(size=(3, 8, 9, count))
    found, average = logits.argmax(axis=-1).ravel(), "binary" if count == 2 else "macro"
    assert segmentation.iou(logits, ids) == pytest.approx(peer.jaccard_score(ids.ravel(), found, average=average))
    assert segmentation.dice(logits, ids) == pytest.approx(peer.f1_score(ids.ravel(), found, average=average))
    assert segmentation.iou(np.eye(count)[np.zeros_like(ids)], np.zeros_like(ids)) == 1.0


def test_measures_of_numbers_against_scikit_learn():
    y, predicted = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2))
    assert regression.rmse(predicted, y) == pytest.approx(np.sqrt(peer.mean_squared_error(y, predicted)))
    assert regression.mae(predicted, y) == pytest.approx(peer.mean_absolute_error(y, predicted))
    [cost] = plan.arms(["quantile:quantile=0.9"])
    task = TASKS["regression"](cost=asdict(cost))
    assert task.decides.key == "cost"
    assert task.score(losslab.get("mse"), (predicted, y)) == pytest.approx(
        peer.mean_pinball_loss(y, predicted, alpha=0.9)
    )


def test_a_measure_that_cannot_decide_is_refused():
    TASKS["binary"]("auroc").check()
    with pytest.raises(LabError, match=r"unknown measure 'aurok'(.|\n)*did you mean auroc"):
        TASKS["binary"]("aurok").check()
    with pytest.raises(LabError, match="unknown measure 'nll'"):
        TASKS["classes"]("nll").check()


@pytest.mark.parametrize("ids", [np.zeros(4, int), np.ones(4, int)])
def test_a_measure_of_one_class_is_undefined_or_what_it_is_and_warns_of_nothing(ids):
    task, evidence = TASKS["binary"](), logits_of([1.0, -1.0, 2.0, 0.5])
    found = task.measured(losslab.get("cce:from_logits=True"), (evidence, ids), (evidence, ids))["measures"]
    assert found["auroc"] is None
    assert (found["average_precision"], found["recall_at_precision"]) == ((None, None) if not ids.any() else (1.0, 1.0))
    assert labels.mean_average_precision(evidence, np.zeros((4, 2))) is None
