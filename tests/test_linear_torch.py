"""Linear cross-entropy on PyTorch: every derivative that PyTorch knows, memory, work done, and the module."""

import warnings

import numpy as np
import pytest
import torch
from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import losslab
import losslab.torch
from losslab._linear import _torch_chunks
from losslab._linear._class import row_options
from losslab._linear._torch_rows import gradient_, statistics

TOKENS, WIDTH, CLASSES = 12, 4, 9

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", DeprecationWarning
    )  # PyTorch's forward mode scripts its rules when it is first used
    with torch.autograd.forward_ad.dual_level():
        torch.autograd.forward_ad.make_dual(torch.zeros(1), torch.zeros(1))


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(_torch_chunks, "_CPU_ROWS", (5, 5))


def arrays(dtype=torch.float64, seed=0, tokens=TOKENS):
    """hidden, weight, bias that need gradients, and labels, two of them -100."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (tokens, WIDTH), (CLASSES, WIDTH), (CLASSES,)
    leaves = [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes]
    labels = torch.randint(0, CLASSES, (tokens,), generator=generator)
    labels[1], labels[-1] = -100, -100
    return *leaves, labels


LOSSES = {
    "mean": losslab.LinearCrossEntropy(ignore_class=-100),
    "none": losslab.LinearCrossEntropy(ignore_class=-100, reduction="none"),
    "all": losslab.LinearCrossEntropy(
        ignore_class=-100,
        class_weight=np.linspace(0.5, 2, CLASSES),
        label_smoothing=0.1,
        softcap=3.0,
        temperature=0.8,
        z_loss=0.01,
    ),
}

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def composed(loss, hidden, weight, labels, bias):
    """The same by PyTorch's own operators, for losses without softcap, temperature and z-loss."""
    return torch.nn.functional.cross_entropy(
        torch.nn.functional.linear(hidden, weight, bias),
        labels,
        reduction="none" if loss.reduction == "none" else "mean",
        ignore_index=-100,
    )


def equal(got, want, tolerance=1e-12):
    torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


# Derivatives


@every_loss
def test_first_and_second_derivatives(loss):
    """In reverse and forward mode, against differences."""
    hidden, weight, bias, labels = arrays()

    def call(hidden, weight, bias):
        return loss(hidden, weight, labels, bias)

    assert torch.autograd.gradcheck(call, (hidden, weight, bias), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(call, (hidden, weight, bias))


@pytest.mark.parametrize("name", ["mean", "none"])
def test_function_transforms(name):
    loss = LOSSES[name]
    hidden, weight, bias, labels = (x.detach() for x in arrays())

    def call(hidden, weight):
        return loss(hidden, weight, labels, bias).sum()

    def wanted(hidden, weight):
        return composed(loss, hidden, weight, labels, bias).sum()

    for transform in (
        lambda function: torch.func.grad(function, argnums=(0, 1)),
        lambda function: torch.func.hessian(function, argnums=1),
        lambda function: torch.func.jacrev(torch.func.jacrev(function)),
        lambda function: lambda h, w: torch.func.jvp(function, (h, w), (h, w))[1],
    ):
        equal(transform(call)(hidden, weight), transform(wanted)(hidden, weight))


def test_vmap():
    """Over the tokens of a batch, over labels alone, and over a gradient."""
    loss = LOSSES["mean"]
    hidden, weight, bias, labels = (x.detach() for x in arrays())
    rows, ids = hidden.reshape(3, 4, WIDTH), labels.reshape(3, 4)
    want = torch.stack([loss(rows[i], weight, ids[i], bias) for i in range(3)])
    equal(torch.vmap(lambda h, y: loss(h, weight, y, bias))(rows, ids), want)
    want = torch.stack([loss(rows[0], weight, ids[i], bias) for i in range(3)])
    equal(torch.vmap(lambda y: loss(rows[0], weight, y, bias))(ids), want)
    gradient = torch.func.grad(lambda w, h, y: loss(h, w, y, bias))
    want = torch.stack([gradient(weight, rows[i], ids[i]) for i in range(3)])
    equal(torch.vmap(gradient, (None, 0, 0))(weight, rows, ids), want)


@every_loss
def test_a_graph_can_be_gone_through_again(loss):
    hidden, weight, bias, labels = arrays()
    value = loss(hidden, weight, labels, bias)
    upstream = torch.randn(value.shape, dtype=value.dtype)
    first = torch.autograd.grad(value, (hidden, weight, bias), upstream, retain_graph=True)
    kept = [gradient.clone() for gradient in first]
    for gradient in first:
        gradient.zero_()  # what was handed out belongs to the caller
    again = torch.autograd.grad(value, (hidden, weight, bias), 3.0 * upstream)
    equal(again, [3.0 * gradient for gradient in kept])


def test_gradients_of_gradients_are_those_of_the_formula():
    loss = LOSSES["mean"]
    hidden, weight, bias, labels = arrays()

    def penalty(call):
        gradients = torch.autograd.grad(call(loss, hidden, weight, labels, bias), (hidden, weight), create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in gradients), (hidden, weight, bias))

    def ours(loss, hidden, weight, labels, bias):
        return loss(hidden, weight, labels, bias)

    equal(penalty(ours), penalty(composed))


