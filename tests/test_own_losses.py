"""The ways to write a loss of one's own: a function, a subclass, the wrapper, a declaration; the same on each."""

import functools
import pickle

import numpy as np
import pytest

import losslab
from losslab.testing import Case, check_loss, close

from .catalogue import Cubic, Forgetful


def cubic(y_true, y_pred, factor=2.0):
    return factor * abs(y_pred - y_true) ** 3


class Declared(losslab.ElementLoss):
    factor: float = losslab.param(2.0, gt=0, doc="no unit")

    def formula(self, ops, y_true, y_pred):
        return self.factor * ops.abs(y_pred - y_true) ** 3


def registered():
    losslab.register(cubic)
    return losslab.get("cubic:factor=3")


WAYS = {
    "registered function": registered,
    "wrapped function": lambda: losslab.LossFunctionWrapper(losslab.register(cubic), factor=3.0),
    "subclass": lambda: Cubic(factor=3.0),
    "subclass without super().__init__()": lambda: Forgetful(factor=3.0),
    "declaration": lambda: Declared(factor=3.0),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_weights_masks_and_reductions(way, framework, dtype):
    loss = WAYS[way]()
    case = Case(loss, framework, dtype)
    y = np.array([[0.0, 1.0], [np.nan, 0.0], [2.0, 2.0]])
    p = np.array([[1.0, 3.0], [5.0, 5.0], [2.0, 1.0]])
    # |e|³: (1, 8), -, (0, 1): times 3, the means over the rows are 13.5, -, 1.5
    close(case.value(y, p, sample_weight=np.array([1.0, 0.0, 3.0])), np.array((13.5 + 4.5) / 3), 1e-6, way)
    close(case.value(y, p, mask=np.array([True, False, True])), np.array(7.5), 1e-6, way)
    none = case.changed(reduction="none")
    close(none.value(y, p, sample_weight=np.array([1.0, 0.0, 3.0])), np.array([13.5, 0.0, 4.5]), 1e-6, way)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_checked(way, framework, dtype):
    """One framework and dtype at a time, every promise of losslab.testing."""
    check_loss(WAYS[way](), framework.name, dtype)


def test_a_subclass_without_super_init_is_whole():
    loss = Forgetful(3.0)
    assert (loss.reduction, loss.name, loss.factor) == ("sum_over_batch_size", "forgetful", 3.0)
    assert loss == Forgetful(factor=3.0) == pickle.loads(pickle.dumps(loss)) != Forgetful()
    assert repr(loss) == "Forgetful(factor=3.0)"
    one, other = Cubic(name="a", reduction="sum"), Cubic(reduction="sum", name="a")
    assert (one, hash(one)) == (other, hash(other))
    with pytest.raises(AttributeError, match="immutable"):
        loss.factor = 4.0


def test_a_loss_that_computes_nothing_says_so():
    class Empty(losslab.Loss):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty does not say what it computes: define call"):
        Empty()([1.0], [2.0])


Y, P = np.zeros((3, 2)), np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 4.0]])


def test_one_number_for_the_batch_is_a_mean_that_nothing_can_weigh():
    loss = losslab.LossFunctionWrapper(lambda y_true, y_pred: ((y_pred - y_true) ** 2).mean(), name="scalar")
    assert loss(Y, P) == 34 / 6
    for options in ({"sample_weight": np.ones(3)}, {"mask": np.ones(3) > 0}):
        with pytest.raises(ValueError, match="returned one number for the whole batch"):
            loss(Y, P, **options)
    total = losslab.LossFunctionWrapper(loss.fn, reduction="sum")
    with pytest.raises(ValueError, match=r"reduction='sum' needs a value per sample, of shape \(3,\)"):
        total(Y, P)


