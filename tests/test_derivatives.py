"""First and second derivatives on NumPy: against JAX, 50-digit arithmetic, closed forms and hand calculations."""

import mpmath
import numpy as np
import pytest

import losslab
from losslab._fast import _closed, _second_order
from losslab._fast._jet_ops import JetOps
from losslab._fast._jets import Jet
from losslab._ops import Ops, ops_for
from losslab.testing import FRAMEWORKS, Case
from losslab.testing._values import extremes

from .catalogue import DEFAULTS, VARIANTS

LOSSES = [loss for loss in DEFAULTS + VARIANTS if isinstance(loss, losslab.ElementLoss | losslab.RowLoss)]
SOFTMAX = [
    losslab.CategoricalCrossentropy(from_logits=True),
    losslab.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2, axis=1),
    losslab.CategoricalCrossentropy(from_logits=True, class_weight={1: 3.0}, ignore_class=2, label_smoothing=0.1),
    losslab.SparseCategoricalCrossentropy(from_logits=True),
    losslab.SparseCategoricalCrossentropy(from_logits=True, class_weight=[1.0, 0.5, 2.0], label_smoothing=0.2),
    losslab.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255, axis=1),
]


def on_numpy(loss, dtype="float64"):
    return Case(loss, FRAMEWORKS["numpy"], dtype)


def ordinary_and_extreme(loss, dtype="float64"):
    """Samples of both kinds in one batch."""
    case = on_numpy(loss, dtype)
    parts = zip(case.draw(seed=2), extremes(case), strict=True)
    return tuple(np.concatenate(part) for part in parts)


def composed(loss, y_true, y_pred):
    """The formula operation by operation, which JAX differentiates twice."""
    return loss._composed_per_sample(ops_for(y_pred), y_true, y_pred, {})


def by_jax(function, *samples):
    """The gradient and the Hessian's diagonal of a function of one sample (y_true, y_pred), for each sample."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    with jax.enable_x64(True):
        both = jax.jit(jax.vmap(lambda y, p: (jax.grad(function, 1)(y, p), jax.hessian(function, 1)(y, p))))
        gradient, hessian = both(*samples)
    size = gradient[0].size
    rows = np.asarray(hessian).reshape(-1, size, size)
    return np.asarray(gradient), np.diagonal(rows, axis1=1, axis2=2).reshape(gradient.shape)


def near(actual, expected, tolerance=1e-9):
    """Each number at its own scale; below a thousandth what remains of cancelling numbers of size 1."""
    assert actual.shape == expected.shape
    wrong = ~(np.abs(actual - expected) <= tolerance * np.maximum(np.abs(expected), 1e-3))
    assert not wrong.any(), f"got {actual[wrong][:5]}, expected {expected[wrong][:5]}"


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_equal_those_of_jax(loss):
    """At ordinary predictions and at every edge of the domain, where they are finite too."""
    y, p = ordinary_and_extreme(loss)
    expected = by_jax(lambda y, p: composed(loss, y[None], p[None]).sum(), y, p)
    for actual, right in zip(loss.derivatives(y, p), expected, strict=True):
        near(actual, right)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_in_single_precision(loss):
    """The same numbers to single precision, finite at every edge, of the predictions' dtype."""
    y, p = ordinary_and_extreme(loss, "float32")
    labels = y if y.dtype.kind == "i" else y.astype("float32")
    for result in loss.derivatives(labels, p.astype("float32")):
        assert result.dtype == "float32"
        assert np.isfinite(result).all()
    y, p = on_numpy(loss, "float32").draw(seed=2)
    labels = y if y.dtype.kind == "i" else y.astype("float32")
    for result, right in zip(loss.derivatives(labels, p.astype("float32")), loss.derivatives(y, p), strict=True):
        near(result, right, 2e-5)


