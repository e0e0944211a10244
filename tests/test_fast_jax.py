"""The driver of JAX against the composed formula: values, gradients, errors, what is compiled and how often."""

import functools
import gc
import logging
import os
import types

import numpy as np
import pytest

import losslab
from losslab.testing import FRAMEWORKS, Case, close

from .catalogue import DEFAULTS, LOSSES, dtypes

jax = pytest.importorskip("jax", reason="jax is not installed")
jnp = jax.numpy

from losslab._fast import _jax, _jax_blocks, _kept  # noqa: E402
from losslab._fast._formula import is_formula  # noqa: E402
from losslab._fast._jax import JaxDriver  # noqa: E402
from losslab._fast.blocks import is_blockwise  # noqa: E402
from losslab._ops._jax import JAX  # noqa: E402

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
FORMULAS = [loss for loss in LOSSES if is_formula(loss)]
EAGER = JaxDriver(few=1)


@pytest.fixture(autouse=True)
def _whatever_was_compiled_before(request, monkeypatch):
    """Other tests of the process have compiled losses of the same classes, up to the most that are kept."""
    if "changes_at_every_step" not in request.node.name:
        monkeypatch.setattr(_kept, "_MOST", 1 << 20)


def options(case, rows):
    """Weights with a zero, a mask and a divisor: weight, mask, normalizer."""
    weight, mask = np.linspace(0.0, 2.0, rows).astype(case.dtype), np.arange(rows) != 1
    return jnp.asarray(weight), jnp.asarray(mask), None if case.loss.reduction == "none" else 8


def composed_gradient(loss, y, p, given=(None, None, None)):
    return jax.jit(jax.grad(lambda x: loss._composed(JAX, y, x, *given, {}).sum()))(p)


def same(actual, expected, dtype, what):
    assert actual is not None, f"{what}: not compiled"
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype}, expected {expected.dtype}"
    close(actual, expected, TOLERANCE[dtype], what)


@pytest.mark.parametrize(("loss", "dtype"), [(loss, dtype) for loss in FORMULAS for dtype in dtypes(loss)], ids=repr)
def test_it_equals_the_composed_formula(loss, dtype):
    with jax.enable_x64(dtype == "float64"):
        case = Case(loss, FRAMEWORKS["jax"], dtype)
        y, p = case.arrays(*case.draw(seed=3))
        given = options(case, len(p))
        expected = loss._composed(JAX, y, p, *given, {})
        value, gradient = EAGER.value_and_grad(loss, y, p, *given, {})
        assert compiled(loss, "_gradient", EAGER) is not None
        same(value, expected, dtype, f"{case}, with its gradient")
        same(gradient, composed_gradient(loss, y, p, given), dtype, f"{case}, gradient")
        same(EAGER.reduced(loss, y, p, *given, {}), expected, dtype, str(case))
        if loss not in DEFAULTS:
            return
        values = EAGER.per_sample(loss, y, p, {})
        same(values, loss._composed_per_sample(JAX, y, p, {}), dtype, f"{case}, per sample")


SPARSE = losslab.SparseCategoricalCrossentropy(from_logits=True)
Z = np.random.default_rng(0).normal(size=(32, 10)).astype("float32")
IDS = np.arange(32) % 10


def compiled(loss, form="_reduced", driver=_jax.DRIVER):
    """The jitted function that the driver keeps for a loss."""
    return getattr(driver, form)._compiled.of(loss)


@pytest.mark.parametrize("labels", [IDS, IDS.tolist(), IDS[:, None], IDS.astype("float64"), IDS.astype("uint8")])
def test_labels_of_every_kind_are_compiled(labels):
    loss = SPARSE.replace(name=f"labels of {type(labels)} and {np.shape(labels)} and {np.asarray(labels).dtype}")
    value = loss(labels, jnp.asarray(Z), sample_weight=2, mask=[True] * 32)
    assert value == pytest.approx(2 * float(SPARSE(IDS, Z)), rel=1e-6)
    assert compiled(loss)._cache_size() == 1


def test_equal_losses_compile_once():
    y, p = jnp.asarray(IDS), jnp.asarray(Z)
    for _ in range(3):
        loss = losslab.SparseCategoricalCrossentropy(from_logits=True, name="once")
        loss(y, p)
        loss.value_and_grad(y, p)
        jax.grad(loss, argnums=1)(y, p)
    assert compiled(loss)._cache_size() == 1
    assert compiled(loss, "_gradient")._cache_size() == 1


