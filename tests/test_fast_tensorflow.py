"""The driver of TensorFlow against the composed formula: values, gradients, errors, what is traced and how often."""

import types

import numpy as np
import pytest

import losslab
from losslab.testing import FRAMEWORKS, Case, close

from .catalogue import DEFAULTS, LOSSES, dtypes

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")

from losslab._fast import _tensorflow  # noqa: E402
from losslab._fast._formula import is_formula  # noqa: E402
from losslab._fast._tensorflow import TensorflowDriver  # noqa: E402
from losslab._ops._tensorflow import TENSORFLOW  # noqa: E402

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
FORMULAS = [loss for loss in LOSSES if is_formula(loss)]
Z = np.random.default_rng(0).normal(size=(32, 10)).astype("float32")
IDS = np.arange(32) % 10
SPARSE = losslab.SparseCategoricalCrossentropy(from_logits=True)
PLAIN = (None, None, None)


def options(case, rows):
    """Weights with a zero, a mask and a divisor: weight, mask, normalizer."""
    weight, mask = np.linspace(0.0, 2.0, rows).astype(case.dtype), np.arange(rows) != 1
    return tf.constant(weight), tf.constant(mask), None if case.loss.reduction == "none" else 8


def composed(loss, y, p, given=PLAIN):
    return loss._composed(TENSORFLOW, y, p, *given, {})


def derivatives(function, x):
    """The value, its gradient, and the gradient of the gradient's product with 0, 1, …, 6, 0, 1, …"""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = function(x)
        gradient = inner.gradient(value, x)
        numbers = tf.cast(tf.reshape(tf.range(tf.size(x)) % 7, tf.shape(x)), x.dtype)
        product = tf.reduce_sum(gradient * numbers)
    return value, gradient, outer.gradient(product, x, unconnected_gradients="zero")


def same(actual, expected, dtype, what):
    assert actual is not None, f"{what}: composed"
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype}, expected {expected.dtype}"
    close(actual.numpy(), expected.numpy(), TOLERANCE[dtype], what)


@pytest.fixture
def xla(monkeypatch):
    """A driver that compiles every loss."""
    monkeypatch.setattr(_tensorflow, "_LARGE", 1)
    return TensorflowDriver(few=1)


@pytest.mark.parametrize(("loss", "dtype"), [(loss, dtype) for loss in FORMULAS for dtype in dtypes(loss)], ids=repr)
def test_a_graph_equals_the_composed_formula(loss, dtype):
    case, driver = Case(loss, FRAMEWORKS["tensorflow"], dtype), TensorflowDriver(few=1)
    y, p = case.arrays(*case.draw(seed=3))
    given = options(case, len(p))
    results = [
        derivatives(function, p)
        for function in (lambda x: driver.reduced(loss, y, x, *given, {}), lambda x: composed(loss, y, x, given))
    ]
    for actual, expected in zip(*results, strict=True):
        same(actual, expected, dtype, str(case))
    _, expected, _ = results[1]
    same(driver.value_and_grad(loss, y, p, *given, {})[1], expected, dtype, f"{case}, gradient")
    same(driver.per_sample(loss, y, p, {}), loss._composed_per_sample(TENSORFLOW, y, p, {}), dtype, f"{case}, values")
    assert functions(loss, driver=driver)._compiled == set()


@pytest.mark.parametrize("loss", DEFAULTS, ids=repr)
def test_xla_equals_the_composed_formula(loss, xla):
    case = Case(loss, FRAMEWORKS["tensorflow"], "float32")
    y, p = case.arrays(*case.draw(seed=3))
    given = options(case, len(p))
    results = [
        derivatives(function, p)
        for function in (lambda x: xla.reduced(loss, y, x, *given, {}), lambda x: composed(loss, y, x, given))
    ]
    for actual, expected in zip(*results, strict=True):
        same(actual, expected, "float32", str(case))
    assert len(functions(loss, driver=xla)._compiled) == 1


@pytest.mark.parametrize("loss", DEFAULTS, ids=repr)
def test_xla_gives_value_and_gradient(loss, xla):
    case = Case(loss, FRAMEWORKS["tensorflow"], "float64")
    y, p = case.arrays(*case.draw(seed=4))
    value, gradient = xla.value_and_grad(loss, y, p, *PLAIN, {})
    expected = derivatives(lambda x: composed(loss, y, x), p)
    same(value, expected[0], "float64", str(case))
    same(gradient, expected[1], "float64", f"{case}, gradient")