@pytest.mark.parametrize("loss", SOFTMAX, ids=repr)
def test_a_closed_form_equals_the_formula_on_jets(loss, monkeypatch):
    y, p = ordinary_and_extreme(loss)
    weight = np.linspace(0.0, 2.0, len(y))
    with monkeypatch.context() as without:
        without.setattr(_closed, "_FORMS", {})
        expected = loss.derivatives(y, p, sample_weight=weight)
    assert _closed.closed_form(loss) is not None
    for actual, right in zip(loss.derivatives(y, p, sample_weight=weight), expected, strict=True):
        near(actual, right, 1e-12)


def test_a_closed_form_has_the_value_of_the_formula():
    for loss in SOFTMAX:
        y, p = on_numpy(loss).draw()
        y, p = loss._inputs(ops_for(), y, p)
        values, _, _ = _closed.closed_form(loss)._weighted(
            JetOps(), y, Jet.of_predictions(p, range(p.shape[-1])), None, None
        )
        np.testing.assert_allclose(values.value, loss._weighted(ops_for(), y, p, None, None)[0], rtol=1e-14)


def test_a_subclass_with_another_formula_has_no_closed_form():
    class Doubled(losslab.SparseCategoricalCrossentropy):
        def formula(self, ops, y_true, y_pred):
            return 2.0 * super().formula(ops, y_true, y_pred)

    y, p = [0, 2], [[1.0, 2.0, 3.0], [0.0, 0.5, -1.0]]
    twice = Doubled(from_logits=True).derivatives(y, p)
    once = losslab.SparseCategoricalCrossentropy(from_logits=True).derivatives(y, p)
    for doubled, single in zip(twice, once, strict=True):
        near(doubled, 2 * single)


def log_softmax(z, k):
    return z[k] - mpmath.log(sum(mpmath.exp(x) for x in z))


DEFINITIONS = {
    "mean_squared_error": lambda y, p: (p - y) ** 2,
    "log_cosh": lambda y, p: mpmath.log(mpmath.cosh(p - y)),
    "binary_crossentropy:from_logits=true": lambda y, z: mpmath.log(1 + mpmath.exp(z)) - y * z,
    "focal:from_logits=true": lambda y, z: (
        (y / (1 + mpmath.exp(z)) + (1 - y) / (1 + mpmath.exp(-z))) ** 2 * (mpmath.log(1 + mpmath.exp(z)) - y * z)
    ),
    "poisson": lambda y, p: p - y * mpmath.log(p + mpmath.mpf("1e-7")),
    "mean_squared_logarithmic_error": lambda y, p: (mpmath.log(1 + p) - mpmath.log(1 + max(y, 1e-7))) ** 2,
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_equal_difference_quotients_in_fifty_digits(name):
    y, p = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.3, 0.7, 2.5, 4.0])
    found = losslab.get(name).derivatives(y, p)
    with mpmath.workdps(50):
        for order, result in enumerate(found, start=1):
            right = [mpmath.diff(lambda x, a=a: DEFINITIONS[name](a, x), b, order) for a, b in zip(y, p, strict=True)]
            np.testing.assert_allclose(result, np.array(right, float), rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (losslab.SparseCategoricalCrossentropy(from_logits=True), lambda z: -log_softmax(z, 1)),
        (
            losslab.SparseCategoricalFocalCrossentropy(from_logits=True, alpha=1.0, gamma=1.5),
            lambda z: -((1 - mpmath.exp(log_softmax(z, 1))) ** 1.5) * log_softmax(z, 1),
        ),
        (
            losslab.CategoricalGeneralizedCrossEntropy(from_logits=True),
            lambda z: 2 - 2 * mpmath.exp(log_softmax(z, 1) / 2),
        ),
    ],
    ids=lambda x: repr(x) if isinstance(x, losslab.Loss) else "",  # the address of a function differs by worker
)
def test_rows_equal_difference_quotients_in_fifty_digits(loss, value):
    z = [0.5, -1.0, 2.0]
    gradient, hessian = (x[0] for x in loss.derivatives([1], [z]))
    with mpmath.workdps(50):
        for k in range(3):
            moved = lambda x, k=k: value([*z[:k], x, *z[k + 1 :]])  # noqa: E731
            assert gradient[k] == pytest.approx(float(mpmath.diff(moved, z[k], 1)), rel=1e-12)
            assert hessian[k] == pytest.approx(float(mpmath.diff(moved, z[k], 2)), rel=1e-12)


