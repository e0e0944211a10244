"""Linear cross-entropy: every option on every framework against the formula on whole logits, and what it refuses.

The formula is written out in float64 on PyTorch, whose autodiff gives the gradients.
"""

import pickle

import numpy as np
import pytest
import torch

import losslab
from losslab._linear import _jax, _numpy, _torch_chunks, _torch_rows
from losslab.testing import FRAMEWORKS, close

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
RNG = np.random.default_rng(0)
SHAPE, WIDTH, CLASSES = (3, 5), 4, 11
HIDDEN, WEIGHT, BIAS = RNG.normal(size=(*SHAPE, WIDTH)), RNG.normal(size=(CLASSES, WIDTH)), RNG.normal(size=CLASSES)
LABELS = RNG.integers(0, CLASSES, SHAPE)
MASKED = np.where(RNG.random(SHAPE) < 0.3, -100, LABELS)
PER_CLASS = RNG.random(CLASSES)
PER_TOKEN = np.where(RNG.random(SHAPE) < 0.3, 0.0, RNG.random(SHAPE))

ALL = {
    "labels": MASKED,
    "bias": BIAS,
    "ignore_class": -100,
    "class_weight": PER_CLASS,
    "label_smoothing": 0.1,
    "softcap": 3.0,
    "temperature": 0.7,
    "z_loss": 0.01,
    "sample_weight": PER_TOKEN,
}

# What is given besides hidden, weight and plain labels
CASES = {
    "nothing": {},
    "bias": {"bias": BIAS},
    "ignored labels": {"labels": MASKED, "ignore_class": -100},
    "a class ignored": {"ignore_class": int(LABELS[0, 0])},
    "class weights": {"class_weight": PER_CLASS},
    "class weights by class": {"class_weight": {3: 2.0, 0: 0.0}},
    "smoothing": {"label_smoothing": 0.1},
    "nothing but smoothing": {"label_smoothing": 1.0},
    "smoothing and class weights": {"label_smoothing": 0.1, "class_weight": PER_CLASS},
    "softcap": {"softcap": 2.0},
    "temperature": {"temperature": 0.5},
    "z-loss": {"z_loss": 0.1},
    "sample weights": {"sample_weight": PER_TOKEN},
    "a weight per row": {"sample_weight": np.array([0.5, 0.0, 2.0])},
    "one weight": {"sample_weight": 3.0},
    "the mean by weights": {"sample_weight": PER_TOKEN, "reduction": "mean_with_sample_weight"},
    "the mean by no weights": {"labels": MASKED, "ignore_class": -100, "reduction": "mean_with_sample_weight"},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "normalizer": {"normalizer": 7.0},
    "normalizer and weights": {"normalizer": 7.0, "sample_weight": PER_TOKEN, "reduction": "sum"},
    "labels (…, 1)": {"labels": LABELS[..., None]},
    "all": ALL,
    "all, by weights": {**ALL, "reduction": "mean_with_sample_weight"},
    "all, none": {**ALL, "reduction": "none"},
    "all, normalizer": {**ALL, "normalizer": 2.5},
}


@pytest.fixture(params=["numpy", "torch", "jax"])
def framework(request, dtype):
    pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    with FRAMEWORKS[request.param].precision(dtype):
        yield FRAMEWORKS[request.param]


by_autodiff = pytest.mark.parametrize("framework", ["torch", "jax"], indirect=True)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(autouse=True)
def _small_chunks(request, monkeypatch):
    """15 tokens in chunks of four rows, those in blocks of two."""
    if getattr(request, "param", "chunks") == "chunks":
        monkeypatch.setattr(_torch_chunks, "_CPU_ROWS", (4, 4))
        monkeypatch.setattr(_torch_rows, "_CPU_BLOCK", 2 * CLASSES)
        monkeypatch.setattr(_numpy, "_CHUNK_ROWS", 4)
        monkeypatch.setattr(_numpy, "_BLOCK", 2 * CLASSES)
        monkeypatch.setattr(_jax, "_CPU_ROWS", (4, 4))


in_any_chunks = pytest.mark.parametrize("_small_chunks", ["one chunk", "chunks"], indirect=True)