def compilations(caplog, call):
    """How many programs JAX compiles during a call."""
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        jax.block_until_ready(call())
    return sum("Finished XLA compilation" in record.message for record in caplog.records)


def test_an_eager_gradient_of_ctc_compiles_once(caplog):
    y, p = jnp.array([[1, 2, 3]] * 4), jnp.zeros((4, 7, 5))
    gradient = functools.partial(jax.grad(losslab.CTC(), argnums=1), y, p)
    assert compilations(caplog, gradient) > 0
    assert compilations(caplog, gradient) == 0


def test_few_predictions_are_not_compiled():
    loss = losslab.MeanSquaredError(name="few")
    assert loss(jnp.zeros(7), jnp.ones(7)) == 1.0
    assert compiled(loss)._cache_size() == 0


WRONG = {
    "an id out of range": (SPARSE, (IDS + 1, Z), {}),
    "a negative id": (SPARSE, (IDS - 1, Z), {}),
    "a fraction": (SPARSE, (IDS + 0.5, Z), {}),
    "NaN for an id": (SPARSE, (np.where(IDS == 3, np.nan, IDS), Z), {}),
    "an ignored class and a wrong id": (SPARSE.replace(ignore_class=255), (np.where(IDS == 3, 255, IDS + 1), Z), {}),
    "one-hot rows": (SPARSE, (Z, Z), {}),
    "ids for rows": (losslab.CategoricalCrossentropy(), (IDS, Z), {}),
    "shapes that would broadcast": (losslab.Huber(), (Z[:1], Z), {}),
    "weights of another shape": (losslab.Huber(), (Z, Z), {"sample_weight": np.ones(7)}),
    "a normalizer of several numbers": (losslab.Huber(), (Z, Z), {"normalizer": np.ones(7)}),
    "a normalizer that divides nothing": (losslab.Huber(reduction="none"), (Z, Z), {"normalizer": 7}),
    "text": (losslab.Huber(), (Z.astype(str), Z), {}),
    "complex numbers": (losslab.Huber(), (Z, Z + 1j), {}),
    "class weights for other classes": (SPARSE.replace(class_weight=[1.0, 2.0]), (IDS, Z), {}),
    "labels beyond the classes": (losslab.CTC(), (np.full((4, 3), 9), np.zeros((4, 7, 5))), {}),
    "a length beyond the labels": (
        losslab.CTC(),
        (np.full((4, 3), 2), np.zeros((4, 7, 5))),
        {"label_length": [1, 2, 3, 4]},
    ),
    "a length beyond the frames": (
        losslab.CTC(),
        (np.full((4, 3), 2), np.zeros((4, 7, 5))),
        {"logit_length": [7, 7, 8, 7]},
    ),
}


def refusal(call):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_the_same_words(what):
    loss, (y, p), given = WRONG[what]
    y, p = (x if x.dtype.kind == "U" else jnp.asarray(x) for x in (y, p))
    first = given.get("sample_weight"), None, given.get("normalizer")
    data = {name: x for name, x in given.items() if name.endswith("length")}
    expected = refusal(lambda: loss._composed(JAX, y, p, *first, data))
    assert refusal(lambda: loss(y, p, **given)) == expected
    assert refusal(lambda: loss.value_and_grad(y, p, **given)) == expected
    assert compiled(loss) is not None, "wrong arguments are no reason to give up on a loss"


def test_wrong_labels_may_be_masked():
    y, p = np.where(IDS == 3, -100, IDS), jnp.asarray(Z)
    assert SPARSE(y, p, mask=y >= 0) == pytest.approx(float(SPARSE(y, Z, mask=y >= 0)), rel=1e-6)
    ignoring = SPARSE.replace(ignore_class=-100, name="ignoring")
    assert ignoring(y, p) == pytest.approx(float(SPARSE(y, Z, mask=y >= 0)), rel=1e-6)
    assert compiled(ignoring)._cache_size() == 1