def test_kinks():
    """At a bound that is just met the slope is 0, and so is that of |e|; the second derivative of a kink is 0."""
    at = lambda loss, y, p: [float(x[0]) for x in loss.derivatives([y], [p])]  # noqa: E731
    assert at(losslab.MeanAbsoluteError(), 2.0, 2.0) == [0, 0]
    assert at(losslab.MeanAbsoluteError(), 2.0, 3.0) == [1, 0]
    assert at(losslab.Hinge(), 1.0, 1.0) == [0, 0]
    assert at(losslab.SquaredHinge(), 1.0, 1.0) == [0, 0]
    assert at(losslab.SquaredHinge(), 1.0, 0.0) == [-2, 2]
    assert at(losslab.Quantile(quantile=0.9), 1.0, 1.0) == [0, 0]
    assert at(losslab.Huber(), 0.0, 1.0) == [1, 1]
    assert at(losslab.Huber(), 0.0, 2.0) == [1, 0]
    assert at(losslab.MeanSquaredLogarithmicError(), 1.0, -5.0) == at(
        losslab.MeanSquaredLogarithmicError(), 1.0, 1e-7
    )  # clipped, with the derivatives of the bound


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_weights_and_removal(loss):
    """A weight multiplies both derivatives; what is removed has none, also where label and prediction are NaN."""
    case = on_numpy(loss)
    y, p = case.draw()
    plain = loss.derivatives(y, p)
    weight = np.array([2.0, 0.0, 0.5, 1.0])
    keep = weight > 0
    y, p = y.copy(), p.copy()
    y[~keep], p[~keep] = -7 if y.dtype.kind == "i" else np.nan, np.nan
    spread = weight.reshape(-1, *[1] * (p.ndim - 1))
    for given in (weight, weight[:, None]):
        for result, right in zip(loss.derivatives(y, p, sample_weight=given), plain, strict=True):
            np.testing.assert_allclose(result, right * spread, rtol=1e-12)
    for result, right in zip(loss.derivatives(y, p, mask=keep), plain, strict=True):
        np.testing.assert_allclose(result, right * (spread > 0), rtol=1e-12)
    for result, right in zip(loss.derivatives(y, p, sample_weight=2.0, mask=keep), plain, strict=True):
        np.testing.assert_allclose(result, 2 * right * (spread > 0), rtol=1e-12)


def test_ignored_classes():
    """An ignored id removes its row; an ignored binary label leaves the mean over its row."""
    loss = losslab.SparseCategoricalFocalCrossentropy(from_logits=True, ignore_class=255)
    p = np.random.default_rng(0).normal(size=(3, 4))
    for result, right in zip(loss.derivatives([1, 255, 3], p), loss.derivatives([1, 0, 3], p), strict=True):
        assert not result[1].any()
        np.testing.assert_array_equal(result[[0, 2]], right[[0, 2]])
    binary = losslab.BinaryCrossentropy(from_logits=True, ignore_class=-1)
    gradient, hessian = binary.derivatives([[1.0, -1.0, 0.0], [-1.0, -1.0, -1.0]], np.zeros((2, 3)))
    np.testing.assert_allclose(gradient, [[-0.25, 0, 0.25], [0, 0, 0]])
    np.testing.assert_allclose(hessian, [[0.125, 0, 0.125], [0, 0, 0]])


