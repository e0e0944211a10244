"""Accuracy: which one it is, ties, and the functions."""

import numpy as np
import pytest

import losslab

M = losslab.metrics

ONE_HOT = np.eye(10)[[3, 1, 4, 1]]
MULTI_HOT = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "resolved"),
    [
        ([0, 1], [0.2, 0.7], "binary_accuracy"),
        ([[0], [1]], [[0.2], [0.7]], "binary_accuracy"),
        ([0, 1], [[0.2], [0.7]], "binary_accuracy"),
        ([-1, 1], [-3.0, 4.0], "binary_accuracy"),
        ([2, 1], np.eye(3)[[2, 1]], "sparse_categorical_accuracy"),
        ([[2], [1]], np.eye(3)[[2, 1]], "sparse_categorical_accuracy"),
        ([[2, 1]], np.eye(3)[[[2, 1]]], "sparse_categorical_accuracy"),
        (ONE_HOT, ONE_HOT, "categorical_accuracy"),
        (ONE_HOT.astype(int), ONE_HOT, "categorical_accuracy"),
        (2 * ONE_HOT - 1, ONE_HOT, "categorical_accuracy"),
        (0.9 * ONE_HOT + 0.01, ONE_HOT, "categorical_accuracy"),
        (np.eye(2), np.eye(2), "categorical_accuracy"),
        (MULTI_HOT, MULTI_HOT, "binary_accuracy"),
        (2 * MULTI_HOT - 1, MULTI_HOT, "binary_accuracy"),
        (MULTI_HOT[1:], MULTI_HOT[1:], "binary_accuracy"),
    ],
)
def test_the_data_say_which_accuracy(y_true, y_pred, resolved, framework):
    metric = M.Accuracy()
    assert metric.resolved is None
    metric.update(framework.array(np.asarray(y_true)), framework.array(np.asarray(y_pred)))
    assert metric.resolved == resolved
    assert metric.result() == 1.0
    np.testing.assert_array_equal(framework.numpy(M.accuracy(y_true, framework.array(np.asarray(y_pred)))), 1.0)


def test_always_no_is_not_right_nine_times_out_of_ten():
    """The trap of per-label accuracy on one-hot rows: nothing is said, and 90 % of the labels are right."""
    never = np.zeros_like(ONE_HOT)
    assert M.binary_accuracy(ONE_HOT, never).mean() == 0.9
    assert M.accuracy(ONE_HOT, never).mean() == 0.0


def test_one_row_with_two_labels_decides_for_all():
    """Whatever the order of the batches, and whichever half holds the row."""
    single, double = np.array([[0.0, 1.0, 0.0]]), np.array([[1.0, 1.0, 0.0]])
    predicted = np.array([[0.1, 0.4, 0.2]])
    for order in ([single, double], [double, single]):
        metric, other = M.Accuracy(), M.Accuracy()
        metric.update(order[0], predicted)
        other.update(order[1], predicted)
        metric.merge(other)
        assert metric.resolved == "binary_accuracy"
        assert metric.result() == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_a_removed_row_does_not_decide():
    metric = M.Accuracy()
    metric.update([[0, 1], [1, 1]], [[0.1, 0.9], [0.1, 0.9]], mask=[True, False])
    assert metric.resolved == "categorical_accuracy"


def test_batches_of_two_tasks_are_refused():
    metric = M.Accuracy()
    metric.update([0, 1], [0.2, 0.7])
    with pytest.raises(ValueError, match="another task"):
        metric.update([2], [[0.1, 0.2, 0.7]])
    assert metric.result() == 1.0


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("bce", M.Accuracy()),
        ("bce:from_logits=True", M.Accuracy(from_logits=True)),
        ("hinge", M.Accuracy(threshold=0.0)),
        ("scce:ignore_class=255", M.Accuracy(ignore_class=255)),
        ("categorical_crossentropy:from_logits=True", M.Accuracy()),
        ("mse", M.Accuracy()),
        ("bce:ignore_class=-1", M.Accuracy(ignore_class=-1)),
        ("binary_focal_crossentropy:ignore_class=-1", M.Accuracy(ignore_class=-1)),
        ("categorical_crossentropy:ignore_class=2", M.Accuracy(ignore_class=2)),
        (losslab.binary_crossentropy, M.Accuracy()),
        (losslab.LossFunctionWrapper(losslab.binary_crossentropy, from_logits=True), M.Accuracy(from_logits=True)),
        (losslab.SparseCategoricalCrossentropy(ignore_class=255), M.Accuracy(ignore_class=255)),
    ],
)
def test_the_loss_says_what_the_shapes_cannot(loss, expected):
    assert M.Accuracy.for_loss(loss) == expected
    assert M.Accuracy.for_loss(losslab.get(loss)) == expected


@pytest.mark.parametrize("unknown", [lambda y_true, y_pred: y_pred, 3, None], ids=["function", "number", "None"])
def test_what_is_no_loss_says_nothing(unknown):
    with pytest.raises(TypeError, match=r"is no losslab.Loss|means no loss"):
        M.Accuracy.for_loss(unknown)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "expected", "resolved"),
    [
        ("bce:ignore_class=-1", [1, 0, -1, -1], [0.9, 0.1, 0.9, 0.9], 1.0, "binary_accuracy"),
        # known labels of the rows: 1 of 2, 2 of 2, none
        (
            "bce:ignore_class=-1",
            [[1, 0, -1], [1, 1, -1], [-1, -1, -1]],
            [[0.9, 0.9, 0.9], [0.9, 0.9, 0.9], [0.9, 0.1, 0.1]],
            0.75,
            "binary_accuracy",
        ),
        # a row that is all unknown does not decide
        ("bce:ignore_class=-1", [[0, 1], [-1, -1]], [[0.6, 0.9], [0.9, 0.9]], 1.0, "categorical_accuracy"),
        ("cce:ignore_class=2", np.eye(3), [[0.8, 0.1, 0.1], [0.9, 0.1, 0], [0.9, 0.1, 0]], 0.5, "categorical_accuracy"),
        ("cce:ignore_class=0", np.eye(2), [[0.2, 0.8], [0.2, 0.8]], 1.0, "categorical_accuracy"),
    ],
)
def test_an_ignored_class_plays_no_part(loss, y_true, y_pred, expected, resolved, framework):
    metric = M.Accuracy.for_loss(loss)
    metric.update(framework.array(np.array(y_true)), framework.array(np.array(y_pred)))
    assert metric.result() == expected
    assert metric.resolved == resolved


