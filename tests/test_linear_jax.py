"""Linear cross-entropy on JAX: its transformations, and what is computed under them."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.test_util import check_grads

import losslab
from losslab._linear import _jax
from losslab.testing import close

TOKENS, WIDTH, CLASSES = 12, 4, 9
RNG = np.random.default_rng(0)
LABELS = np.where(np.arange(TOKENS) % 5 == 1, -100, RNG.integers(0, CLASSES, TOKENS))
MEAN = losslab.LinearCrossEntropy(ignore_class=-100)
NONE = MEAN.replace(reduction="none")
ALL = MEAN.replace(
    class_weight=np.linspace(0.5, 2, CLASSES), label_smoothing=0.1, softcap=3.0, temperature=0.8, z_loss=0.01
)


@pytest.fixture(autouse=True)
def _double_precision_in_small_chunks(monkeypatch):
    monkeypatch.setattr(_jax, "_CPU_ROWS", (5, 5))
    with jax.enable_x64(True):
        yield


def arrays():
    return tuple(jnp.asarray(np.random.default_rng(1).normal(size=(n, WIDTH))) for n in (TOKENS, CLASSES))


def ours(hidden, weight, labels=LABELS):
    return MEAN(hidden, weight, jnp.asarray(labels))


def optax_mean(hidden, weight, labels=LABELS):
    labels = jnp.asarray(labels)
    values = optax.softmax_cross_entropy_with_integer_labels(hidden @ weight.T, jnp.maximum(labels, 0))
    return jnp.sum(jnp.where(labels == -100, 0.0, values)) / jnp.sum(labels != -100)


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: f,
        jax.jit,
        lambda f: jax.grad(f, (0, 1)),
        lambda f: jax.jit(jax.grad(f, (0, 1))),
        lambda f: jax.hessian(f, (0, 1)),
        lambda f: jax.jacrev(jax.grad(f), 1),
        lambda f: lambda h, w: jax.vmap(f, (0, None, 0))(h.reshape(3, 4, -1), w, LABELS.reshape(3, 4)),
        lambda f: lambda h, w: jax.vmap(jax.grad(f, 1), (0, None, 0))(h.reshape(3, 4, -1), w, LABELS.reshape(3, 4)),
        lambda f: lambda h, w: jax.vmap(f, (None, None, 0))(h, w, np.stack([LABELS, LABELS[::-1]])),
    ],
    ids=["call", "jit", "grad", "jit grad", "hessian", "jacrev grad", "vmap", "vmap grad", "vmap of labels"],
)
def test_transformations(transform):
    got, want = jax.tree.leaves(transform(ours)(*arrays())), jax.tree.leaves(transform(optax_mean)(*arrays()))
    for ours_, theirs in zip(got, want, strict=True):
        close(np.asarray(ours_), np.asarray(theirs), 1e-12, "transformed")


@pytest.mark.parametrize("loss", [MEAN, ALL], ids=["mean", "all"])
def test_derivatives_against_differences(loss):
    """First and second, in reverse mode and forward over reverse."""
    check_grads(lambda h, w: jax.grad(loss, (0, 1))(h, w, jnp.asarray(LABELS)), arrays(), 1)
    check_grads(lambda h, w: loss(h, w, jnp.asarray(LABELS)), arrays(), 1, modes=["rev"])


def test_forward_mode_of_the_values_but_not_of_their_mean():
    hidden, weight = arrays()
    with pytest.raises((TypeError, ValueError)):  # JAX words its refusal by what it has compiled before
        jax.jvp(lambda h: ours(h, weight), (hidden,), (hidden,))
    got = jax.jvp(lambda h: NONE(h, weight, jnp.asarray(LABELS)).sum(), (hidden,), (hidden,))
    want = jax.jvp(lambda h: optax_mean(h, weight) * (LABELS != -100).sum(), (hidden,), (hidden,))
    close(np.asarray(got), np.asarray(want), 1e-12, "jvp")


def test_a_label_out_of_range_is_nan_alone_while_tracing():
    hidden, weight = arrays()
    labels = np.where(np.arange(TOKENS) == 3, CLASSES, LABELS)
    call = jax.jit(lambda h, w, y: jax.value_and_grad(lambda h: NONE(h, w, y).sum())(h))
    assert np.isnan(call(hidden, weight, labels)[0])
    values = jax.jit(lambda y: NONE(hidden, weight, y))(labels)
    assert np.isnan(values).tolist() == (np.arange(TOKENS) == 3).tolist()
    # the gradients are those of the other tokens, over all of them
    total = MEAN.replace(reduction="sum")
    want = total.value_and_grad(hidden, weight, jnp.asarray(np.where(np.arange(TOKENS) == 3, -100, LABELS)))[1]
    for gradients in (
        jax.jit(lambda y: total.value_and_grad(hidden, weight, y)[1][:2])(labels),
        jax.jit(lambda y: jax.grad(lambda h, w: total(h, w, y), (0, 1))(hidden, weight))(labels),
    ):
        for got, wanted in zip(gradients, want[:2], strict=True):
            close(np.asarray(got), np.asarray(wanted), 1e-12, "gradient")


def equations(jaxpr):
    """Every equation, those inside others too."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                    yield from equations(getattr(inner, "jaxpr", inner))


def sizes(function):
    jaxpr = jax.make_jaxpr(function)(*arrays())
    return [np.prod(out.aval.shape) for each in equations(jaxpr.jaxpr) for out in each.outvars]


@pytest.mark.parametrize("loss", [MEAN, NONE, ALL], ids=["mean", "none", "all"])
def test_the_logits_are_never_there(loss):
    """Of chunks of 5 rows nothing is larger than 5 rows of logits, or the arguments."""

    def total(hidden, weight):
        return loss(hidden, weight, jnp.asarray(LABELS)).sum()

    for function in (total, jax.grad(total, (0, 1)), lambda h, w: loss.value_and_grad(h, w, jnp.asarray(LABELS))):
        assert max(sizes(function)) <= max(5 * CLASSES, 15 * WIDTH)


def products(function):
    """The products of matrices that are written out; a scan's are written once."""
    jaxpr = jax.make_jaxpr(function)(*arrays())
    return sum(each.primitive.name == "dot_general" for each in equations(jaxpr.jaxpr))


def test_only_what_is_needed_is_multiplied():
    assert products(ours) == 1
    assert products(jax.grad(ours, (0, 1))) == 3
    assert products(jax.grad(ours, 0)) == products(jax.grad(ours, 1)) == 2
    assert products(lambda h, w: MEAN.value_and_grad(h, w, jnp.asarray(LABELS))) == 3


def test_memory_as_xla_counts_it(monkeypatch):
    """A third of the formula's at most, where the logits are most of it."""
    monkeypatch.undo()
    tokens, width, classes = 2048, 64, 4096
    shapes = [jax.ShapeDtypeStruct((n, width), "float32") for n in (tokens, classes)]
    labels = jax.ShapeDtypeStruct((tokens,), "int32")

    def temporary(function):
        compiled = jax.jit(jax.value_and_grad(function, (0, 1))).lower(*shapes, labels).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert 3 * temporary(lambda h, w, y: MEAN(h, w, y)) <= temporary(optax_mean)