def test_shapes():
    """Each element of (N,) is a sample; (N,) and (N, 1) are aligned; the result has the shape of y_pred."""
    y, p = np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.7, 0.4])
    loss = losslab.BinaryCrossentropy()
    expected = loss.derivatives(y[:, None], p[:, None])
    for labels, predictions in ((y, p), (y[:, None], p), (y, p[:, None]), (y.tolist(), p.tolist())):
        for result, right in zip(loss.derivatives(labels, predictions), expected, strict=True):
            assert result.shape == np.shape(predictions)
            np.testing.assert_array_equal(result.ravel(), right.ravel())
    gradient, hessian = losslab.MeanSquaredError().derivatives(1.0, 3.0)
    assert (gradient.shape, float(gradient), float(hessian)) == ((), 4, 2)
    gradient, hessian = losslab.MeanSquaredError().derivatives([[1.0, 1.0]], [[1.0, 3.0]])
    assert (gradient.tolist(), hessian.tolist()) == ([[0, 2]], [[1, 1]])  # the mean over two elements
    row = losslab.SparseCategoricalCrossentropy(from_logits=True)
    for result, right in zip(row.derivatives(1, [0.0, 1.0]), row.derivatives([1], [[0.0, 1.0]]), strict=True):
        np.testing.assert_array_equal(result, right[0])
    for empty in losslab.MeanSquaredError().derivatives(np.zeros((0, 3)), np.zeros((0, 3))):
        assert empty.shape == (0, 3)


@pytest.mark.parametrize("shape", [(9, 4), (3, 5, 4), (2, 2, 3, 4)])
@pytest.mark.parametrize(
    "loss",
    [losslab.CosineSimilarity(), losslab.CategoricalCrossentropy(from_logits=True), losslab.BinaryCrossentropy()],
    ids=repr,
)
def test_blocks_change_nothing(loss, shape, monkeypatch):
    """As many samples and columns at once as are fastest: the same to the last digit but one as all at once."""
    rng = np.random.default_rng(1)
    y, p = loss.targets.draw(rng, shape), loss.outputs.draw(rng, shape)
    weight, mask = rng.random(shape[:-1]), rng.random(shape[:1]) > 0.3
    whole = loss.derivatives(y, p, weight, mask)
    for one, many in ((1, 1), (7, 7), (24, 24), (1 << 14, 30)):
        monkeypatch.setattr(_second_order, "_ONE_RUN", one)
        monkeypatch.setattr(_second_order, "_MANY_RUNS", many)
        for result, right in zip(loss.derivatives(y, p, weight, mask), whole, strict=True):
            np.testing.assert_allclose(result, right, rtol=1e-14, atol=1e-16)