def formula(arrays, reduction="sum_over_batch_size", **given):
    """The loss of tensors hidden, weight, bias, sample_weight, as the docstring says it, on whole logits."""
    hidden, weight, bias, sample_weight = arrays
    labels = torch.tensor(given.get("labels", LABELS).reshape(hidden.shape[:-1]))
    logits = hidden @ weight.T + (0.0 if bias is None else bias)
    cap, smoothing = given.get("softcap"), given.get("label_smoothing", 0.0)
    u = (logits if cap is None else cap * torch.tanh(logits / cap)) / given.get("temperature", 1.0)
    counted = labels != given.get("ignore_class", -(10**6))
    per_class = given.get("class_weight", np.ones(len(weight)))
    if isinstance(per_class, dict):
        per_class = np.array([per_class.get(k, 1.0) for k in range(len(weight))])
    wanted = torch.nn.functional.one_hot(torch.where(counted, labels, 0), len(weight)).double()
    wanted = ((1 - smoothing) * wanted + smoothing / len(weight)) * torch.tensor(per_class)
    lse = torch.logsumexp(u, -1)
    values = (wanted * (lse[..., None] - u)).sum(-1) + given.get("z_loss", 0.0) * lse**2
    per_token = torch.ones(labels.shape, dtype=torch.float64) if sample_weight is None else sample_weight
    while 0 < per_token.ndim < labels.ndim:
        per_token = per_token[..., None]
    per_token = torch.where(counted, per_token, 0.0)
    values = torch.where(counted & (per_token != 0), values, 0.0) * per_token  # removed: no gradient either
    divisors = {
        "sum": 1.0,
        "sum_over_batch_size": counted.sum(),
        "mean_with_sample_weight": per_token.sum() if sample_weight is not None else counted.sum(),
    }
    return values if reduction == "none" else values.sum() / given.get("normalizer", divisors[reduction])


def expected(given, upstream=1.0):
    """The loss in float64 and the gradients of Σ upstream·loss with respect to hidden, weight, bias, sample_weight."""
    arrays = [HIDDEN, WEIGHT, given.get("bias"), given.get("sample_weight")]
    leaves = [None if x is None else torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in arrays]
    others = {name: value for name, value in given.items() if name not in ("bias", "sample_weight")}
    loss = formula(leaves, **others)
    gradients = torch.autograd.grad((loss * torch.as_tensor(upstream)).sum(), [x for x in leaves if x is not None])
    left = iter(gradients)
    return loss.detach().numpy(), [None if x is None else next(left).numpy() for x in leaves]


def placed(framework, dtype, given):
    """hidden, weight, labels, bias, sample_weight as arrays of the framework, and the parameters."""
    parameters = dict(given)
    labels = parameters.pop("labels", LABELS)
    floats = [HIDDEN, WEIGHT, parameters.pop("bias", None), parameters.pop("sample_weight", None)]
    hidden, weight, bias, sample_weight = (
        None if x is None else framework.array(np.asarray(x, dtype=dtype)) for x in floats
    )
    return (hidden, weight, framework.array(labels), bias, sample_weight), parameters


def loss_of(given, parameters):
    own = {name: value for name, value in parameters.items() if name != "normalizer"}
    return losslab.LinearCrossEntropy(**own), {"normalizer": given.get("normalizer")}


@in_any_chunks
@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_values_are_those_of_the_formula(framework, dtype, given):
    arrays, parameters = placed(framework, dtype, given)
    loss, normalizer = loss_of(given, parameters)
    value = loss(*arrays, **normalizer)
    assert framework.dtype(value) == dtype
    close(framework.numpy(value), expected(given)[0], TOLERANCE[dtype], "class")
    hidden, weight, labels, bias, sample_weight = arrays
    function = losslab.linear_cross_entropy(hidden, weight, labels, bias, sample_weight=sample_weight, **parameters)
    close(framework.numpy(function), framework.numpy(value), 0, "function")


@in_any_chunks
@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_value_and_grad(framework, dtype, given):
    arrays, parameters = placed(framework, dtype, given)
    loss, normalizer = loss_of(given, parameters)
    value, gradients = loss.value_and_grad(*arrays, **normalizer)
    want, (d_hidden, d_weight, d_bias, _) = expected(given)
    close(framework.numpy(value), want, TOLERANCE[dtype], "value")
    for got, wanted, x in zip(gradients, (d_hidden, d_weight, d_bias), (HIDDEN, WEIGHT, BIAS), strict=True):
        assert (got is None) == (wanted is None)
        if wanted is not None:
            assert framework.dtype(got) == dtype
            assert got.shape == x.shape
            close(framework.numpy(got), wanted, TOLERANCE[dtype], "gradient")