def functions(loss, form="_reduced", driver=_tensorflow.DRIVER):
    """What the driver keeps for a loss."""
    return getattr(driver, form)._compiled.of(loss)


# TensorFlow's own cross-entropy


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize("shape", [(32, 10), (4, 8, 10)])
@pytest.mark.parametrize("integers", ["int32", "int64"])
def test_the_fused_cross_entropy_is_ours(reduction, shape, integers, dtype):
    loss = SPARSE.replace(reduction=reduction)
    y, p = tf.constant(IDS.reshape(shape[:-1]), integers), tf.constant(Z.reshape(shape), dtype)
    for function, plain in (
        (lambda x: loss(y, x), lambda x: composed(loss, y, x)),
        (lambda x: loss.per_sample(y, x), lambda x: loss._composed_per_sample(TENSORFLOW, y, x, {})),
    ):
        for actual, expected in zip(derivatives(function, p), derivatives(plain, p), strict=True):
            same(actual, expected, dtype, f"{loss}")


def test_no_rows_are_no_cross_entropy():
    assert SPARSE(tf.zeros(0, tf.int64), tf.zeros((0, 10))) == 0.0


NOT_FUSED = {
    "smoothing": SPARSE.replace(label_smoothing=0.2),
    "class weights": SPARSE.replace(class_weight=[*range(10)]),
    "an ignored class": SPARSE.replace(ignore_class=3),
    "probabilities": losslab.SparseCategoricalCrossentropy(),
    "a formula of one's own": type(
        "Own",
        (losslab.SparseCategoricalCrossentropy,),
        {"formula": lambda self, ops, y_true, y_pred: 2 * super(type(self), self).formula(ops, y_true, y_pred)},
    )(from_logits=True),
}


@pytest.mark.parametrize("what", NOT_FUSED)
def test_options_that_the_fused_one_lacks(what):
    loss, y, p = NOT_FUSED[what], tf.constant(IDS), tf.nn.softmax(tf.constant(Z))
    same(loss(y, p), composed(loss, y, p), "float32", what)


# What is traced


def test_equal_losses_trace_once():
    y, p = tf.constant(Z), tf.constant(Z[::-1].copy())
    for _ in range(3):
        loss = losslab.Huber(name="once")
        with tf.GradientTape() as tape:
            tape.watch(p)
            value = loss(y, p)
        tape.gradient(value, p)
        loss.value_and_grad(y, p)
    assert functions(loss)._graph.experimental_get_tracing_count() == 1
    assert functions(loss, "_gradient")._graph.experimental_get_tracing_count() == 1


def test_batches_of_ever_new_lengths_trace_twice():
    loss = losslab.Huber(name="lengths")
    for length in range(10, 30):
        y, p = tf.constant(Z[:length]), tf.constant(Z[-length:])
        same(loss(y, p), composed(loss, y, p), "float32", f"{length}")
    assert functions(loss)._graph.experimental_get_tracing_count() == 2


def test_xla_is_for_a_few_shapes(monkeypatch):
    monkeypatch.setattr(_tensorflow, "_LARGE", 1)
    loss = losslab.MeanSquaredError(name="shapes")
    for length in range(10, 30):
        y, p = tf.constant(Z[:length]), tf.constant(Z[-length:])
        same(loss(y, p), composed(loss, y, p), "float32", f"{length}")
    assert functions(loss)._xla.experimental_get_tracing_count() == _tensorflow._SHAPES


