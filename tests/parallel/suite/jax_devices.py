"""Run by test_jax.py with four devices: the losses on a mesh of two or four against the loss of the whole batch."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

import losslab.parallel
from losslab import parallel
from losslab._linear import _jax

from . import reference
from .reference import CLASSES, OPTIONS, REDUCTIONS, drawn

HIDDEN, MATRIX, BIAS, LABELS, WEIGHT, UPSTREAM = drawn(0)
LOGITS = HIDDEN @ MATRIX.T + BIAS
TOLERANCE = {"float64": 1e-12, "float32": 2e-6}

EVERYTHING = OPTIONS["everything"]

# Devices, columns on each: two evenly, two and four with padding at the end, four of which the last has padding alone
LAYOUTS = [(2, 5), (2, 7), (4, 3), (4, 4)]


def mesh_of(count, mode=AxisType.Auto):
    return jax.make_mesh((count,), ("tp",), axis_types=(mode,), devices=jax.devices()[:count])


def padded(array, columns, axis, fill=np.nan):
    """More classes at the end, of garbage: they must not count."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, columns - array.shape[axis])
    return np.pad(array, widths, constant_values=fill)


def close(actual, expected, dtype, what):
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected)
    assert actual.shape == expected.shape, what
    error = np.abs(actual - expected).max(initial=0.0) / np.abs(expected).max(initial=1.0)
    assert error <= TOLERANCE[dtype], f"{what}: off by {error:.2g}"


def losses(layout, checked, specs, call):
    """The loss and its gradients with respect to arrays that are laid out by these specs; compiled as one function."""
    mapped = jax.shard_map(call, mesh=mesh_of(layout[0]), in_specs=specs, out_specs=P(), check_vma=checked)

    def both(upstream, *arrays):
        value, pull = jax.vjp(mapped, *arrays)
        return value, *pull(jnp.broadcast_to(upstream, value.shape).astype(value.dtype))

    return jax.jit(both)


def of_logits(layout, dtype, upstream=1.0, checked=True, labels=LABELS, logits=LOGITS, **options):
    """The loss and the gradient with respect to the logits on a mesh, without the padding's."""
    z = jnp.asarray(padded(logits, layout[0] * layout[1], 1), dtype)

    def call(z):
        return parallel.cross_entropy(labels, z, axis_name="tp", classes=CLASSES, **options)

    value, gradient = losses(layout, checked, P(None, "tp"), call)(upstream, z)
    assert not np.any(gradient[:, CLASSES:])
    return value, gradient[:, :CLASSES]


def of_hidden(layout, dtype, upstream=1.0, checked=True, labels=LABELS, hidden=HIDDEN, **options):
    """The loss and the gradients with respect to the hidden states, the weight and the bias on a mesh."""
    matrix, bias = (jnp.asarray(padded(x, layout[0] * layout[1], 0, fill=7.0), dtype) for x in (MATRIX, BIAS))

    def call(hidden, matrix, bias):
        return parallel.linear_cross_entropy(hidden, matrix, labels, bias, axis_name="tp", classes=CLASSES, **options)

    both = losses(layout, checked, (P(), P("tp"), P("tp")), call)
    value, hidden, matrix, bias = both(upstream, jnp.asarray(hidden, dtype), matrix, bias)
    return value, hidden, matrix[:CLASSES], bias[:CLASSES]


def check(layout, dtype, what, checked=True, **options):
    rounded = [np.asarray(x.astype(dtype), np.float64) for x in (LOGITS, HIDDEN, MATRIX, BIAS)]
    found = of_logits(layout, dtype, checked=checked, **options)
    for actual, expected in zip(found, reference.of_logits(rounded[0], LABELS, **options), strict=True):
        close(actual, expected, dtype, what)
    found = of_hidden(layout, dtype, checked=checked, **options)
    expected = reference.of_hidden(rounded[1], rounded[2], LABELS, rounded[3], **options)
    for actual, wanted in zip(found, expected, strict=True):
        close(actual, wanted, dtype, f"linear {what}")


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option(name):
    check((4, 3), "float64", name, upstream=-1.7, **OPTIONS[name])


