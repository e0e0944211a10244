"""Which classes are taken for which: counted in a run, averaged and drawn in the report."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import confusion_matrix

import losslab
from losslab.lab import analysis, plots, schema
from losslab.lab.errors import LabError
from losslab.lab.plots import confusion, files
from losslab.lab.plots.plot import Found
from losslab.lab.tasks import task_from

CLASSES = {"name": "classes", "measure": None, "cost": None}


def measured(rng, classes, examples=300):
    ids = np.arange(examples) % classes
    outputs = softmax(3 * np.eye(classes)[ids] + rng.normal(size=(examples, classes)), axis=1)
    found = task_from(CLASSES).measured(losslab.get("cce"), (outputs, ids), (outputs, ids))
    return found, confusion_matrix(ids, outputs.argmax(axis=1), labels=range(classes))


def dense(triples, classes):
    matrix = np.zeros((classes, classes), int)
    for true, predicted, count in triples:
        matrix[true, predicted] = count
    return matrix


def test_a_final_run_counts_the_pairs():
    found, expected = measured(np.random.default_rng(0), 5)
    np.testing.assert_array_equal(dense(found["confusion"], 5), expected)
    assert len(found["confusion"]) == np.count_nonzero(expected)


def record(seed, arm, found):
    history = {"loss": [1.0], "score": [0.5], "val_loss": [1.0], "val_score": [0.5]}
    return {"group": arm, "stage": "final", "lr": 0.1, "seed": seed, "status": "ok", "history": history} | found


def drawn(classes, runs=3, name="class {}"):
    rng = np.random.default_rng(1)
    config = {
        "arms": [{"label": arm, "group": arm} for arm in "ab"],
        "protocol": {"rates": (0.01,), "seeds": runs, "shared_rate": 0.1, "epochs": 1},
        "data": {"test_examples": 300, "classes": [name.format(c) for c in range(classes)]},
        "task": CLASSES,
    }
    made = {arm: [measured(rng, classes) for _ in range(runs)] for arm in "ab"}
    records = [record(seed, arm, found) for arm in "ab" for seed, (found, _) in enumerate(made[arm])]
    summary = analysis.summarize(config, records)
    return plots.draw(config, records, summary)["confusion"], made


def test_the_map_holds_the_mean_of_the_shares():
    plot, made = drawn(4)
    shares = [matrix / matrix.sum(axis=1, keepdims=True) for _, matrix in made["b"]]
    rows = plot.table[plot.table.loss == "b"]
    cells = rows.pivot(index="true", columns="predicted", values=confusion._SHARE).fillna(0).to_numpy(float)
    np.testing.assert_allclose(cells, 100 * np.mean(shares, axis=0))


def test_many_classes_are_told_by_their_worst_pairs():
    plot, _ = drawn(confusion.MOST_CLASSES + 1)
    worst = plot.table[(plot.table.loss == "a") & (plot.table["true"] != plot.table.predicted)]
    pair = worst.sort_values(confusion._SHARE, kind="stable", ascending=False).iloc[0]
    labels = [label.get_text() for label in plot.figure.axes[0].get_yticklabels()]
    assert (len(labels), labels[0]) == (confusion.MOST_PAIRS, f"{pair['true']} → {pair.predicted}")


@pytest.mark.parametrize("classes", [3, confusion.MOST_CLASSES + 1])
def test_a_class_may_have_any_name(classes):
    plot, _ = drawn(classes, name="{} $\\x_<&$ " + "long " * 9)
    text = files.svg("confusion", plot)
    assert "$\\x_&lt;&amp;$ long" in text
    assert "long long long" not in text
    assert all(name.endswith("long long ") for name in plot.table["true"])


def test_without_classes_there_is_no_such_figure():
    summary = analysis.Summary((), (), None, None)
    assert confusion.table(Found(summary, [], [])).empty


@pytest.mark.parametrize("wrong", [[], [[0, "1", 2]], {"0": 1}, [[0.5, 1, 1]], [[0, 1]], [[0, -1, 3]]])
def test_counts_that_are_none_are_refused(wrong):
    final = {"confusion": wrong, "measures": {"accuracy": 1.0}}
    assert "confusion" in schema._fault_of_final(final)


def test_a_class_without_a_name_is_an_error():
    arm = SimpleNamespace(label="a")
    with pytest.raises(LabError, match=r"class 2 in .* and 2 names"):
        confusion.table(Found(SimpleNamespace(arms=[arm]), [[{"confusion": [[0, 2, 1]]}]], ["cat", "dog"]))