def test_a_value_per_sample_of_a_sequence():
    """(N,) values for (N, T, C): weights (N,) fit, weights per step do not."""
    loss = losslab.LossFunctionWrapper(lambda y_true, y_pred: abs(y_pred - y_true).sum((1, 2)), name="summed")
    y, p = np.zeros((2, 3, 2)), np.ones((2, 3, 2))
    assert loss(y, p, sample_weight=[1.0, 2.0]) == 9.0
    with pytest.raises(ValueError, match=r"\(2, 3\) does not fit per-sample values of shape \(2,\)"):
        loss(y, p, sample_weight=np.ones((2, 3)))


def test_values_of_no_use_are_refused():
    loss = losslab.LossFunctionWrapper(lambda y_true, y_pred: np.ones(7), name="seven")
    with pytest.raises(ValueError, match=r"seven: call returned shape \(7,\) for y_pred of shape \(3, 2\)"):
        loss(Y, P)


def test_class_ids_need_a_word():
    """Labels that would broadcast are refused, unless the loss says that it takes class ids."""

    def missing(y_true, y_pred):
        return 1 - np.take_along_axis(y_pred, y_true[:, None], axis=-1)[:, 0]

    with pytest.raises(ValueError, match=r"if it takes class ids: targets = losslab\.domains\.CLASS_ID"):
        losslab.LossFunctionWrapper(missing)(np.array([0, 1, 0]), P)
    loss = losslab.LossFunctionWrapper(missing, targets=losslab.domains.CLASS_ID, reduction="sum")
    assert loss(np.array([[0], [1], [0]]), P) == -0.0 + (1 - 1) + (1 - 2) + (1 - 0)
    with pytest.raises(ValueError, match="class id 5"):
        loss(np.array([0, 1, 5]), P)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: losslab.LossFunctionWrapper(cubic, faktor=3),
            r"cubic\(\) has no parameter 'faktor': did you mean 'factor'",
        ),
        (lambda: losslab.LossFunctionWrapper(lambda y_true: y_true), "cannot be called with"),
        (lambda: losslab.LossFunctionWrapper("mse"), "needs a function"),
    ],
)
def test_a_wrapper_checks_its_function(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_a_wrapped_function_survives_config_and_pickle():
    losslab.register(cubic)
    loss = losslab.LossFunctionWrapper(cubic, reduction="sum", factor=3.0)
    assert losslab.get(losslab.serialize(loss)) == loss == pickle.loads(pickle.dumps(loss))
    with pytest.raises(ValueError, match=r"<lambda> is not registered: add @losslab\.register"):
        losslab.LossFunctionWrapper(lambda y_true, y_pred: y_true, name="nameless").get_config()


def test_a_function_of_the_catalogue_is_its_loss():
    """Wrapped, it would lose what the class knows: ignored labels, partners, the axis, the checks of parameters."""
    loss = losslab.LossFunctionWrapper(losslab.binary_crossentropy, "sum", ignore_class=-1)
    assert loss == losslab.BinaryCrossentropy(reduction="sum", ignore_class=-1)
    with pytest.raises(ValueError, match="delta must be a number > 0"):
        losslab.LossFunctionWrapper(losslab.huber, delta=-2)

    @functools.wraps(losslab.huber)
    def doubled(y_true, y_pred):
        return 2 * losslab.huber(y_true, y_pred)

    assert losslab.LossFunctionWrapper(doubled)([[0.0]], [[1.0]]) == 1.0


def test_a_subclass_keeps_attributes_of_any_name():
    class Own(losslab.Loss):
        def __init__(self, axis=-1, ignore_class=None):
            self.axis, self.ignore_class = axis, ignore_class
            self.targets = losslab.domains.CLASS_ID

        def call(self, y_true, y_pred):
            return -np.take_along_axis(y_pred, y_true[..., None], self.axis)[..., 0]

    assert Own()(np.array([1, 0, 1]), P) == -np.mean([3, 2, 4])
    assert Own(ignore_class=3).ignore_class == 3


def test_what_a_constructor_does_not_know_is_said():
    with pytest.raises(TypeError, match=r"Huber\(\) has no parameter 'detla': did you mean 'delta'\?"):
        losslab.Huber(detla=2)
    with pytest.raises(TypeError, match=r"Huber takes its parameters by name \(name, reduction, delta\), got 2.0"):
        losslab.Huber(2.0)
    with pytest.raises(TypeError, match=r"quantile\(\) has no parameter 'q': it has quantile"):
        losslab.quantile([1.0], [2.0], q=0.5)
    assert losslab.Huber(reduction="auto") == losslab.Huber()


def test_a_wrapper_shows_what_was_given():
    assert repr(losslab.LossFunctionWrapper(cubic)) == "LossFunctionWrapper(fn=cubic)"
    assert repr(losslab.LossFunctionWrapper(cubic, "sum", factor=3.0)) == (
        "LossFunctionWrapper(fn=cubic, reduction='sum', factor=3.0)"
    )


def test_a_function_form_makes_its_loss_inside_torch_compile():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    call = torch.compile(lambda y, p: losslab.huber(y, p, delta=0.321), fullgraph=True, backend="aot_eager")
    value = 0.321 * (1 - 0.321 / 2)
    assert call(torch.zeros(2, 1), torch.ones(2, 1)).tolist() == pytest.approx([value, value])


def test_tensors_as_parameters_compare():
    class Weighted(losslab.Loss):
        def __init__(self, weights):
            self.weights = weights

    class Tensor(list):
        def __eq__(self, other):
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")

        __hash__ = None

    class Holder:
        def __init__(self, *numbers):
            self.numbers = Tensor(numbers)

        def __eq__(self, other):
            return self.numbers == other.numbers

        __hash__ = None

        def __repr__(self):
            return str(list(self.numbers))

    assert Weighted(Holder(1.0, 2.0)) == Weighted(Holder(1.0, 2.0)) != Weighted(Holder(1.0, 3.0))


CLASS_WEIGHTS = {
    "a dict with all classes": {0: 1.0, 1: 3.0},
    "a dict that leaves out the class of weight 1": {1: 3.0},
    "a dict out of JSON": {"1": 3.0},
    "an array": np.array([1.0, 3.0]),
}


@pytest.mark.parametrize("given", CLASS_WEIGHTS.values(), ids=CLASS_WEIGHTS)
def test_class_weights_come_in_keras_form(given):
    y, p = np.array([1, 0]), np.array([[0.2, 0.8], [0.3, 0.7]])
    rows = np.eye(2)[y]
    expected = np.array([-3 * np.log(0.8), -np.log(0.3)])
    for cls, labels in ((losslab.SparseCategoricalCrossentropy, y), (losslab.CategoricalCrossentropy, rows)):
        loss = cls(class_weight=given)
        assert loss.per_sample(labels, p) == pytest.approx(expected)
        assert loss == cls.from_config(loss.get_config())
        assert hash(loss) == hash(cls.from_config(loss.get_config()))
    assert losslab.binary_crossentropy([[1.0]], [[0.8]], class_weight=given) == pytest.approx(-3 * np.log(0.8))
    assert losslab.get("scce:class_weight={0: 1, 1: 3}").per_sample(y, p) == pytest.approx(expected)


def test_class_weights_for_other_classes_are_refused():
    with pytest.raises(ValueError, match="class_weight names class 5, but there are 2 classes"):
        losslab.sparse_categorical_crossentropy([1], [[0.2, 0.8]], class_weight={5: 2.0})
    with pytest.raises(ValueError, match="class_weight has 3 weights, but y_pred has 2 classes"):
        losslab.sparse_categorical_crossentropy([1], [[0.2, 0.8]], class_weight=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="class_weight must be"):
        losslab.SparseCategoricalCrossentropy(class_weight={0: -1.0})
    loss = losslab.SparseCategoricalCrossentropy(class_weight={1: 2.0})
    with pytest.raises(TypeError, match="immutable"):
        loss.class_weight[1] = 3.0