@by_autodiff
@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_gradients_by_the_framework(framework, dtype, given):
    """Of the loss times something, by the framework's own autodiff, with respect to every float array."""
    arrays, parameters = placed(framework, dtype, given)
    loss, normalizer = loss_of(given, parameters)
    upstream = np.array(RNG.normal(size=SHAPE if given.get("reduction") == "none" else ()))
    factor = framework.array(upstream.astype(dtype))
    _, wanted = expected(given, upstream)
    for place, want in zip((0, 1, 3, 4), wanted, strict=True):
        if want is not None:

            def total(x, place=place):
                return (loss(*arrays[:place], x, *arrays[place + 1 :], **normalizer) * factor).sum()

            got = framework.gradient(total, arrays[place])
            close(got, want, TOLERANCE[dtype], f"gradient of argument {place}")


def test_many_chunks_of_their_own_size(framework, dtype, monkeypatch):
    """600 tokens: 256 and more fit no chunk of a narrow head."""
    monkeypatch.undo()
    hidden, weight, labels = RNG.normal(size=(600, 3)), RNG.normal(size=(7, 3)), RNG.integers(0, 7, 600)
    arrays = [framework.array(x) for x in (hidden.astype(dtype), weight.astype(dtype), labels)]
    value, gradients = losslab.LinearCrossEntropy(label_smoothing=0.1, ignore_class=3).value_and_grad(*arrays)
    leaves = [torch.tensor(x, requires_grad=True) for x in (hidden, weight)]
    want = torch.nn.functional.cross_entropy(
        leaves[0] @ leaves[1].T, torch.tensor(labels), ignore_index=3, label_smoothing=0.1
    )
    close(framework.numpy(value), want.detach().numpy(), TOLERANCE[dtype], "value")
    for got, wanted in zip(gradients, torch.autograd.grad(want, leaves), strict=False):
        close(framework.numpy(got), wanted.numpy(), 4 * TOLERANCE[dtype], "gradient")


def test_it_is_the_sparse_categorical_cross_entropy_of_the_logits(framework, dtype):
    (hidden, weight, labels, bias, sample_weight), parameters = placed(framework, dtype, ALL)
    shared = {name: parameters[name] for name in ("ignore_class", "class_weight", "label_smoothing")}
    logits = hidden @ weight.T + bias
    want = losslab.SparseCategoricalCrossentropy(from_logits=True, **shared)(labels, logits, sample_weight)
    got = losslab.LinearCrossEntropy(**shared)(hidden, weight, labels, bias, sample_weight)
    close(framework.numpy(got), framework.numpy(want), TOLERANCE[dtype], "loss")


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum", "none"])
def test_a_removed_token_reaches_nothing(framework, dtype, reduction):
    """Its hidden state, label and weight may be anything, and the rest is as if it were not there."""
    hidden = np.where((MASKED == -100)[..., None], np.nan, HIDDEN)
    weights = np.where(MASKED == -100, np.nan, 1.0)
    arrays, _ = placed(framework, dtype, {"labels": MASKED, "sample_weight": weights})
    loss = losslab.LinearCrossEntropy(reduction=reduction, ignore_class=-100, label_smoothing=0.1)
    clean = loss.value_and_grad(framework.array(HIDDEN.astype(dtype)), *arrays[1:4])
    value, gradients = loss.value_and_grad(framework.array(hidden.astype(dtype)), *arrays[1:])
    close(framework.numpy(value), framework.numpy(clean[0]), TOLERANCE[dtype], "value")
    for got, want in zip(gradients[:2], clean[1][:2], strict=True):
        close(framework.numpy(got), framework.numpy(want), TOLERANCE[dtype], "gradient")
    assert not np.any(framework.numpy(gradients[0])[MASKED == -100])


def test_a_weight_of_0_is_counted_by_the_mean_alone(framework, dtype):
    """As everywhere in losslab: the token's value is 0, the divisor keeps it."""
    (hidden, weight, labels, _, zeros), _ = placed(framework, dtype, {"sample_weight": (LABELS % 2).astype(float)})
    values = framework.numpy(losslab.LinearCrossEntropy(reduction="none")(hidden, weight, labels, None, zeros))
    by = {"sum_over_batch_size": LABELS.size, "mean_with_sample_weight": (LABELS % 2).sum()}
    for reduction, divisor in by.items():
        got = losslab.LinearCrossEntropy(reduction=reduction)(hidden, weight, labels, None, zeros)
        close(framework.numpy(got), values.sum() / divisor, TOLERANCE[dtype], reduction)


