"""value_and_grad on every framework, for every loss: the loss's value, and the gradient that torch finds."""

import numpy as np
import pytest

import losslab
from losslab._ops import ops_for
from losslab.testing import FRAMEWORKS, Case, close

from .catalogue import LOSSES, dtypes

TOLERANCE = {"float32": 1e-5, "float64": 1e-11}  # float32's own rounding within a longer formula, against float64

torch = pytest.importorskip("torch", reason="the expected gradients are those of torch's autograd")


def expected(loss, y, p, **options):
    """By torch's autograd through the composed formula, in float64."""
    case = Case(loss, FRAMEWORKS["torch"], "float64")
    y, x = case.arrays(y, p)
    x.requires_grad_()
    value = loss._composed(ops_for(x), y, x, options.get("sample_weight"), options.get("mask"), None, {})
    (gradient,) = torch.autograd.grad(value.sum(), x)
    return value.detach().numpy(), gradient.numpy()


CASES = [
    pytest.param(loss, framework, dtype, id=f"{loss!r}-{framework}-{dtype}")
    for loss in LOSSES
    for framework in FRAMEWORKS
    for dtype in dtypes(loss, compiled=framework in ("jax", "tensorflow"))
]


@pytest.mark.parametrize(("loss", "framework", "dtype"), CASES, indirect=["framework", "dtype"])
def test_value_and_gradient(loss, framework, dtype):
    case = Case(loss, framework, dtype)
    y, p = case.draw(seed=11)
    value, gradient = loss.value_and_grad(*case.arrays(y, p))
    right_value, right_gradient = expected(loss, y, p)
    what = str(case)
    close(framework.numpy(value), right_value, TOLERANCE[dtype], f"value of {what}")
    close(framework.numpy(gradient), right_gradient, TOLERANCE[dtype], f"gradient of {what}")
    assert framework.numpy(gradient).dtype == dtype


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_removed_samples_and_weights(loss, framework):
    case = Case(loss, framework, "float64")
    y, p = case.draw(seed=12)
    samples = len(p)
    weight = np.linspace(0.0, 2.0, samples)
    mask = np.arange(samples) != samples - 1
    given = case._options({"sample_weight": weight, "mask": mask})
    value, gradient = loss.value_and_grad(*case.arrays(y, p), **given)
    right_value, right_gradient = expected(loss, y, p, sample_weight=weight, mask=mask)
    close(framework.numpy(value), right_value, 1e-11, f"value of {case}")
    close(framework.numpy(gradient), right_gradient, 1e-11, f"gradient of {case}")


def test_one_dimension_and_lists():
    value, gradient = losslab.MeanSquaredError().value_and_grad([1, 2], [2, 4])
    assert (float(value), gradient.tolist()) == (2.5, [1.0, 2.0])


def test_a_column_of_labels_beside_a_vector_of_predictions():
    _, gradient = losslab.MeanSquaredError().value_and_grad(np.ones((3, 1)), np.zeros(3))
    assert gradient.shape == (3,)


def test_further_arrays_reach_the_loss():
    y = np.array([[1, 2, 9]])
    p = np.random.default_rng(0).normal(size=(1, 5, 4))
    value, gradient = losslab.CTC().value_and_grad(y, p, label_length=[2], logit_length=[4])
    assert float(value) == float(losslab.CTC()(y, p, label_length=[2], logit_length=[4]))
    assert np.all(gradient[:, 4] == 0.0)
    assert np.any(gradient[:, 3] != 0.0)


def test_a_call_in_numpys_own_functions_is_refused_with_a_way_out():
    class Own(losslab.Loss):
        def call(self, y_true, y_pred):
            return np.abs(y_pred - y_true)

    assert float(Own()([[1.0]], [[3.0]])) == 2.0
    with pytest.raises(TypeError, match=r"functions of NumPy, which have no gradient.*declare it as a formula"):
        Own().value_and_grad([[1.0]], [[3.0]])


def test_wrong_input_is_refused_as_by_the_loss():
    with pytest.raises(ValueError, match="class id 7 in y_true is out of range for 3 classes"):
        losslab.SparseCategoricalCrossentropy().value_and_grad([7], [[0.2, 0.3, 0.5]])
    with pytest.raises(ValueError, match="they would broadcast"):
        losslab.MeanSquaredError().value_and_grad(np.ones((3, 4)), np.ones((3, 2)))


def test_what_ties_shares_the_gradient():
    loss = losslab.CategoricalHinge()
    y, p = np.array([[0.0, 0.0, 1.0]]), np.array([[2.0, 2.0, 1.0]])
    _, gradient = loss.replace(reduction="none").value_and_grad(y, p)  # on the tape
    assert gradient.tolist() == [[0.5, 0.5, -1.0]]
    assert loss.value_and_grad(y, p)[1].tolist() == [[0.5, 0.5, -1.0]]  # in blocks