@pytest.mark.parametrize("name", ["mean", "none"])
@pytest.mark.parametrize("frozen", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
def test_what_is_frozen_gets_no_gradient(name, frozen):
    hidden, weight, bias, labels = arrays()
    want = torch.autograd.grad(LOSSES[name](hidden, weight, labels, bias).sum(), (hidden, weight, bias))
    leaves = [hidden, weight, bias]
    for place in frozen:
        leaves[place] = leaves[place].detach()
    hidden, weight, bias = leaves
    LOSSES[name](hidden, weight, labels, bias).sum().backward()
    for place, leaf in enumerate(leaves):
        if place in frozen:
            assert leaf.grad is None
        else:
            equal(leaf.grad, want[place])


@pytest.mark.parametrize("name", ["mean", "none"])
def test_tensors_in_any_layout(name):
    hidden, weight, bias, labels = (x.detach() for x in arrays())
    twice = [x.repeat_interleave(2, 0)[::2] for x in (hidden, weight, bias, labels)]
    turned = [hidden.T.contiguous().T, weight.T.contiguous().T, twice[2], twice[3]]
    want = LOSSES[name].value_and_grad(hidden, weight, labels, bias)
    for hidden, weight, bias, labels in (twice, turned):
        leaves = [x.requires_grad_() for x in (hidden, weight, bias)]
        value = LOSSES[name](hidden, weight, labels, bias)
        equal(value.detach(), want[0])
        equal(torch.autograd.grad(value.sum(), leaves), want[1])


@every_loss
def test_function_transforms_of_removed_tokens_that_are_nan(loss):
    hidden, weight, bias, labels = (x.detach() for x in arrays())
    padded = torch.where((labels == -100)[:, None], torch.nan, hidden)

    def gradients(hidden):
        return torch.func.grad(lambda *leaves: loss(*leaves[:2], labels, leaves[2]).sum(), (0, 1, 2))(
            hidden, weight, bias
        )

    equal(gradients(padded), gradients(hidden))


def test_a_label_out_of_range_that_nobody_may_look_at_is_nan_alone():
    hidden, weight, _, labels = (x.detach() for x in arrays())
    values = torch.vmap(lambda h, y: LOSSES["mean"](h, weight, y))(hidden, torch.where(labels < 0, CLASSES, labels))
    assert values.isnan().tolist() == (labels < 0).tolist()


# The row step


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@every_loss
def test_rows_of_shards_are_those_of_all_classes(loss, dtype):
    """Three shards of the classes, one of them empty: their statistics add up, their gradients lie side by side."""
    logits, labels = torch.randn(TOKENS, CLASSES, dtype=dtype), torch.randint(0, CLASSES, (TOKENS,))
    scale, options = torch.rand(TOKENS, dtype=dtype), row_options(loss, CLASSES)
    whole = statistics(logits, labels, options)
    bounds = [(0, 4), (4, 4), (4, CLASSES)]
    parts = torch.stack([statistics(logits[:, a:b], labels, options, a) for a, b in bounds])
    equal(torch.stack([parts[:, 0].logsumexp(0), parts[:, 1].sum(0), parts[:, 2].sum(0)]), whole, 1e-5)
    gradients = [logits[:, a:b].clone() for a, b in bounds]
    for (a, _), part in zip(bounds, gradients, strict=True):
        gradient_(part, labels, whole[0], scale, options, CLASSES, a)
    gradient_(logits, labels, whole[0], scale, options, CLASSES)
    equal(torch.cat(gradients, 1), logits, 1e-6)


# Work and memory


class Largest(TorchDispatchMode):
    """The number of elements of the largest tensor that an operator gives."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for x in result if isinstance(result, tuple | list) else (result,):
            if isinstance(x, torch.Tensor):
                self.elements = max(self.elements, x.numel())
        return result


@every_loss
def test_the_logits_are_never_there(loss):
    """Of 12 tokens and 5 rows to a chunk no tensor is larger than 5 rows of logits."""
    hidden, weight, bias, labels = arrays()
    for call in (
        lambda: loss(hidden, weight, labels, bias).sum().backward(),
        lambda: loss(hidden.detach(), weight.detach(), labels, bias.detach()),
        lambda: loss.value_and_grad(hidden, weight, labels, bias),
    ):
        with Largest() as largest:
            call()
        assert largest.elements <= max(5 * CLASSES, hidden.numel(), weight.numel())


def products(call):
    """How many products of the size N·D·V."""

    def in_place(_, left, right, **kwargs):  # PyTorch's counter does not know it
        return 2 * left[0] * left[1] * right[1]

    with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: in_place}) as counter:
        call()
    return counter.get_total_flops() / (2 * TOKENS * WIDTH * CLASSES)


def test_only_what_is_needed_is_multiplied():
    hidden, weight, bias, labels = arrays()
    labels = labels.clamp(0)
    mean, none = losslab.LinearCrossEntropy(), losslab.LinearCrossEntropy(reduction="none")
    assert products(lambda: mean(hidden.detach(), weight.detach(), labels)) == 1
    with torch.no_grad():
        assert products(lambda: mean(hidden, weight, labels)) == 1
    assert products(lambda: mean(hidden, weight, labels).backward()) == 3
    assert products(lambda: mean(hidden, weight.detach(), labels).backward()) == 2
    assert products(lambda: mean(hidden.detach(), weight, labels).backward()) == 2
    assert products(lambda: mean(hidden.detach(), weight.detach(), labels, bias).backward()) == 1
    assert products(lambda: mean.value_and_grad(hidden, weight, labels)) == 3
    assert products(lambda: none(hidden, weight, labels).sum().backward()) == 4


@pytest.mark.parametrize("removed", ["ignore_class", "sample_weight"])
def test_removed_tokens_are_not_multiplied(removed):
    hidden, weight, _, labels = arrays()
    keep = torch.arange(TOKENS) % 3 == 0
    if removed == "ignore_class":
        given, loss = {}, losslab.LinearCrossEntropy(ignore_class=-100)
        labels = torch.where(keep, labels.clamp(0), -100)
    else:
        given, loss = {"sample_weight": keep.double()}, losslab.LinearCrossEntropy()
        labels = labels.clamp(0)
    assert products(lambda: loss(hidden, weight, labels, **given).backward()) == 1


# Mixed precision


def test_autocast_computes_in_its_dtype():
    """The value in float32, the gradients in the dtypes of the parameters, as precise as bfloat16's products."""
    hidden, weight, bias, labels = arrays(torch.float32)
    want = LOSSES["mean"].value_and_grad(hidden, weight, labels, bias)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = LOSSES["mean"](hidden, weight, labels, bias)
        rounded = LOSSES["mean"](hidden.bfloat16().float(), weight.bfloat16().float(), labels, bias.bfloat16().float())
    assert value.dtype == torch.float32
    equal(value, want[0], 1e-2)
    equal(value, rounded, 0.0)
    gradients = torch.autograd.grad(value, (hidden, weight, bias))
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    for got, wanted in zip(gradients, want[1], strict=True):
        equal(got, wanted, 2e-2)


def test_hidden_states_in_half_precision_with_weights_in_float32():
    hidden, weight, bias, labels = arrays(torch.float32)
    half = hidden.detach().bfloat16().requires_grad_()
    value = LOSSES["mean"](half, weight, labels, bias)
    gradients = torch.autograd.grad(value, (half, weight, bias))
    assert value.dtype == torch.float32
    assert [gradient.dtype for gradient in gradients] == [torch.bfloat16, torch.float32, torch.float32]
    want = LOSSES["mean"].value_and_grad(hidden, weight, labels, bias)
    for got, wanted in zip(gradients, want[1], strict=True):
        equal(got.float(), wanted, 2e-2)


def test_float16_sums_over_tokens_beyond_its_range():
    """Of 300 tokens with the state 300 the gradient of the sum is 90,000 times 1 - p, that of their mean 300."""
    hidden = torch.full((300, 1), 300.0, dtype=torch.float16)
    weight = torch.tensor([[-0.1], [0.1]], dtype=torch.float16, requires_grad=True)
    losslab.linear_cross_entropy(hidden, weight, torch.zeros(300, dtype=torch.long)).backward()
    equal(weight.grad.tolist(), [[-300.0], [300.0]])


# Compilation


def compiled(function, **options):
    torch.compiler.reset()
    return torch.compile(function, fullgraph=True, backend="aot_eager", **options)


@every_loss
def test_compiled_it_is_the_same(loss):
    hidden, weight, bias, labels = arrays()
    step = compiled(lambda h, w, b: 3.0 * loss(h, w, labels, b).sum())
    got = torch.autograd.grad(step(hidden, weight, bias), (hidden, weight, bias))
    want = torch.autograd.grad(3.0 * loss(hidden, weight, labels, bias).sum(), (hidden, weight, bias))
    equal(got, want)
    with torch.no_grad():
        equal(step(hidden, weight, bias), 3.0 * loss(hidden, weight, labels, bias).sum())


def test_compiled_weights_get_their_gradient():
    loss, (hidden, weight, bias, labels) = LOSSES["all"], arrays()
    weights = torch.rand(TOKENS, dtype=torch.float64).requires_grad_()
    step = compiled(lambda s: 3.0 * loss(hidden.detach(), weight.detach(), labels, bias.detach(), s))
    want = torch.autograd.grad(3.0 * loss(hidden, weight, labels, bias, weights), weights)
    equal(torch.autograd.grad(step(weights), weights), want)


def test_compiled_a_label_out_of_range_is_nan_and_moves_nothing():
    """The value is NaN; the gradients are those of the other tokens, over all of them."""
    loss, (hidden, weight, bias, labels) = LOSSES["all"].replace(reduction="sum"), arrays()
    wrong = torch.where(torch.arange(TOKENS) == 3, CLASSES, labels)
    step = compiled(lambda h, w, b, y: loss(h, w, y, b))
    value = step(hidden, weight, bias, wrong)
    assert value.isnan()
    ignored = torch.where(torch.arange(TOKENS) == 3, -100, labels)
    want = torch.autograd.grad(loss(hidden, weight, ignored, bias), (hidden, weight, bias))
    equal(torch.autograd.grad(value, (hidden, weight, bias)), want)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_compiled_mixed_precision(dtype):
    """What the compiler is told of the dtypes is what comes."""
    hidden, weight, bias, labels = arrays(torch.float32)
    half = hidden.detach().to(dtype).requires_grad_()
    for leaves in ((half, weight, bias), (half, weight.detach().to(dtype).requires_grad_(), bias)):
        step = compiled(lambda h, w, b: LOSSES["mean"](h, w, labels, b))
        want = torch.autograd.grad(LOSSES["mean"](*leaves[:2], labels, leaves[2]), leaves)
        equal(torch.autograd.grad(step(*leaves), leaves), want, 0.0)


def test_compiled_the_logits_are_not_there_either():
    """In neither graph, forward nor backward."""
    hidden, weight, bias, labels = arrays()
    sizes = []

    def kept(graph, inputs):
        found = (node.meta.get("val") for node in graph.graph.nodes)
        sizes.append(max(x.numel() for x in found if isinstance(x, torch.Tensor)))
        return make_boxed_func(graph.forward)

    backend = aot_autograd(fw_compiler=kept, bw_compiler=kept)
    step = torch.compile(lambda h, w, b: LOSSES["all"](h, w, labels, b), fullgraph=True, backend=backend)
    step(hidden, weight, bias).backward()
    assert len(sizes) == 2
    assert max(sizes) < TOKENS * CLASSES


def test_compiled_for_any_number_of_tokens():
    loss, (hidden, weight, bias, labels) = LOSSES["mean"], (x.detach() for x in arrays())
    step = compiled(lambda h, y: loss(h, weight, y, bias), dynamic=True)
    for count in (3, 7, 12):
        equal(step(hidden[:count], labels[:count]), loss(hidden[:count], weight, labels[:count], bias))


def test_compiled_function_form_and_transforms():
    hidden, weight, bias, labels = (x.detach() for x in arrays())

    def call(hidden, weight):
        return losslab.linear_cross_entropy(hidden, weight, labels, bias, ignore_class=-100, softcap=5.0)

    equal(compiled(call)(hidden, weight), call(hidden, weight))
    equal(compiled(torch.func.grad(call))(hidden, weight), torch.func.grad(call)(hidden, weight))
    rows, ids = hidden.reshape(3, 4, WIDTH), labels.reshape(3, 4)
    mapped = torch.vmap(lambda h, y: LOSSES["mean"](h, weight, y, bias))
    equal(compiled(mapped)(rows, ids), mapped(rows, ids))


def test_compiled_value_and_grad():
    hidden, weight, bias, labels = (x.detach() for x in arrays())
    call = compiled(lambda h: LOSSES["all"].value_and_grad(h, weight, labels, bias))
    equal(call(hidden), LOSSES["all"].value_and_grad(hidden, weight, labels, bias))


def test_the_operator_keeps_pytorchs_rules():
    from losslab._linear._torch_compiled import _operator

    hidden, weight, bias, labels = arrays()
    used, ones = labels >= 0, torch.ones(TOKENS, dtype=torch.float64)
    numbers = ([0.5] * CLASSES, 0.1, 3.0, 0.8, 0.01, torch.float64)
    for needed in ([True, True, True], [True, False, False], [False, False, False]):
        torch.library.opcheck(_operator, (hidden, weight, bias, labels.clamp(0), used, ones, *numbers, needed))


# The module


def test_the_module_is_a_linear_layer_and_its_loss():
    torch.manual_seed(0)
    head = losslab.torch.LinearCrossEntropy(WIDTH, CLASSES, bias=True, ignore_class=-100, dtype=torch.float64)
    hidden, _, _, labels = arrays()
    logits = torch.nn.functional.linear(hidden, head.weight, head.bias)
    equal(head(hidden, labels), torch.nn.functional.cross_entropy(logits, labels))
    equal(head.logits(hidden), logits)
    assert head(hidden, labels, sample_weight=labels.clamp(0), normalizer=2.0) > 0
    assert [name for name, _ in head.named_parameters()] == ["weight", "bias"]
    torch.manual_seed(0)
    equal(head.weight, torch.nn.Linear(WIDTH, CLASSES, dtype=torch.float64).weight)


def test_the_module_without_a_bias_moves_saves_and_prints():
    head = losslab.torch.LinearCrossEntropy(WIDTH, CLASSES, softcap=30.0, temperature=2.0)
    other = losslab.torch.LinearCrossEntropy(WIDTH, CLASSES)
    other.load_state_dict(head.state_dict())
    equal(other.weight, head.weight)
    assert head.double().weight.dtype == torch.float64
    assert repr(head) == (
        "LinearCrossEntropy(in_features=4, out_features=9, bias=False, "
        "loss=LinearCrossEntropy(softcap=30.0, temperature=2.0))"
    )
    hidden = torch.randn(2, WIDTH, dtype=torch.float64)
    equal(head.logits(hidden), 30.0 * torch.tanh(hidden @ head.weight.T / 30.0) / 2.0)
    with pytest.raises(TypeError, match="did you mean 'softcap'"):
        losslab.torch.LinearCrossEntropy(WIDTH, CLASSES, soft_cap=30.0)


class CausalModel(torch.nn.Module):
    """What a causal language model of Hugging Face's transformers looks like: a body, and a head called lm_head."""

    def __init__(self):
        super().__init__()
        self.model = torch.nn.Embedding(CLASSES, WIDTH)
        self.lm_head = torch.nn.Linear(WIDTH, CLASSES, bias=False)
        self.lm_head.weight = self.model.weight  # tied, as in many of them

    def forward(self, input_ids, labels):
        """Its own loss: shifted, in float32, -100 ignored."""
        logits = self.lm_head(self.model(input_ids)).float()
        return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def test_the_head_loss_of_a_language_model():
    """Shifted labels, prompts at -100, tied weights: the value and the gradients of the model's own loss."""
    torch.manual_seed(0)
    model = CausalModel().double()
    ids = torch.randint(0, CLASSES, (3, 6))
    labels = torch.where(torch.arange(6) < 3, -100, ids)
    want = torch.autograd.grad(model(ids, labels), model.lm_head.weight)
    head = losslab.torch.LinearCrossEntropy.from_linear(model.lm_head, ignore_class=-100)
    assert head.weight is model.lm_head.weight
    loss = head(model.model(ids)[:, :-1], labels[:, 1:])
    equal(loss.float(), model(ids, labels), 1e-6)
    equal(torch.autograd.grad(loss, model.lm_head.weight), want, 1e-6)


def test_gradient_accumulation_by_normalizer():
    """Two halves with unequal numbers of tokens, over the tokens of both: the gradient of the whole batch."""
    loss, (hidden, weight, bias, labels) = LOSSES["mean"], arrays()
    want = torch.autograd.grad(loss(hidden, weight, labels, bias), weight)[0]
    tokens = (labels != -100).sum()
    halves = [loss(hidden[part], weight, labels[part], bias, normalizer=tokens) for part in (slice(4), slice(4, None))]
    equal(torch.autograd.grad(sum(halves), weight)[0], want)


@every_loss
def test_a_batch_of_upstream_gradients(loss):
    hidden, weight, bias, labels = arrays()
    value = loss(hidden, weight, labels, bias)
    upstream = torch.randn(3, *value.shape, dtype=value.dtype)
    found = torch.autograd.grad(value, (hidden, weight, bias), upstream, is_grads_batched=True)
    expected = [
        torch.autograd.grad(loss(hidden, weight, labels, bias), (hidden, weight, bias), each) for each in upstream
    ]
    for actual, each in zip(found, zip(*expected, strict=True), strict=True):
        torch.testing.assert_close(actual, torch.stack(each))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_second_backward_gives_the_same_numbers(dtype):
    hidden, weight, bias, labels = arrays(dtype, tokens=40)
    value = losslab.linear_cross_entropy(hidden, weight, labels, bias, ignore_class=-100)
    first, second = (torch.autograd.grad(value, (hidden, weight, bias), retain_graph=True) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_tensors_without_memory_have_a_shape():
    hidden, weight, bias, labels = (x.detach().to("meta") for x in arrays(torch.float32))
    value = losslab.linear_cross_entropy(hidden, weight, labels, bias, ignore_class=-100, reduction="none")
    assert (value.shape, value.device.type) == ((TOKENS,), "meta")


def test_logits_are_computed_in_the_dtype_of_the_hidden_states():
    head = losslab.torch.LinearCrossEntropy(WIDTH, CLASSES, bias=True).to(torch.bfloat16)
    hidden = torch.randn(2, WIDTH)
    assert head.logits(hidden).dtype == torch.float32
    assert head(hidden, torch.tensor([1, 2])).dtype == torch.float32