@pytest.mark.parametrize("layout", LAYOUTS, ids="{0[0]} devices of {0[1]} columns".format)
def test_every_layout(layout):
    check(layout, "float32", "everything", upstream=0.3, **EVERYTHING)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_reduction_with_weights(name):
    upstream = UPSTREAM if name == "none" else 0.3
    check((2, 5), "float64", name, upstream=upstream, sample_weight=WEIGHT, **EVERYTHING, **REDUCTIONS[name])


@pytest.mark.parametrize("name", ["mean", "none"])
def test_without_check_vma(name):
    upstream = UPSTREAM if name == "none" else 0.3
    check((4, 3), "float64", name, checked=False, upstream=upstream, **EVERYTHING, **REDUCTIONS[name])


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_chunks_of_tokens_change_nothing(reduction, monkeypatch):
    monkeypatch.setattr(_jax, "_CPU_ROWS", (5, 5))
    check((4, 3), "float64", "chunks", upstream=0.7, reduction=reduction, **EVERYTHING)


def test_weights_and_normalizer_have_gradients():
    def losses(weight, normalizer, hidden, matrix):
        told = {"axis_name": "tp", "sample_weight": weight, "normalizer": normalizer}
        logits = parallel.cross_entropy(LABELS, hidden @ matrix.T, **told)
        return -1.7 * (logits + 2 * parallel.linear_cross_entropy(hidden, matrix, LABELS, **told))

    mapped = jax.shard_map(losses, mesh=mesh_of(2), in_specs=(P(), P(), P(), P("tp")), out_specs=P())
    weight, normalizer = jax.jit(jax.grad(mapped, argnums=(0, 1)))(WEIGHT, 5.0, HIDDEN, MATRIX)
    values = reference.of_logits(HIDDEN @ MATRIX.T, LABELS, reduction="none")[0]
    values = np.where(WEIGHT == 0, 0.0, values)
    close(weight, -1.7 * 3 * values / 5.0, "float64", "gradient of the weights")
    close(normalizer, 1.7 * 3 * np.sum(WEIGHT * values) / 25.0, "float64", "gradient of the normalizer")


@pytest.mark.parametrize("everything", [False, True])
def test_a_removed_row_may_hold_anything(everything):
    labels, logits, hidden = LABELS.copy(), LOGITS.copy(), HIDDEN.copy()
    removed = slice(None) if everything else slice(0, 2)
    labels[removed], logits[removed], hidden[removed] = -100, np.nan, np.inf
    options = {"ignore_class": -100, "z_loss": 0.1}
    found = (
        *of_logits((4, 3), "float64", labels=labels, logits=logits, **options),
        *of_hidden((4, 3), "float64", labels=labels, hidden=hidden, **options),
    )
    if everything:
        assert not any(np.any(each) for each in found)
        return
    expected = (
        *reference.of_logits(LOGITS, labels, **options),
        *reference.of_hidden(HIDDEN, MATRIX, labels, BIAS, **options),
    )
    for actual, wanted in zip(found, expected, strict=True):
        close(actual, wanted, "float64", "removed")


def test_a_label_out_of_range_makes_its_row_nan():
    labels = LABELS.copy()
    labels[3] = CLASSES
    values, *gradients = of_logits((4, 3), "float64", labels=labels, reduction="none")
    assert np.flatnonzero(np.isnan(values)).tolist() == [3]
    assert np.isfinite(gradients[0]).all()
    values, *gradients = of_hidden((4, 3), "float64", labels=labels, reduction="none")
    assert np.flatnonzero(np.isnan(values)).tolist() == [3]
    assert all(np.isfinite(each).all() for each in gradients)