def test_ignoring_a_class_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="ignore_class 7 is none of the 3 classes"):
        M.categorical_accuracy(np.eye(3), np.eye(3), ignore_class=7)


def test_ties_go_to_the_first_class():
    """A constant prediction is right for k classes of ten, not for all of them."""
    ids, constant = np.arange(10), np.full((10, 10), 0.1)
    for k in (1, 3, 10):
        np.testing.assert_array_equal(M.sparse_top_k_categorical_accuracy(ids, constant, k=k), ids < k)
    np.testing.assert_array_equal(M.sparse_categorical_accuracy(ids, constant), ids < 1)


FUNCTIONS = {
    M.binary_accuracy: ([[1, 0], [1, 1]], [[0.9, 0.2], [0.3, 0.6]], [1.0, 0.5]),
    M.categorical_accuracy: ([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]], [1.0, 0.0]),
    M.sparse_categorical_accuracy: ([1, 0], [[0.2, 0.8], [0.3, 0.7]], [1.0, 0.0]),
    M.top_k_categorical_accuracy: (np.eye(7)[[6, 0]], [np.arange(7) / 10] * 2, [1.0, 0.0]),
    M.sparse_top_k_categorical_accuracy: ([6, 0], [np.arange(7) / 10] * 2, [1.0, 0.0]),
    M.accuracy: ([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]], [1.0, 0.0]),
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_functions_give_a_value_per_sample(function, framework, dtype, compiled):
    y_true, y_pred, expected = FUNCTIONS[function]
    call = framework.compiled(function) if compiled else function
    values = call(framework.array(np.asarray(y_true)), framework.array(np.asarray(y_pred, dtype)))
    assert framework.dtype(values) == dtype
    np.testing.assert_array_equal(framework.numpy(values), expected)


def test_functions_take_parameters_when_compiled(framework):
    y_true, y_pred = framework.array(np.eye(3)), framework.array(np.array([[3.0, 2.0, 1.0]] * 3))
    values = framework.compiled(lambda y, p: M.top_k_categorical_accuracy(y, p, k=2))(y_true, y_pred)
    np.testing.assert_array_equal(framework.numpy(values), [1.0, 1.0, 0.0])


def test_a_vector_of_labels_is_a_sample_each():
    np.testing.assert_array_equal(M.binary_accuracy([1, 0, 1], [0.9, 0.8, 0.7]), [1.0, 0.0, 1.0])


def test_labels_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match=r"y_true holds 7, but yes and no are 1 and 0"):
        M.binary_accuracy([7, 0], [0.9, 0.8])
    with pytest.raises(ValueError, match="the best of one class is always right; use binary_accuracy"):
        M.categorical_accuracy([[1], [0]], [[0.9], [0.8]])
    with pytest.raises(ValueError, match=r"class id 3 in y_true is out of range for 3 classes"):
        M.sparse_categorical_accuracy([3, 0], np.eye(3)[:2])
    with pytest.raises(ValueError, match=r"y_true has shape \(2, 3\) and y_pred \(2, 4\)"):
        M.accuracy(np.eye(3)[:2], np.eye(4)[:2])


@pytest.mark.parametrize(
    ("function", "y_true", "y_pred", "fix"),
    [
        (M.categorical_accuracy, [1, 0], np.eye(3)[:2], "for class ids use sparse_categorical_accuracy, or give"),
        (
            M.binary_accuracy,
            [[1], [0]],
            np.eye(3)[:2],
            r"sparse_categorical_accuracy, or give losslab.one_hot\(y_true, 3",
        ),
        (
            M.auc,
            [1, 0],
            np.eye(3)[:2],
            "auc needs a label for each column: for class ids use sparse_categorical_accuracy",
        ),
        (M.top_k_categorical_accuracy, [1, 0], np.eye(3)[:2], "use sparse_top_k_categorical_accuracy"),
        (M.sparse_categorical_accuracy, np.eye(3), np.eye(3), "for one-hot rows use categorical_accuracy"),
        (M.sparse_top_k_categorical_accuracy, np.eye(3), np.eye(3), "for one-hot rows use top_k_categorical_accuracy"),
        (M.sparse_categorical_accuracy, [1, 0], [0.2, 0.8], "for one score per sample use binary_accuracy"),
    ],
)
def test_labels_of_another_kind_are_refused_in_words_of_metrics(function, y_true, y_pred, fix):
    with pytest.raises(ValueError, match=fix) as caught:
        function(y_true, y_pred)
    assert str(caught.value).startswith(f"{function.__name__}: y_true has shape {np.shape(y_true)}")
    assert "loss" not in str(caught.value).replace("losslab.", "")


def test_shapes_are_refused_before_values():
    """Frameworks and Keras make trial runs with values that nobody gave."""
    with pytest.raises(ValueError, match="the best of one class is always right"):
        M.sparse_categorical_accuracy([99, 99], [[0.1], [0.2]])