def test_padded_sequences_are_compiled():
    loss = losslab.CTC(name="padded")
    y, p = np.array([[1, 2, -1], [3, -1, -1]] * 8), jnp.asarray(np.random.default_rng(0).normal(size=(16, 6, 5)))
    value = loss(y, p, label_length=[2, 1] * 8, logit_length=jnp.array([6, 3] * 8))
    expected = loss._composed(JAX, y, p, None, None, None, {"label_length": [2, 1] * 8, "logit_length": [6, 3] * 8})
    assert value == pytest.approx(float(expected), rel=1e-6)
    assert compiled(loss)._cache_size() == 1


# Transformations


def test_transformations_go_through():
    loss, y, p = losslab.LogCosh(), jnp.asarray(Z), jnp.asarray(Z[::-1])
    slope = jnp.tanh(p - y) / p.size
    close(jax.grad(loss, argnums=1)(y, p), slope, 1e-6, "eager gradient")
    close(jax.jit(jax.grad(loss, argnums=1))(y, p), slope, 1e-6, "jitted gradient")
    close(jax.grad(loss, argnums=0)(y, p), -slope, 1e-6, "gradient of the labels")
    _, tangent = jax.jvp(lambda p: loss(y, p), (p,), (slope,))
    close(tangent, (slope * slope).sum(), 1e-6, "forward mode")
    _, product = jax.jvp(jax.grad(loss, argnums=1), (y, p), (jnp.zeros_like(y), jnp.ones_like(p)))
    close(product, (1 - jnp.tanh(p - y) ** 2) / p.size, 1e-5, "Hessian times a vector")
    hessian = jax.hessian(loss, argnums=1)(y[:3], p[:3])
    close(jnp.einsum("ijij->ij", hessian), (1 - jnp.tanh(p[:3] - y[:3]) ** 2) / 30, 1e-5, "Hessian")
    close(jax.grad(jax.checkpoint(loss), argnums=1)(y, p), slope, 1e-6, "checkpoint")
    mapped = jax.vmap(jax.grad(loss, argnums=1))(jnp.stack([y, y]), jnp.stack([p, y]))
    close(mapped, jnp.stack([slope, jnp.zeros_like(slope)]), 1e-6, "vmap")
    with jax.disable_jit():
        assert loss(y, p) == pytest.approx(float(loss(Z, Z[::-1])), rel=1e-6)


def test_it_runs_inside_shard_map():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), "batch")
    spec = jax.sharding.PartitionSpec("batch")
    loss = losslab.Huber(reduction="none")
    sharded = jax.shard_map(loss, mesh=mesh, in_specs=(spec, spec), out_specs=spec)
    close(sharded(Z, Z[::-1].copy()), loss(Z, Z[::-1]), 1e-6, "shard_map")


def test_wrong_ids_are_nan_where_they_cannot_be_looked_at():
    values = jax.jit(SPARSE.replace(reduction="none"))(IDS - 1, Z)
    assert np.array_equal(np.isnan(values), IDS == 0)


def test_the_width_of_floats_may_change():
    loss = losslab.Huber(name="of both widths")
    assert loss(Z, jnp.asarray(Z)).dtype == jnp.float32
    with jax.enable_x64(True):
        assert loss(Z, jnp.asarray(Z, "float64")).dtype == jnp.float64
        assert loss.value_and_grad(Z, jnp.asarray(Z, "float64"))[1].dtype == jnp.float64
    assert loss(Z, jnp.asarray(Z)).dtype == jnp.float32


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_has_a_gradient_in_half_precision(half):
    value, gradient = losslab.Huber().value_and_grad(Z, jnp.asarray(Z[::-1], half))
    assert (value.dtype, gradient.dtype) == (jnp.float32, jnp.dtype(half))


def test_predictions_that_are_no_floats_have_a_gradient():
    value, gradient = losslab.MeanSquaredError().value_and_grad(jnp.zeros(4), [1, 2, 3, 4])
    assert value == 7.5
    assert gradient.tolist() == [0.5, 1.0, 1.5, 2.0]


def test_none_has_the_gradient_of_the_sum():
    values, gradient = losslab.MeanSquaredError(reduction="none").value_and_grad(jnp.zeros((2, 2)), jnp.ones((2, 2)))
    assert values.tolist() == [1.0, 1.0]
    assert gradient.tolist() == [[1.0, 1.0]] * 2


# Losses of one's own