def test_what_xla_lacks_is_a_graph(monkeypatch):
    class Own(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            text = tf.strings.as_string(y_true)  # XLA knows no text
            return ops.square(y_pred - tf.strings.to_number(text))

    monkeypatch.setattr(_tensorflow, "_LARGE", 1)
    loss, y, p = Own(), tf.zeros(64), tf.ones(64)
    for _ in range(2):
        assert loss(y, p) == 1.0
    assert functions(loss)._graph.experimental_get_tracing_count() == 1


def test_few_predictions_are_not_traced():
    loss = losslab.MeanSquaredError(name="few")
    assert loss(tf.zeros(7), tf.ones(7)) == 1.0
    assert functions(loss)._graph.experimental_get_tracing_count() == 0


def test_inside_a_tf_function_the_formula_is_composed():
    loss = losslab.MeanSquaredError(name="inside")
    traced = tf.function(loss)
    assert traced(tf.zeros(99), tf.ones(99)) == 1.0
    assert tf.function(loss.value_and_grad)(tf.zeros(2), tf.ones(2))[1].numpy().tolist() == [1.0, 1.0]
    assert functions(loss)._graph.experimental_get_tracing_count() == 0


# Errors


WRONG = {
    "an id out of range": (SPARSE, (IDS + 1, Z), {}),
    "a negative id": (SPARSE, (IDS - 1, Z), {}),
    "a fraction": (SPARSE, (IDS + 0.5, Z), {}),
    "a wrong id and smoothing": (SPARSE.replace(label_smoothing=0.1), (IDS + 1, Z), {}),
    "one-hot rows": (SPARSE, (Z, Z), {}),
    "ids for rows": (losslab.CategoricalCrossentropy(), (IDS, Z), {}),
    "shapes that would broadcast": (losslab.Huber(), (Z[:1], Z), {}),
    "weights of another shape": (losslab.Huber(), (Z, Z), {"sample_weight": np.ones(7)}),
    "a normalizer of several numbers": (losslab.Huber(), (Z, Z), {"normalizer": np.ones(7)}),
    "a normalizer that divides nothing": (losslab.Huber(reduction="none"), (Z, Z), {"normalizer": 7}),
    "text": (losslab.Huber(), (Z.astype(str), Z), {}),
    "complex numbers": (losslab.Huber(), (Z, Z + 1j), {}),
    "labels beyond the classes": (losslab.CTC(), (np.full((4, 3), 9), np.zeros((4, 7, 5))), {}),
    "a length beyond the labels": (
        losslab.CTC(),
        (np.full((4, 3), 2), np.zeros((4, 7, 5))),
        {"label_length": [1, 2, 3, 4]},
    ),
}


def refusal(call):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("large", [False, True])
def test_what_is_wrong_is_said_in_the_same_words(what, large, monkeypatch):
    monkeypatch.setattr(_tensorflow, "_LARGE", 1 if large else _tensorflow._LARGE)
    loss, (y, p), given = WRONG[what]
    y, p = tf.constant(y), tf.constant(p)
    first = given.get("sample_weight"), None, given.get("normalizer")
    data = {name: x for name, x in given.items() if name.endswith("length")}
    expected = refusal(lambda: loss._composed(TENSORFLOW, y, p, *first, data))
    assert refusal(lambda: loss(y, p, **given)) == expected
    assert refusal(lambda: loss.value_and_grad(y, p, **given)) == expected
    assert functions(loss) is not None, "wrong arguments are no reason to give up on a loss"


def test_lengths_that_a_graph_would_learn_at_run_time_are_refused():
    """After two shapes the graph knows none of them any more."""
    loss = losslab.Huber(name="refused")
    for length in (16, 17, 18):
        loss(tf.constant(Z[:length]), tf.constant(Z[:length]))
    with pytest.raises(ValueError, match=r"y_true has shape \(1, 10\) and y_pred \(32, 10\)"):
        loss(tf.constant(Z[:1]), tf.constant(Z))


def test_wrong_labels_may_be_masked():
    y, p = np.where(IDS == 3, -100, IDS), tf.constant(Z)
    assert float(SPARSE(y, p, mask=y >= 0)) == pytest.approx(float(SPARSE(y, Z, mask=y >= 0)), rel=1e-6)
    ignoring = SPARSE.replace(ignore_class=-100, name="ignoring")
    assert float(ignoring(y, p)) == pytest.approx(float(SPARSE(y, Z, mask=y >= 0)), rel=1e-6)
    assert functions(ignoring)._graph.experimental_get_tracing_count() == 1


# Arrays and tapes of every kind


@pytest.mark.parametrize("labels", [IDS, IDS.tolist(), IDS[:, None], IDS.astype("float64"), IDS.astype("uint8")])
@pytest.mark.parametrize("make", [tf.constant, tf.Variable])
def test_labels_and_predictions_of_every_kind(labels, make):
    value = SPARSE(labels, make(Z), sample_weight=2, mask=[True] * 32)
    assert float(value) == pytest.approx(2 * float(SPARSE(IDS, Z)), rel=1e-6)
    assert float(SPARSE(labels, make(Z))) == pytest.approx(float(SPARSE(IDS, Z)), rel=1e-6)


@pytest.mark.parametrize("loss", [SPARSE, losslab.LogCosh()], ids=repr)
def test_tapes_of_every_kind(loss):
    y, p = (IDS if loss is SPARSE else Z[::-1].copy()), tf.Variable(Z)
    _, gradient, _ = derivatives(lambda x: composed(loss, y, x), tf.constant(Z))
    with tf.GradientTape(persistent=True) as tape:
        value = loss(y, p)
        twice = 2 * value
    close(tape.gradient(value, p).numpy(), gradient.numpy(), 1e-6, "a Variable")
    close(tape.gradient(twice, p).numpy(), 2 * gradient.numpy(), 1e-6, "a persistent tape")
    with tf.autodiff.ForwardAccumulator(p, gradient) as forward:
        value = loss(y, p)
    assert float(forward.jvp(value)) == pytest.approx(float(tf.reduce_sum(gradient**2)), rel=1e-5)


def test_labels_and_weights_have_gradients():
    loss, w = losslab.LogCosh(), tf.linspace(0.5, 2.0, 32)
    y, p = tf.constant(Z[::-1].copy()), tf.constant(Z)
    results = []
    for function in (
        lambda *given: loss(given[0], p, given[1]),
        lambda *given: composed(loss, given[0], p, (given[1], None, None)),
    ):
        with tf.GradientTape() as tape:
            tape.watch([y, w])
            value = function(y, w)
        results.append(tape.gradient(value, [y, w]))
    for actual, expected in zip(*results, strict=True):
        close(actual.numpy(), expected.numpy(), 1e-6, "gradient")


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_has_a_gradient_in_half_precision(half):
    for loss, y in ((losslab.Huber(), Z), (SPARSE, IDS)):
        value, gradient = loss.value_and_grad(y, tf.cast(Z[::-1].copy(), half))
        assert (value.dtype, gradient.dtype) == (tf.float32, tf.as_dtype(half))


def test_predictions_that_are_no_floats_have_a_gradient():
    value, gradient = losslab.MeanSquaredError().value_and_grad(tf.zeros(4), [1, 2, 3, 4])
    assert value == 7.5
    assert gradient.numpy().tolist() == [0.5, 1.0, 1.5, 2.0]


def test_none_has_the_gradient_of_the_sum():
    values, gradient = losslab.MeanSquaredError(reduction="none").value_and_grad(tf.zeros((2, 2)), tf.ones((2, 2)))
    assert values.numpy().tolist() == [1.0, 1.0]
    assert gradient.numpy().tolist() == [[1.0, 1.0]] * 2


def test_functions_that_run_eagerly_are_composed():
    tf.config.run_functions_eagerly(True)
    try:
        value = losslab.LogCosh(name="eager")(tf.constant(Z), tf.constant(Z[::-1].copy()))
    finally:
        tf.config.run_functions_eagerly(False)
    assert float(value) == pytest.approx(float(losslab.LogCosh()(Z, Z[::-1])), rel=1e-6)


# Losses of one's own


def test_what_a_notebook_defines_anew_is_seen():
    notebook = types.ModuleType("notebook")
    exec(
        "import losslab\nscale = 2.0\nclass Own(losslab.ElementLoss):\n"
        "    def formula(self, ops, y_true, y_pred):\n        return scale * ops.square(y_pred - y_true)",
        vars(notebook),
    )
    loss = notebook.Own()
    assert loss(tf.zeros(64), tf.ones(64)) == 2.0
    notebook.scale = 3.0
    assert loss(tf.zeros(64), tf.ones(64)) == 3.0
    assert loss.value_and_grad(tf.zeros(64), tf.ones(64))[0] == 3.0


def test_a_formula_that_looks_at_values_stays_composed():
    class Looking(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return ops.square(y_pred - y_true) if float(ops.max(y_pred, axis=None)) < 5 else ops.abs(y_pred - y_true)

    loss = Looking()
    assert loss(tf.zeros(64), tf.fill(64, 2.0)) == 4.0
    assert loss(tf.zeros(64), tf.fill(64, 8.0)) == 8.0
    value, gradient = loss.value_and_grad(tf.zeros(64), tf.fill(64, 8.0))
    assert value == 8.0
    close(gradient.numpy(), np.full(64, 1 / 64), 1e-6, "gradient")
    assert functions(loss) is None