def test_a_formula_may_couple_the_elements_of_a_row():
    """The mean of each row is its own: every prediction moves all elements' values."""

    class Centred(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return ops.exp(0.3 * (y_pred - ops.mean(y_pred, keepdims=True))) * ops.square(y_pred - y_true)

    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    expected = by_jax(lambda y, p: composed(Centred(), y[None], p[None]).sum(), y, p)
    for actual, right in zip(Centred().derivatives(y, p), expected, strict=True):
        near(actual, right)


def test_a_formula_without_the_predictions_has_no_slope():
    class Constant(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return ops.square(y_true)

    assert not any(x.any() for x in Constant().derivatives([1.0, 2.0], [3.0, 4.0]))


def test_arrays_of_every_framework(framework):
    y, p = np.array([1.0, 0.0]), np.array([0.3, -2.0])
    loss = losslab.BinaryCrossentropy(from_logits=True)
    weight = np.array([1.0, 2.0])
    given = loss.derivatives(*map(framework.array, (y, p)), sample_weight=framework.array(weight), mask=[True, True])
    for result, right in zip(given, loss.derivatives(y, p, weight), strict=True):
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, right)
    if framework.differentiates:
        function = lambda p: loss.derivatives(y, p)  # noqa: E731
        traced = framework.mapped(function) or framework.compiled(function)
        with pytest.raises(TypeError, match=rf"y_pred is a {framework.name} array whose values cannot be seen"):
            traced(framework.array(p))


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (losslab.Dice(), "its value belongs to a set"),
        (losslab.Circle(), "its values belong to pairs or sequences"),
        (losslab.CTC(), "its values belong to pairs or sequences"),
        (losslab.LossFunctionWrapper(lambda y, p: abs(y - p), name="own"), "it is written as a function"),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_what_has_no_derivatives_of_each_sample_says_so(loss, why):
    with pytest.raises(TypeError, match=rf"{loss.name} has no derivatives of each sample: {why}.*losslab.RowLoss"):
        loss.derivatives([[1.0, 0.0]], [[1.0, 0.0]])


def test_wrong_input_is_refused_as_by_the_loss():
    sparse = losslab.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.raises(ValueError, match="class id 3 in y_true is out of range for 2 classes"):
        sparse.derivatives([0, 3], np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"y_true has shape \(3,\) and y_pred \(2, 2\)"):
        losslab.MeanSquaredError().derivatives(np.zeros(3), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"sample_weight has shape \(3,\) but the per-sample values have shape \(2,\)"):
        sparse.derivatives([0, 1], np.zeros((2, 2)), sample_weight=np.ones(3))


def test_nan_in_is_nan_out():
    gradient, hessian = losslab.Huber().derivatives([0.0, 0.0, 0.0], [np.nan, 1.0, 5.0])
    assert np.isnan([gradient[0], hessian[0]]).all()
    assert np.isfinite([gradient[1:], hessian[1:]]).all()


# The vocabulary on jets, operation by operation

X = np.array([[0.3, 0.9, 0.4], [1.2, 0.1, 0.7], [0.8, 0.6, 0.5], [1.1, 0.2, 1.3]])
OTHER = np.array([[0.2, 1.4, 0.9], [0.4, 0.3, 0.8], [1.5, 0.5, 0.1], [0.6, 1.0, 0.25]])
IDS = np.array([2, 0, 1, 1])

VOCABULARY = {
    "cast": lambda ops, x: ops.cast(x, np.float64) * x,
    "stop_gradient": lambda ops, x: ops.stop_gradient(x) * x,
    "abs": lambda ops, x: ops.abs(x - 0.5) * x,
    "sign": lambda ops, x: ops.sign(x - 0.5) * x,
    "square": lambda ops, x: ops.square(x),
    "sqrt": lambda ops, x: ops.sqrt(x),
    "exp": lambda ops, x: ops.exp(x),
    "expm1": lambda ops, x: ops.expm1(x),
    "log": lambda ops, x: ops.log(x),
    "log1p": lambda ops, x: ops.log1p(x),
    "tanh": lambda ops, x: ops.tanh(x),
    "erf": lambda ops, x: ops.erf(x),
    "lgamma": lambda ops, x: ops.lgamma(x),
    "isnan": lambda ops, x: ops.where(ops.isnan(x), 0.0, x * x),
    "where": lambda ops, x: ops.where(x > 0.5, x * x, ops.where(x > 0.2, 2.0, ops.exp(x))),
    "power": lambda ops, x: ops.power(x, 0.5) + ops.power(x, 3.0) + ops.power(x, 1.0) + ops.power(x, 0.0),
    "maximum": lambda ops, x: ops.maximum(x * x, OTHER),
    "minimum": lambda ops, x: ops.minimum(x * x, 0.5 * x),
    "clip": lambda ops, x: ops.clip(x * x, 0.1, 0.6),
    "clip_through": lambda ops, x: ops.square(ops.clip_through(x, 0.4, 0.8)),
    "sigmoid": lambda ops, x: ops.sigmoid(x),
    "softplus": lambda ops, x: ops.softplus(x),
    "log_sigmoid": lambda ops, x: ops.log_sigmoid(3.0 * x),
    "softmax": lambda ops, x: ops.softmax(x),
    "log_softmax": lambda ops, x: ops.log_softmax(x * x),
    "logsumexp": lambda ops, x: ops.logsumexp(x * x),
    "logaddexp": lambda ops, x: ops.logaddexp(x, 2.0 * x * x),
    "xlogy": lambda ops, x: ops.xlogy(x, x * x) + ops.xlogy(OTHER, x),
    "sum": lambda ops, x: ops.sum(x * x) + ops.sum(x * x, axis=0)[0] + ops.sum(x * OTHER, axis=None),
    "mean": lambda ops, x: ops.mean(x * x) + ops.mean(x * x, axis=(0, 1)) + ops.mean(x, axis=1),
    "max": lambda ops, x: ops.max(x * x, keepdims=True) * x + ops.max(x * x, axis=0),
    "min": lambda ops, x: ops.min(x * x, keepdims=True) * x,
    "argmax": lambda ops, x: ops.take(x * x, ops.argmax(x)),
    "cumsum": lambda ops, x: ops.cumsum(x * x) + ops.cumsum(x, axis=0),
    "scan": lambda ops, x: ops.scan(lambda state, step: (state[0] * step[0] + step[0],), (x[0] * x[0],), (x,))[0],
    "reshape": lambda ops, x: ops.reshape(x * x, (2, 6)) * np.arange(6.0),
    "expand_dims": lambda ops, x: ops.expand_dims(x * x, 1) * ops.expand_dims(x, 0),
    "squeeze": lambda ops, x: ops.squeeze(ops.expand_dims(x * x, 0), 0),
    "moveaxis": lambda ops, x: ops.moveaxis(x * x, 0, 1) * np.arange(4.0),
    "concatenate": lambda ops, x: ops.concatenate([x * x, OTHER, x], axis=0),
    "sort": lambda ops, x: ops.sort(x * x) * np.arange(3.0) + ops.sort(x, axis=0),
    "gather": lambda ops, x: ops.gather(x * x, np.stack([IDS, IDS[::-1]], axis=-1)),
    "take": lambda ops, x: ops.take(x * x, IDS),
    "one_hot": lambda ops, x: ops.one_hot(ops.ids(x), 3, np.float64)[..., 0] * x,
    "zeros_like": lambda ops, x: ops.zeros_like(x) + x * x,
    "ones_like": lambda ops, x: ops.ones_like(x) * x * x,
}

OPERATORS = {
    "add": lambda x: x + 1.0 + OTHER + x * x + (OTHER + x) + (1.0 + x),
    "sub": lambda x: (x - 1.0 - OTHER - x * x) * (OTHER - x) * (1.0 - x),
    "sub a boolean": lambda x: x * x - (OTHER > 0.5),
    "mul": lambda x: x * 2.0 * OTHER * x * (OTHER * x),
    "truediv": lambda x: x / 2.0 + x / OTHER + 1.0 / x + OTHER / (x * x) + (x + 1.0) / (x * x),
    "pow": lambda x: x**2 + x**1 + x**0 + x**-0.5 + x**3 + 2.0**x + x**x + OTHER**x + x**OTHER,
    "pow of a negative": lambda x: (x - 2.0) ** 3 + (x - 2.0) ** 2,
    "matmul": lambda x: ((x * x) @ OTHER.T)[..., :3] + x @ (x * x)[:3],
    "matmul with a vector": lambda x: (x * x) @ OTHER[0] + x @ x[0] + OTHER[:, 0] @ (x * x)[..., :1],
    "matmul from the left": lambda x: OTHER.T @ (x * x),
    "neg": lambda x: -(x * x),
    "abs": lambda x: abs(x - 0.5) * x,
    "getitem": lambda x: (
        (x * x)[..., 1] + x[:, 0] + (x * x)[2][0] + x[OTHER > 1.2].sum()
        if not isinstance(x, Jet)
        else (x * x)[..., 1] + x[:, 0] + (x * x)[2][0] + JetOps().sum(x[OTHER > 1.2])
    ),
    "comparisons": lambda x: x * x * ((x > 0.5) & ~(x >= 1.2) | (x < 0.2) | (x <= 0.1) | (x == 0.4) | (x != x)),
    "broadcasting": lambda x: (x * x)[..., :1] * OTHER + x[:1] + x[0] * OTHER[:, :1] + x[..., :1] * np.arange(2.0)[:1],
}


def directions(function):
    """Value, first and second derivative of `function` along every column of X at once, the rows in step, by JAX."""
    jax = pytest.importorskip("jax", reason="jax is not installed")

    def along(column):
        move = lambda t: function(jax.numpy.asarray(X) + t * column)  # noqa: E731
        slope = lambda t: jax.jvp(move, (t,), (1.0,))[1]  # noqa: E731
        return move(0.0), slope(0.0), jax.jvp(slope, (0.0,), (1.0,))[1]

    with jax.enable_x64(True):
        return [np.asarray(part) for part in jax.jit(jax.vmap(along))(np.eye(X.shape[-1]))]


def same_jet(jet, expected):
    jet = jet.dense()
    for part, right in zip((jet.value[None], jet.first, jet.second), expected, strict=True):
        np.testing.assert_allclose(np.broadcast_to(part, right.shape), right, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [*VOCABULARY, *OPERATORS])
def test_every_operation_on_jets(name):
    """As JAX differentiates it; where only its own prediction moves an element, and where any of some or all may."""
    function = VOCABULARY.get(name) or (lambda ops, x: OPERATORS[name](x))
    jax_numpy = pytest.importorskip("jax.numpy", reason="jax is not installed")
    expected = directions(lambda x: function(ops_for(jax_numpy.zeros(1)), x))
    x = Jet.of_predictions(X, range(3))
    same_jet(function(JetOps(), x), expected)
    same_jet(function(JetOps(), x.dense()), expected)
    same_jet(function(JetOps(), Jet.of_predictions(X, range(1, 3))), [part[1:3] for part in expected])


def test_the_whole_vocabulary_is_tested():
    inspects = {
        "convert",
        "constant",
        "ids",
        "float_dtype",
        "kind",
        "shape",
        "size",
        "length",
        "agreed",
        "look",
        "tiny",
    }
    public = {name for name in vars(Ops) if not name.startswith("_") and callable(getattr(Ops, name))}
    assert public - inspects == set(VOCABULARY)


def test_inspection_of_jets():
    ops, x = JetOps(), Jet.of_predictions(X, range(3))
    assert ops.convert(x) is x
    assert (ops.shape(x), ops.size(x), ops.length(x), ops.kind(x)) == ((4, 3), 12, 3, "f")
    assert ops.float_dtype(x) == np.float64
    assert ops.tiny(x) == ops_for(X).tiny(X)
    assert ops.ids(x).tolist() == X.astype(int).tolist()
    assert ops.look(x) is X
    assert ops.constant((1.0, 2.0), like=x).tolist() == [1, 2]
    assert ops.agreed(x, X, 2, "") is x
    assert bool(Jet.of_predictions(np.ones(()), range(1)))
    assert hash(x) == hash(x)


@pytest.mark.parametrize("name", VOCABULARY)
def test_plain_arrays_pass_through(name):
    result, expected = VOCABULARY[name](JetOps(), X), VOCABULARY[name](ops_for(X), X)
    assert type(result) is type(expected)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(("exponent", "slope", "curvature"), [(0, 0, 0), (1, 1, 0), (2, 0, 2), (3, 0, 0)])
def test_powers_at_zero(exponent, slope, curvature):
    power = Jet.of_predictions(np.zeros((1, 1)), range(1)) ** exponent
    assert (power.first.item(), power.second.item()) == (slope, curvature)


def test_equal_maxima_share_the_slope():
    x = Jet.of_predictions(np.array([[2.0, 2.0, 1.0]]), range(3))
    assert JetOps().max(x).first.ravel().tolist() == [0.5, 0.5, 0]


def test_a_newton_step_finds_the_best_constant():
    """What boosting does in a leaf: minus the summed gradient over the summed Hessian, to the labels' log-odds."""
    y = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    score = 0.0
    for _ in range(6):
        gradient, hessian = losslab.BinaryCrossentropy(from_logits=True).derivatives(y, np.full(5, score))
        score -= gradient.sum() / hessian.sum()
    assert score == pytest.approx(np.log(3 / 2), rel=1e-12)