NOTEBOOK = """
import types

import losslab

scale = 2.0
table = [2.0]

def helper(e):
    return scale * e

class Settings:
    factor = 1.0

settings = types.ModuleType("settings")
settings.factor = 1.0

class Own(losslab.ElementLoss):
    power = 1.0

    def formula(self, ops, y_true, y_pred):
        return self.power * helper(ops.square(y_pred - y_true)) * settings.factor * Settings.factor

class Listed(losslab.ElementLoss):
    def formula(self, ops, y_true, y_pred):
        return table[0] * ops.square(y_pred - y_true)

class Looking(losslab.ElementLoss):
    def formula(self, ops, y_true, y_pred):
        return ops.square(y_pred - y_true) if float(ops.max(y_pred, axis=None)) < 5 else ops.abs(y_pred - y_true)
"""


@pytest.fixture
def notebook():
    module = types.ModuleType("notebook")
    module.run = lambda cell: exec(cell, vars(module))
    module.run(NOTEBOOK)
    return module


ONES = np.zeros(64, "float32"), jnp.ones(64)


@pytest.mark.parametrize(
    ("cell", "factor"),
    [
        ("scale = 3.0", 3.0),
        ("def helper(e):\n    return 5.0 * e", 5.0),
        ("Own.power = 7.0", 14.0),
        ("settings.factor = 3.0", 6.0),
        ("Settings.factor = 4.0", 8.0),
        ("Own.formula = lambda self, ops, y_true, y_pred: 0.5 * ops.abs(y_pred - y_true)", 0.5),
        ("helper.__code__ = (lambda e: 4.0 * e).__code__", 4.0),
    ],
)
def test_what_a_notebook_defines_anew_is_seen(notebook, cell, factor):
    loss = notebook.Own()
    assert loss(*ONES) == 2.0
    assert compiled(loss)._cache_size() == 1
    notebook.run(cell)
    assert loss(*ONES) == factor
    assert loss.value_and_grad(*ONES)[0] == factor
    assert compiled(loss)._cache_size() == 1


def test_what_can_change_unseen_is_not_compiled(notebook):
    loss = notebook.Listed()
    assert loss(*ONES) == 2.0
    notebook.table[0] = 3.0
    assert loss(*ONES) == 3.0
    assert loss.value_and_grad(*ONES)[0] == 3.0
    assert compiled(loss) is None

    class Own(losslab.ElementLoss):
        def __init__(self, factors):
            self.factors = factors

        def formula(self, ops, y_true, y_pred):
            return self.factors[0] * ops.square(y_pred - y_true)

    factors = [2.0]
    loss = Own(factors)
    assert loss(*ONES) == 2.0
    factors[0] = 3.0
    assert loss(*ONES) == 3.0


def test_a_closure_is_seen():
    factor = 2.0

    class Own(losslab.ElementLoss):
        def formula(self, ops, y_true, y_pred):
            return super().formula(ops, y_true, y_pred) if factor < 0 else factor * ops.square(y_pred - y_true)

    assert Own()(*ONES) == 2.0
    factor = 3.0
    assert Own()(*ONES) == 3.0
    assert compiled(Own()) is not None


def test_a_formula_that_looks_at_values_stays_composed(notebook):
    loss = notebook.Looking()
    assert loss(np.zeros(64), jnp.full(64, 2.0)) == 4.0
    assert loss(np.zeros(64), jnp.full(64, 8.0)) == 8.0
    assert compiled(loss) is None
    with pytest.raises(jax.errors.ConcretizationTypeError):  # JAX itself lets nothing look within a gradient
        loss.value_and_grad(np.zeros(64), jnp.full(64, 2.0))


def test_a_loss_with_call_is_python_of_its_own():
    loss = losslab.LossFunctionWrapper(lambda y_true, y_pred: abs(y_pred - y_true) * float(y_pred.sum() > 0))
    assert loss(*ONES) == 1.0
    value, gradient = loss.value_and_grad(*ONES)
    assert value == 1.0
    close(gradient, jnp.full(64, 1 / 64), 1e-6, "gradient")


def test_a_parameter_that_changes_at_every_step_is_not_compiled_for_ever():
    kept = EAGER._reduced._compiled
    for step in range(1, _kept._MOST + 40):
        value = EAGER.reduced(losslab.Quantile(quantile=step / 1000), np.zeros(2), jnp.ones(2), None, None, None, {})
        assert value is None or value == pytest.approx(1 - step / 1000)
    assert len(kept._made[losslab.Quantile]) == _kept._MOST
    gc.collect()
    assert not any(isinstance(ref(), losslab.Quantile) for ref, made in kept._of_object.values() if made is None)