@pytest.mark.parametrize(
    "given",
    [
        {"labels": np.full(SHAPE, -100), "ignore_class": -100},
        {"sample_weight": np.zeros(SHAPE), "reduction": "mean_with_sample_weight"},
        {"sample_weight": np.zeros(SHAPE)},
        {"labels": np.full(SHAPE, -100), "ignore_class": -100, "reduction": "none"},
    ],
    ids=["all ignored", "no weight", "weights of 0", "none"],
)
def test_nothing_left_is_0_with_gradients_of_0(framework, dtype, given):
    arrays, parameters = placed(framework, dtype, {**given, "bias": BIAS})
    value, gradients = losslab.LinearCrossEntropy(**parameters).value_and_grad(*arrays)
    assert not np.any(framework.numpy(value))
    assert not any(np.any(framework.numpy(gradient)) for gradient in gradients)
    assert not np.any(framework.numpy(losslab.LinearCrossEntropy(**parameters)(*arrays)))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "none"])
def test_an_empty_batch(framework, dtype, reduction):
    hidden, labels = framework.array(np.zeros((0, WIDTH), dtype)), framework.array(np.zeros(0, int))
    weight, bias = framework.array(WEIGHT.astype(dtype)), framework.array(BIAS.astype(dtype))
    value, gradients = losslab.LinearCrossEntropy(reduction=reduction).value_and_grad(hidden, weight, labels, bias)
    assert framework.numpy(value).shape == ((0,) if reduction == "none" else ())
    assert not np.any(framework.numpy(value))
    assert [gradient.shape for gradient in gradients] == [(0, WIDTH), (CLASSES, WIDTH), (CLASSES,)]
    assert not any(np.any(framework.numpy(gradient)) for gradient in gradients)


def test_a_single_token(framework, dtype):
    arrays = [framework.array(x) for x in (HIDDEN[0, 0].astype(dtype), WEIGHT.astype(dtype), LABELS[0, 0])]
    want = expected({"reduction": "none"})[0][0, 0]
    close(framework.numpy(losslab.linear_cross_entropy(*arrays)), want, TOLERANCE[dtype], "value")


@pytest.mark.parametrize("dtype", ["float32"], indirect=True)
@pytest.mark.parametrize(
    ("framework", "name"),
    [(name, half) for name in ("numpy", "torch", "jax") for half in FRAMEWORKS[name].half],
    indirect=["framework"],
)
def test_half_precision_is_computed_and_returned_in_float32(framework, dtype, name):
    """Up to the rounding of the products, which are of the dtype of hidden; gradients have the dtypes of the inputs."""
    hidden, weight = (framework.cast(framework.array(x.astype("float32")), name) for x in (HIDDEN, WEIGHT))
    loss = losslab.LinearCrossEntropy()
    rounded = [framework.numpy(framework.cast(x, "float32")) for x in (hidden, weight)]
    want, wanted = loss.value_and_grad(*(x.astype("float64") for x in rounded), LABELS)
    value, gradients = loss.value_and_grad(hidden, weight, framework.array(LABELS))
    assert framework.dtype(value) == framework.dtype(loss(hidden, weight, framework.array(LABELS))) == "float32"
    close(framework.numpy(value), want, 1e-2, "value")
    for got, exact in zip(gradients[:2], wanted[:2], strict=True):
        assert framework.dtype(got) == name
        close(framework.numpy(framework.cast(got, "float32")), exact, 2e-2, "gradient")


def test_masked_classes_have_no_part(framework, dtype):
    """A bias of -inf, as padding of a vocabulary is masked: no gradient, no NaN."""
    bias = np.where(np.arange(CLASSES) < 8, 0.0, -np.inf)
    (hidden, weight, labels, bias, _), _ = placed(framework, dtype, {"labels": LABELS % 8, "bias": bias})
    value, (d_hidden, d_weight, _) = losslab.LinearCrossEntropy().value_and_grad(hidden, weight, labels, bias)
    fewer = losslab.LinearCrossEntropy().value_and_grad(hidden, weight[:8], labels)
    close(framework.numpy(value), framework.numpy(fewer[0]), TOLERANCE[dtype], "value")
    close(framework.numpy(d_hidden), framework.numpy(fewer[1][0]), TOLERANCE[dtype], "hidden")
    assert not np.any(framework.numpy(d_weight)[8:])


def test_large_logits(framework, dtype):
    """±1e4: the right label costs nothing, a wrong one the distance; nothing overflows."""
    hidden, weight = np.array([[1e4], [1e4]], dtype), np.array([[1.0], [-1.0], [0.0]], dtype)
    arrays = [framework.array(x) for x in (hidden, weight, np.array([0, 1]))]
    loss = losslab.LinearCrossEntropy(reduction="none")
    assert framework.numpy(loss(*arrays)).tolist() == [0.0, 2e4]
    _, (d_hidden, d_weight, _) = loss.value_and_grad(*arrays)
    assert framework.numpy(d_hidden).tolist() == [[0.0], [2.0]]
    assert framework.numpy(d_weight).tolist() == [[1e4], [-1e4], [0.0]]