def test_half_precision_is_computed_in_float32():
    rounded = jnp.asarray(LOGITS, jnp.bfloat16)
    value, gradient = of_logits((4, 3), "bfloat16", label_smoothing=0.1)
    assert value.dtype == jnp.float32
    assert gradient.dtype == jnp.bfloat16
    expected = reference.of_logits(np.asarray(rounded, np.float64), LABELS, label_smoothing=0.1)
    close(value, expected[0], "float32", "bfloat16")
    np.testing.assert_allclose(np.asarray(gradient, np.float64), expected[1], rtol=2**-7, atol=1e-6)
    rounded = [np.asarray(jnp.asarray(x, jnp.bfloat16), np.float64) for x in (HIDDEN, MATRIX, BIAS)]
    value, *gradients = of_hidden((4, 3), "bfloat16", label_smoothing=0.1)
    expected = reference.of_hidden(rounded[0], rounded[1], LABELS, rounded[2], label_smoothing=0.1)
    close(value, expected[0], "float32", "linear in bfloat16")
    for actual, wanted in zip(gradients, expected[1:], strict=True):
        np.testing.assert_allclose(np.asarray(actual, np.float64), wanted, atol=1e-2)


def collectives(call, *arrays):
    """(name, bytes that a device sends) of every collective in the compiled program."""
    text = jax.jit(call).lower(*arrays).compile().as_text()
    found = []
    for line in text.splitlines():
        match = re.search(r" = (.*?) (all-gather|all-reduce|reduce-scatter|all-to-all|collective-permute)\(", line)
        if match:
            shapes = re.findall(r"f(32|64)\[([\d,]*)\]", match[1])
            size = sum(int(bits) // 8 * int(np.prod([int(n) for n in dims.split(",") if n])) for bits, dims in shapes)
            found.append((match[2], size // jax.device_count() if match[2] == "all-gather" else size))
    return found


@pytest.mark.parametrize(("smoothing", "numbers"), [(0.0, 2), (0.1, 3)])
def test_what_is_sent(smoothing, numbers):
    """One all_gather of 3N floats forward, 2N without smoothing, and nothing backward; for hidden states N·D more."""
    rows, width = HIDDEN.shape
    mesh, told = mesh_of(4), {"axis_name": "tp", "classes": CLASSES, "label_smoothing": smoothing}
    z = jnp.asarray(padded(LOGITS, 12, 1, 0.0), "float32")
    arrays = jnp.asarray(HIDDEN, "float32"), jnp.asarray(padded(MATRIX, 12, 0, 0.0), "float32")

    def logits_loss(z):
        return parallel.cross_entropy(LABELS, z, **told)

    def linear_loss(hidden, weight):
        return parallel.linear_cross_entropy(hidden, weight, LABELS, **told)

    mapped = jax.shard_map(logits_loss, mesh=mesh, in_specs=P(None, "tp"), out_specs=P())
    assert collectives(jax.grad(mapped), z) == [("all-gather", numbers * rows * 4)]
    mapped = jax.shard_map(linear_loss, mesh=mesh, in_specs=(P(), P("tp")), out_specs=P())
    sent = collectives(jax.grad(mapped, argnums=(0, 1)), *arrays)
    assert sorted(sent) == [("all-gather", numbers * rows * 4), ("all-reduce", rows * width * 4)]


SHARDED = {
    "sparse": losslab.SparseCategoricalCrossentropy(from_logits=True),
    "sparse with everything": losslab.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=3, class_weight=tuple(np.linspace(0.5, 2.0, 1024)), label_smoothing=0.1
    ),
    "focal": losslab.SparseCategoricalFocalCrossentropy(from_logits=True),
    "one-hot": losslab.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
}


@pytest.mark.parametrize("mode", [AxisType.Auto, AxisType.Explicit], ids=["auto", "explicit"])
@pytest.mark.parametrize("name", SHARDED)
def test_jit_alone_splits_the_losses_of_the_catalogue(name, mode):
    """Logits that are sharded by their classes stay where they are: at most 12 floats a row are sent."""
    rows, classes, loss = 64, 1024, SHARDED[name]
    rng = np.random.default_rng(1)
    labels = rng.integers(0, classes, rows)
    labels[:4] = 0, 255, 256, classes - 1
    z = jnp.asarray(rng.normal(size=(rows, classes)), "float32")
    if name == "one-hot":
        labels = np.eye(classes, dtype="float32")[labels]
    expected = jax.value_and_grad(lambda z: loss(labels, z))(z)
    mesh = mesh_of(4, mode)
    sharded = jax.device_put(z, NamedSharding(mesh, P(None, "tp")))
    labels = jax.device_put(labels, NamedSharding(mesh, P(None, "tp") if name == "one-hot" else P()))
    step = jax.value_and_grad(lambda z, labels: loss(labels, z))
    value, gradient = jax.jit(step)(sharded, labels)
    np.testing.assert_allclose(value, expected[0], rtol=1e-6)
    np.testing.assert_allclose(gradient, expected[1], atol=1e-7)
    assert gradient.sharding.spec[1] == "tp"
    sent = collectives(step, sharded, labels)
    assert {name for name, _ in sent} == {"all-reduce"}
    assert sum(size for _, size in sent) <= 12 * rows * 4


def test_gradients_taken_inside_shard_map():
    def slopes(hidden, matrix, z):
        told = {"axis_name": "tp", "classes": CLASSES, "label_smoothing": 0.1}
        linear = jax.grad(lambda *arrays: parallel.linear_cross_entropy(*arrays, LABELS, **told), argnums=(0, 1))
        return *linear(hidden, matrix), jax.grad(lambda z: parallel.cross_entropy(LABELS, z, **told))(z)

    specs = (P(), P("tp"), P(None, "tp"))
    found = jax.jit(jax.shard_map(slopes, mesh=mesh_of(4), in_specs=specs, out_specs=specs))(
        HIDDEN, padded(MATRIX, 12, 0, 0.0), padded(LOGITS, 12, 1, 0.0)
    )
    hidden, matrix = reference.of_hidden(HIDDEN, MATRIX, LABELS, label_smoothing=0.1)[1:]
    close(found[0], hidden, "float64", "hidden")
    close(found[1][:CLASSES], matrix, "float64", "matrix")
    close(found[2][:, :CLASSES], reference.of_logits(LOGITS, LABELS, label_smoothing=0.1)[1], "float64", "logits")


@pytest.mark.parametrize("gradients", ["sum", "mean"])
def test_unequal_counts_on_a_mesh_of_two_dimensions(gradients):
    """Rows over one dimension, classes over the other: the gradients of the shared weight are those of the batch."""
    labels = np.where(np.arange(len(LABELS)) < 5, -1, LABELS)
    mesh = jax.make_mesh((2, 2), ("dp", "tp"), axis_types=(AxisType.Auto,) * 2)
    together = {"sum": jax.lax.psum, "mean": jax.lax.pmean}[gradients]

    def loss(hidden, matrix, labels):
        count = jnp.sum(labels != -1)
        normalizer = parallel.global_normalizer(count, gradients=gradients, axis_name="dp")
        own = parallel.linear_cross_entropy(
            hidden, matrix, labels, axis_name="tp", ignore_class=-1, normalizer=normalizer
        )
        return together(own, "dp")

    mapped = jax.shard_map(loss, mesh=mesh, in_specs=(P("dp"), P("tp"), P("dp")), out_specs=P())
    value, found = jax.jit(jax.value_and_grad(mapped, argnums=(0, 1)))(HIDDEN, MATRIX, labels)
    expected = reference.of_hidden(HIDDEN, MATRIX, labels, ignore_class=-1)
    for actual, wanted in zip((value, *found), expected, strict=True):
        close(actual, wanted, "float64", gradients)


def test_wrong_calls_say_what_is_wrong():
    mesh, z = mesh_of(4), jnp.zeros((2, 8))

    def call(spec, **options):
        def loss(z):
            return parallel.cross_entropy(np.array([0, 1]), z, **options)

        jax.shard_map(loss, mesh=mesh, in_specs=spec, out_specs=P())(z)

    with pytest.raises(TypeError, match="give axis_name="):
        call(P(None, "tp"))
    with pytest.raises(TypeError, match="give axis_name="):
        call(P(None, "tp"), axis_name="tp", group="tp")
    with pytest.raises(ValueError, match="first= is for PyTorch"):
        call(P(None, "tp"), axis_name="tp", first=0, classes=8)
    with pytest.raises(ValueError, match="there are at most 8"):
        call(P(None, "tp"), axis_name="tp", classes=9)
    with pytest.raises(ValueError, match=r"the same on all devices along 'tp'.*in_specs=P\(None, 'tp'\)"):
        call(P(), axis_name="tp")