# Blocks


@pytest.fixture
def in_blocks(monkeypatch):
    """A driver that computes in blocks of a few numbers."""
    monkeypatch.setattr(_jax_blocks, "_LARGE", 1)
    monkeypatch.setattr(_jax_blocks, "_BLOCK", 11)
    return JaxDriver(few=1)


BLOCKWISE = [loss for loss in FORMULAS if is_blockwise(loss) and loss.reduction != "none"]


@pytest.mark.parametrize("loss", BLOCKWISE, ids=repr)
def test_blocks_equal_the_whole(loss, in_blocks):
    with jax.enable_x64(True):
        case = Case(loss, FRAMEWORKS["jax"], "float64")
        y, p = case.arrays(*case.draw(seed=5))
        given = options(case, len(p))
        assert _jax_blocks.pays(loss, y, p)
        expected = loss._composed(JAX, y, p, *given, {})
        same(in_blocks.reduced(loss, y, p, *given, {}), expected, "float64", f"{case}, value alone")
        value, gradient = in_blocks.value_and_grad(loss, y, p, *given, {})
        assert compiled(loss, "_gradient", in_blocks) is not None
        same(value, expected, "float64", str(case))
        same(gradient, composed_gradient(loss, y, p, given), "float64", f"{case}, gradient")


def blocks_are_exact(driver, loss, weight, mask):
    with jax.enable_x64(True):
        y = jnp.array([[0.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]])
        p = jnp.array([[0.3, -2.0], [jnp.nan, 1.0], [3.0, jnp.nan]])
        given = weight, mask, None
        value, gradient = driver.value_and_grad(loss, y, p, *given, {})
        np.testing.assert_allclose(value, loss._composed(JAX, y, p, *given, {}), 1e-12)
        np.testing.assert_allclose(gradient, composed_gradient(loss, y, p, given), 1e-12, 1e-15)
        assert compiled(loss, "_gradient", driver) is not None


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight"])
@pytest.mark.parametrize(
    "weight", [None, 2.0, np.array([1.0, 0.0, 3.0]), np.ones((3, 1)), np.zeros(3), [1, -1, 0], [1, -1, 1]]
)
@pytest.mark.parametrize("mask", [None, [True, False, True], [False] * 3])
def test_blocks_with_every_argument(in_blocks, reduction, weight, mask):
    loss = losslab.BinaryCrossentropy(from_logits=True, ignore_class=-1, reduction=reduction)
    blocks_are_exact(in_blocks, loss, weight, mask)


@pytest.mark.parametrize("mask", [[True, False, False], [True, True, False], [False] * 3])
def test_blocks_with_a_mask_alone(in_blocks, mask):
    blocks_are_exact(in_blocks, losslab.Huber(), None, mask)


@pytest.mark.parametrize("shape", [(23,), (23, 1), (5, 7), (2, 3, 4), (1, 40), (40, 1)])
@pytest.mark.parametrize("half", ["float16", "float32"])
def test_blocks_of_every_shape(in_blocks, shape, half):
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=shape).astype("float32"), jnp.asarray(rng.normal(size=shape), half)
    loss = losslab.Huber()
    value, gradient = in_blocks.value_and_grad(loss, y, p, None, None, None, {})
    same(value, loss._composed(JAX, y, p, None, None, None, {}), "float32", f"{shape}")
    assert compiled(loss, "_gradient", in_blocks) is not None
    expected = composed_gradient(loss, y, p)
    assert gradient.dtype == expected.dtype
    close(gradient.astype("float32"), expected.astype("float32"), 1e-6 if half == "float32" else 1e-3, f"{shape}")


def test_wrong_ids_in_blocks_are_nan(in_blocks):
    traced = jax.jit(lambda y, p: in_blocks.value_and_grad(SPARSE, y, p, None, None, None, {}))
    value, gradient = traced(IDS - 1, Z)
    assert np.isnan(value)
    close(gradient, jax.jit(composed_gradient, static_argnums=0)(SPARSE, IDS - 1, Z), 1e-6, "gradient")