def test_inputs_are_never_written_to(framework, dtype):
    arrays, parameters = placed(framework, dtype, ALL)
    before = [framework.numpy(x).copy() for x in arrays]
    losslab.LinearCrossEntropy(**parameters).value_and_grad(*arrays)
    losslab.LinearCrossEntropy(**parameters)(*arrays)
    assert all(np.array_equal(framework.numpy(x), old) for x, old in zip(arrays, before, strict=True))


# What it refuses


ZEROS = np.zeros(SHAPE, int)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT.T, ZEROS),
            ValueError,
            "hidden has shape (3, 5, 4) and weight (4, 11), but hidden @ weight.T is taken: give weight.T",
        ),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT[0], ZEROS),
            ValueError,
            "weight (4,), but hidden @ weight.T is taken: weight is (classes, features)",
        ),
        (lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT[:0], ZEROS), ValueError, "weight (0, 4)"),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS.T),
            ValueError,
            "labels have shape (5, 3) and hidden (3, 5, 4): give one class id per token, (3, 5)",
        ),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS, BIAS[1:]),
            ValueError,
            "bias has shape (10,), but weight has 11 classes",
        ),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS - 100),
            ValueError,
            "class id -100 in labels is out of range for 11 classes: ids are whole numbers from 0 to 10; "
            "ignore_class=-100 would remove its tokens",
        ),
        (lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS + 11), ValueError, "class id 11 in labels"),
        (lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS + 0.5), ValueError, "class id 0.5 in labels"),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS, sample_weight=[1, 2]),
            ValueError,
            "sample_weight has shape (2,) but the per-sample values have shape (3, 5)",
        ),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS, class_weight=[1.0, 2.0]),
            ValueError,
            "class_weight has 2 numbers, but there are 11 classes",
        ),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS, class_weight={11: 2.0}),
            ValueError,
            "class_weight names class 11, but there are 11 classes",
        ),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS, reduction="none", normalizer=3),
            ValueError,
            "normalizer= needs a reduction",
        ),
        (
            lambda: losslab.linear_cross_entropy(HIDDEN, WEIGHT, ZEROS, normalizer=[1, 2]),
            ValueError,
            "normalizer must be one number",
        ),
        (lambda: losslab.linear_cross_entropy(HIDDEN, torch.tensor(WEIGHT), jnp_zeros()), TypeError, "in one call"),
        (lambda: losslab.linear_cross_entropy(tf_zeros(), WEIGHT, ZEROS), TypeError, "got tensorflow tensors"),
        (lambda: losslab.LinearCrossEntropy(label_smoothing=2), ValueError, "a number >= 0 and <= 1, got 2"),
        (lambda: losslab.LinearCrossEntropy(softcap=0), ValueError, "softcap must be a number > 0 or None"),
        (lambda: losslab.LinearCrossEntropy(temperature=0), ValueError, "temperature must be a number > 0, got 0"),
        (lambda: losslab.LinearCrossEntropy(z_loss=-1), ValueError, "z_loss must be a number >= 0, got -1"),
        (lambda: losslab.LinearCrossEntropy(zloss=1), TypeError, "did you mean 'z_loss'"),
        (lambda: losslab.LinearCrossEntropy(reduction="avg"), ValueError, "must be one of 'sum_over_batch_size'"),
        (lambda: losslab.LinearCrossEntropy(ignore_class=1.5), (TypeError, ValueError), "ignore_class must be"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def jnp_zeros():
    return pytest.importorskip("jax.numpy", reason="jax is not installed").zeros(SHAPE, int)


def tf_zeros():
    return pytest.importorskip("tensorflow", reason="tensorflow is not installed").zeros((*SHAPE, WIDTH))


# The object


def test_the_object_is_a_value():
    loss = losslab.LinearCrossEntropy(softcap=30, class_weight=[1, 2], reduction=None)
    assert loss == losslab.LinearCrossEntropy.from_config(loss.get_config()) == pickle.loads(pickle.dumps(loss))
    assert eval(repr(loss), {"LinearCrossEntropy": losslab.LinearCrossEntropy}) == loss
    assert hash(loss) == hash(loss.replace())
    assert loss != loss.replace(z_loss=1e-4)
    assert (loss.softcap, loss.reduction, loss.name) == (30.0, "none", "linear_cross_entropy")
    with pytest.raises(AttributeError, match="immutable"):
        loss.softcap = 20.0