DERIVATIVES = {
    "of the predictions": lambda f: jax.grad(f, argnums=1),
    "of everything": lambda f: jax.grad(f, argnums=(0, 1, 2)),
    "forward": lambda f: lambda *x: jax.jvp(f, x, x),
    "Hessian times a vector": lambda f: lambda *x: jax.jvp(jax.grad(f, argnums=1), x, x),
    "of a gradient's length": lambda f: jax.grad(lambda *x: (jax.grad(f, argnums=1)(*x) ** 2).sum(), argnums=(0, 1, 2)),
    "vmap": lambda f: lambda *x: jax.vmap(jax.grad(f, argnums=1))(*(jnp.stack([each, each]) for each in x)),
    "Hessian": lambda f: lambda *x: jax.hessian(f, argnums=1)(*(each[:2] for each in x)),
    "checkpoint": lambda f: jax.grad(jax.checkpoint(f), argnums=1),
}


@pytest.mark.parametrize("what", DERIVATIVES)
def test_blocks_have_derivatives_of_every_kind(in_blocks, what):
    loss = losslab.LogCosh()
    with jax.enable_x64(True):
        arrays = jnp.asarray(Z[:9], "float64"), jnp.asarray(Z[-9:], "float64"), jnp.linspace(0.5, 2.0, 9)

        def fast(y, p, w):
            return in_blocks.reduced(loss, y, p, w, None, None, {})

        def again(y, p, w):
            value, slope = in_blocks.value_and_grad(loss, y, p, w, None, None, {})
            return value + (slope**2).sum()

        def plain(y, p, w):
            return loss._composed(JAX, y, p, w, None, None, {})

        def plain_again(y, p, w):
            return plain(y, p, w) + (jax.grad(plain, argnums=1)(y, p, w) ** 2).sum()

        for function, reference in ((fast, plain), (again, plain_again)):
            results = (jax.tree.leaves(jax.jit(DERIVATIVES[what](f))(*arrays)) for f in (function, reference))
            for actual, expected in zip(*results, strict=True):
                same(actual, expected, "float64", what)
        assert compiled(loss, "_reduced", in_blocks) is not None
        assert compiled(loss, "_gradient", in_blocks) is not None


def test_blocks_keep_the_temporaries_small():
    loss = losslab.BinaryFocalCrossentropy(from_logits=True)
    y, p = jnp.zeros((1 << 14, 1 << 8)), jnp.ones((1 << 14, 1 << 8))
    assert _jax_blocks.pays(loss, y, p)

    def temporaries(form):
        program = jax.jit(form).lower(y, p).compile()
        return program.memory_analysis().temp_size_in_bytes

    plain = jax.value_and_grad(lambda y, p: loss._composed(JAX, y, p, None, None, None, {}), argnums=1)
    assert temporaries(loss.value_and_grad) < 0.2 * temporaries(plain)


def test_several_devices_share_their_own_way(in_blocks, monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 4)
    assert not _jax_blocks.pays(losslab.Huber(), Z, Z)


@pytest.mark.skipif(bool(os.environ.get("XLA_FLAGS")), reason="XLA was told to optimize less")
@pytest.mark.parametrize("loss", [SPARSE, losslab.SparseCategoricalFocalCrossentropy(from_logits=True)], ids=repr)
def test_of_class_ids_nothing_is_kept_but_the_gradient(loss):
    """The label's logit is looked up before the softmax: XLA need not write what it computes for all classes."""
    p = jnp.zeros((64, 4000), "float32")
    step = jax.jit(jax.value_and_grad(lambda x: loss(jnp.zeros(64, int), x)))
    plan = step.lower(p).compile().memory_analysis()
    assert plan.temp_size_in_bytes + plan.output_size_in_bytes < 1.5 * p.nbytes


def test_a_formula_on_ids_that_is_no_graph_is_evaluated_as_it_stands():
    class Ranked(losslab.RowLoss):
        targets = losslab.domains.CLASS_ID

        def formula(self, ops, y_true, y_pred):
            return ops.take(y_pred, y_true) - ops.squeeze(ops.sort(y_pred)[:, :1])

    expected = Z[np.arange(32), IDS] - Z.min(axis=1)
    np.testing.assert_allclose(Ranked(reduction="none")(IDS, jnp.asarray(Z)), expected, rtol=1e-6)
