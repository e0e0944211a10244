"""Run by test_torch.py: the losses on several gloo processes against the loss of the whole batch on one."""

import contextlib
import re
import sys
import warnings
from unittest import mock

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch.autograd import forward_ad
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, distribute_tensor
from torch.distributed.tensor import Shard as Along
from torch.distributed.tensor.parallel import loss_parallel

import losslab.parallel
from losslab import parallel
from losslab._linear import _torch_chunks
from losslab._linear._options import RowOptions
from losslab._linear._tokens import Tokens
from losslab.parallel._shard import Shard
from losslab.parallel._torch_linear import LinearDriver, ShardedHead
from losslab.parallel._torch_logits import LogitsDriver
from losslab.parallel._torch_split import TorchSplit

from . import reference
from .ranks import PROPERTIES, Rank, counted_collectives, on_ranks, run
from .reference import CLASSES, OPTIONS, REDUCTIONS, drawn

# How many of the classes each process holds: evenly, unevenly, none at all
SIZES = {2: [(5, 5), (7, 3), (10, 0), (0, 10)], 4: [(3, 3, 3, 1), (2, 3, 1, 4), (0, 5, 0, 5), (9, 1, 0, 0)]}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-6}
GATHER = "all_gather_single" if hasattr(dist, "all_gather_single") else "all_gather_into_tensor"
HIDDEN, MATRIX, BIAS, LABELS, WEIGHT, UPSTREAM = drawn(0)
LOGITS = HIDDEN @ MATRIX.T + BIAS


def own(rank, sizes):
    """The classes that a process holds."""
    first = sum(sizes[: rank.number])
    return slice(first, first + sizes[rank.number])


def leaf(array, dtype):
    return torch.tensor(array, dtype=dtype, requires_grad=True)


def close(actual, expected, dtype, what):
    actual = actual.detach().to(torch.float64).numpy()
    assert actual.shape == np.shape(expected), f"{what}: shape {actual.shape}, not {np.shape(expected)}"
    scale = np.abs(expected).max(initial=1.0)
    error = np.abs(actual - expected).max(initial=0.0) / scale
    assert error <= TOLERANCE[dtype], f"{what}: off by {error:.2g} in {dtype}"


def check_logits(rank, sizes, dtype, what, upstream=1.0, sample_weight=None, logits=LOGITS, labels=LABELS, **options):
    where = own(rank, sizes)
    z = leaf(logits[:, where], dtype)
    told = {"first": where.start, "classes": CLASSES} if options.pop("told", True) else {}
    given = None if sample_weight is None else torch.tensor(sample_weight, dtype=dtype)
    loss = parallel.cross_entropy(torch.tensor(labels), z, sample_weight=given, **told, **options)
    (loss * torch.as_tensor(upstream, dtype=dtype)).sum().backward()
    reduction = {**options, "sample_weight": sample_weight}
    rounded = torch.tensor(logits, dtype=dtype).double().numpy()
    value, gradient = reference.of_logits(rounded, labels, upstream, **reduction)
    close(loss, value, dtype, f"{what} {sizes}")
    close(z.grad, gradient[:, where], dtype, f"gradient of {what} {sizes}")


def check_hidden(rank, sizes, dtype, what, upstream=1.0, sample_weight=None, bias=True, labels=LABELS, **options):
    where = own(rank, sizes)
    arrays = (HIDDEN, MATRIX, BIAS) if bias else (HIDDEN, MATRIX)
    hidden, *shards = (leaf(x, dtype) for x in (HIDDEN, *(each[where] for each in arrays[1:])))
    told = {"first": where.start, "classes": CLASSES} if options.pop("told", True) else {}
    given = None if sample_weight is None else torch.tensor(sample_weight, dtype=dtype)
    ids = torch.tensor(labels)
    loss = parallel.linear_cross_entropy(hidden, shards[0], ids, *shards[1:], sample_weight=given, **told, **options)
    (loss * torch.as_tensor(upstream, dtype=dtype)).sum().backward()
    rounded = [torch.tensor(each, dtype=dtype).double().numpy() for each in arrays]
    reduction = {**options, "sample_weight": sample_weight, "upstream": upstream}
    value, d_hidden, *others = reference.of_hidden(rounded[0], rounded[1], labels, *rounded[2:], **reduction)
    close(loss, value, dtype, f"linear {what} {sizes}")
    close(hidden.grad, d_hidden, dtype, f"gradient of hidden of {what} {sizes}")
    for shard, expected in zip(shards, others, strict=True):
        close(shard.grad, expected[where], dtype, f"gradient of the shard of {what} {sizes}")


CHECKS = (check_logits, check_hidden)


@on_ranks
def every_option_with_every_split(rank):
    for check in CHECKS:
        for sizes in SIZES[rank.count]:
            for name, options in OPTIONS.items():
                for dtype in TOLERANCE:
                    check(rank, sizes, dtype, name, upstream=-1.7, **options)


@on_ranks
def every_reduction_with_weights(rank):
    for check in CHECKS:
        for name, reduction in REDUCTIONS.items():
            for weight in (None, WEIGHT):
                upstream = UPSTREAM if name == "none" else 0.3
                options = {**OPTIONS["everything"], **reduction, "sample_weight": weight}
                check(rank, SIZES[rank.count][1], torch.float64, name, upstream, **options)


@on_ranks
def sizes_may_be_gathered_or_follow_from_the_classes(rank):
    for sizes in SIZES[rank.count]:
        for check in CHECKS:
            check(rank, sizes, torch.float64, "gathered", told=False, label_smoothing=0.1)
    even = SIZES[rank.count][0]
    z = torch.tensor(LOGITS[:, own(rank, even)])
    loss = parallel.cross_entropy(torch.tensor(LABELS), z, classes=CLASSES)
    close(loss, reference.of_logits(LOGITS, LABELS)[0], torch.float64, "classes=")


@on_ranks
def a_subgroup_holds_the_classes(rank):
    """Two groups of half the processes each, with different batches."""
    half = rank.count // 2
    groups = [dist.new_group(list(range(start, start + half))) for start in (0, half)]
    mine, labels = rank.number // half, LABELS[::-1].copy() if rank.number < half else LABELS
    where = own(Rank(rank.number % half, half), {1: (10,), 2: (4, 6)}[half])
    z = leaf(LOGITS[:, where], torch.float64)
    loss = parallel.cross_entropy(torch.tensor(labels), z, group=groups[mine], label_smoothing=0.1)
    loss.backward()
    value, gradient = reference.of_logits(LOGITS, labels, label_smoothing=0.1)
    close(loss, value, torch.float64, "a subgroup")
    close(z.grad, gradient[:, where], torch.float64, "gradient of a subgroup")


@on_ranks
def rows_may_have_several_axes(rank):
    where = own(rank, SIZES[rank.count][1])
    z, labels = leaf(LOGITS[:, where], torch.float64), torch.tensor(LABELS)
    weight = torch.tensor(WEIGHT[:3], dtype=torch.float64)
    told = {"first": where.start, "classes": CLASSES, "reduction": "none", "sample_weight": weight}
    values = parallel.cross_entropy(labels.view(3, 4, 1), z.view(3, 4, -1), **told)
    expected = reference.of_logits(LOGITS, LABELS, reduction="none", sample_weight=np.repeat(WEIGHT[:3], 4))[0]
    close(values, expected.reshape(3, 4), torch.float64, "axes")
    hidden, shard = torch.tensor(HIDDEN).view(3, 4, -1), torch.tensor(MATRIX[where])
    values = parallel.linear_cross_entropy(hidden, shard, labels.view(3, 4), **told)
    expected = reference.of_logits(HIDDEN @ MATRIX.T, LABELS, reduction="none", sample_weight=np.repeat(WEIGHT[:3], 4))
    close(values, expected[0].reshape(3, 4), torch.float64, "axes of a linear loss")


@on_ranks
def a_removed_row_may_hold_anything(rank):
    """NaN, infinity, and a label that is none; alone and together with all other rows."""
    where = own(rank, SIZES[rank.count][1])
    for everything in (False, True):
        labels, logits, hidden = LABELS.copy(), LOGITS.copy(), HIDDEN.copy()
        removed = slice(None) if everything else slice(0, 2)
        labels[removed], logits[removed], hidden[removed] = -100, np.nan, np.inf
        expected = labels.copy()
        z, h, w = leaf(logits[:, where], torch.float64), leaf(hidden, torch.float64), leaf(MATRIX[where], torch.float64)
        told = {"ignore_class": -100, "first": where.start, "classes": CLASSES, "z_loss": 0.1}
        loss = parallel.cross_entropy(torch.tensor(labels), z, **told)
        linear = parallel.linear_cross_entropy(h, w, torch.tensor(labels), **told)
        (loss + linear).backward()
        options = {"ignore_class": -100, "z_loss": 0.1}
        value, gradient = (
            (0.0, np.zeros_like(LOGITS)) if everything else reference.of_logits(LOGITS, expected, **options)
        )
        close(loss, value, torch.float64, "removed")
        close(z.grad, gradient[:, where], torch.float64, "gradient of removed")
        if everything:
            assert linear == 0
            assert not h.grad.any()
            assert not w.grad.any()
            continue
        value, d_hidden, d_weight = reference.of_hidden(HIDDEN, MATRIX, expected, **options)
        close(linear, value, torch.float64, "linear removed")
        close(h.grad, d_hidden, torch.float64, "gradient of removed hidden")
        close(w.grad, d_weight[where], torch.float64, "gradient of the weight")


@on_ranks
def a_weight_of_zero_removes_garbage(rank):
    where = own(rank, SIZES[rank.count][1])
    labels, logits, weight = LABELS.copy(), LOGITS.copy(), WEIGHT.copy()
    labels[2], logits[2] = 99, np.nan
    z, w = leaf(logits[:, where], torch.float64), leaf(weight, torch.float64)
    loss = parallel.cross_entropy(torch.tensor(labels), z, sample_weight=w, first=where.start, classes=CLASSES)
    loss.backward()
    value, gradient = reference.of_logits(LOGITS, LABELS, sample_weight=WEIGHT)
    close(loss, value, torch.float64, "weight 0")
    close(z.grad, gradient[:, where], torch.float64, "gradient at weight 0")
    values = np.where(WEIGHT == 0, 0.0, reference.of_logits(LOGITS, LABELS, reduction="none")[0])
    close(w.grad, values / len(values), torch.float64, "gradient of the weights")


@on_ranks
def weights_and_normalizer_have_gradients(rank):
    where = own(rank, SIZES[rank.count][1])
    labels, told = torch.tensor(LABELS), {"first": where.start, "classes": CLASSES}
    z, hidden, shard = (leaf(x, torch.float64) for x in (LOGITS[:, where], HIDDEN, MATRIX[where]))
    for call, logits in (
        (lambda **given: parallel.cross_entropy(labels, z, **told, **given), LOGITS),
        (lambda **given: parallel.linear_cross_entropy(hidden, shard, labels, **told, **given), HIDDEN @ MATRIX.T),
    ):
        weight, normalizer = leaf(WEIGHT, torch.float64), leaf(5.0, torch.float64)
        (-1.7 * call(sample_weight=weight, normalizer=normalizer)).backward()
        values = np.where(WEIGHT == 0, 0.0, reference.of_logits(logits, LABELS, reduction="none")[0])
        close(weight.grad, -1.7 * values / 5.0, torch.float64, "gradient of the weights")
        close(normalizer.grad, 1.7 * (WEIGHT * values).sum() / 25.0, torch.float64, "gradient of the normalizer")


@on_ranks
def an_id_that_only_the_device_knows_to_be_wrong_is_nan(rank):
    """As an accelerator has it, where nobody looks: -1 in place of the id."""
    where = own(rank, SIZES[rank.count][1])
    split, labels = TorchSplit(None, Shard(where.start, CLASSES)), torch.tensor(LABELS)
    labels[3] = -1
    z, hidden, shard = (leaf(x, torch.float64) for x in (LOGITS[:, where], HIDDEN, MATRIX[where]))
    for driver, tokens in (
        (LogitsDriver(split), Tokens(z, None, None, labels, None)),
        (LinearDriver(split), Tokens(hidden, shard, None, labels, None)),
    ):
        values = driver.values(tokens, RowOptions())
        values.sum().backward()
        assert values.isnan().nonzero().flatten().tolist() == [3]
    for gradient in (z.grad, hidden.grad, shard.grad):
        assert gradient.isfinite().all()


@on_ranks
def an_empty_batch_is_zero(rank):
    where = own(rank, SIZES[rank.count][0])
    z, labels = leaf(LOGITS[:0, where], torch.float64), torch.tensor(LABELS[:0])
    hidden, shard = leaf(HIDDEN[:0], torch.float64), leaf(MATRIX[where], torch.float64)
    loss = parallel.cross_entropy(labels, z) + parallel.linear_cross_entropy(hidden, shard, labels)
    loss.backward()
    assert loss == 0
    assert not shard.grad.any()


@on_ranks
def the_same_graph_may_be_gone_through_again(rank):
    where = own(rank, SIZES[rank.count][1])
    z, hidden, shard = (leaf(x, torch.float64) for x in (LOGITS[:, where], HIDDEN, MATRIX[where]))
    labels, told = torch.tensor(LABELS), {"first": where.start, "classes": CLASSES}
    for reduction in ("sum", "none"):
        losses = parallel.cross_entropy(labels, z, reduction=reduction, **told).sum()
        linear = parallel.linear_cross_entropy(hidden, shard, labels, reduction=reduction, **told).sum()
        once = torch.autograd.grad(losses + linear, [z, hidden, shard], retain_graph=True)
        again = torch.autograd.grad(2 * losses + 2 * linear, [z, hidden, shard])
        for first, second in zip(once, again, strict=True):
            torch.testing.assert_close(2 * first, second, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(z.detach(), torch.tensor(LOGITS[:, where]))


@on_ranks
def chunks_of_tokens_change_nothing(rank):
    for rows in (1, 5):
        with mock.patch.object(_torch_chunks, "_CPU_ROWS", (rows, rows)):
            for reduction in ("sum", "none"):
                for sizes in SIZES[rank.count]:
                    options = {**OPTIONS["everything"], "reduction": reduction}
                    upstream = UPSTREAM if reduction == "none" else 0.7
                    check_hidden(rank, sizes, torch.float64, f"{rows} rows", upstream, **options)


@on_ranks
def an_accelerator_takes_the_same_chunks_everywhere(rank):
    """However many classes a process has: otherwise one waits for a collective that the others never begin."""
    classes = 400_000
    first, size = (0, classes) if rank.number == 0 else (classes, 0)
    split = TorchSplit(None, Shard(first, classes))
    head = ShardedHead(*(torch.empty(n, 5, device="meta") for n in (10_000, size)), None, split)
    rows = torch.tensor([head.rows_per_chunk])
    dist.all_reduce(rows)
    assert rows.item() == rank.count * head.rows_per_chunk


@on_ranks
def half_precision_is_computed_in_float32(rank):
    where = own(rank, SIZES[rank.count][1])
    for dtype in (torch.bfloat16, torch.float16):
        z, hidden, shard = (leaf(x, dtype) for x in (LOGITS[:, where], HIDDEN, MATRIX[where]))
        labels, told = torch.tensor(LABELS), {"first": where.start, "classes": CLASSES, "label_smoothing": 0.1}
        loss = parallel.cross_entropy(labels, z, **told)
        linear = parallel.linear_cross_entropy(hidden, shard, labels, **told)
        (loss + linear).backward()
        assert loss.dtype == linear.dtype == torch.float32
        rounded = torch.tensor(LOGITS, dtype=dtype).double().numpy()
        value, gradient = reference.of_logits(rounded, LABELS, label_smoothing=0.1)
        close(loss, value, torch.float32, "half")
        np.testing.assert_allclose(z.grad.double(), gradient[:, where], rtol=2**-7, atol=1e-6)
        rounded = [torch.tensor(x, dtype=dtype).double().numpy() for x in (HIDDEN, MATRIX)]
        value, d_hidden, d_weight = reference.of_hidden(*rounded, LABELS, label_smoothing=0.1)
        np.testing.assert_allclose(linear.item(), value, rtol=1e-2)
        np.testing.assert_allclose(hidden.grad.double(), d_hidden, atol=1e-2)
        np.testing.assert_allclose(shard.grad.double(), d_weight[where], atol=1e-2)


@on_ranks
def large_logits_stay_finite(rank):
    logits = LOGITS * 1e4
    check_logits(rank, SIZES[rank.count][1], torch.float64, "±1e4", logits=logits, label_smoothing=0.1)
    check_logits(rank, SIZES[rank.count][1], torch.float32, "±1e4", logits=logits, softcap=30.0)


@on_ranks
def what_is_sent(rank):
    """One all_gather of 3N floats forward, 2N without smoothing, and nothing backward; for hidden states N·D more."""
    where, rows, width = own(rank, SIZES[rank.count][0]), len(LABELS), HIDDEN.shape[1]
    z, hidden, shard = (leaf(x, torch.float32) for x in (LOGITS[:, where], HIDDEN, MATRIX[where]))
    labels = torch.tensor(LABELS)
    with counted_collectives() as sent:
        by_three_all_reduces(z.detach(), labels, where.start)
    assert [size for _, size in sent] == [4 * rows] * 3
    for smoothing, numbers in ((0.0, 2), (0.1, 3)):
        told = {"classes": CLASSES, "label_smoothing": smoothing}
        with counted_collectives() as sent:
            loss = parallel.cross_entropy(labels, z, **told)
        assert sent == [(GATHER, numbers * rows * 4)]
        with counted_collectives() as sent:
            loss.backward()
        assert not sent
        for chunks in (1, 3):
            with mock.patch.object(_torch_chunks, "_CPU_ROWS", (rows // chunks, rows // chunks)):
                with counted_collectives() as sent:
                    loss = parallel.linear_cross_entropy(hidden, shard, labels, **told)
                part = [(GATHER, numbers * rows * 4 // chunks), ("all_reduce", rows * width * 4 // chunks)]
                assert sent == part * chunks
                with counted_collectives() as sent:
                    loss.backward()
                assert not sent


def by_three_all_reduces(z, labels, first):
    """The values as Megatron-LM and torch's loss_parallel get them: the maximum, the sum of exp, the label's logit."""
    highest = z.amax(dim=1) if z.shape[1] else z.new_full((len(z),), -np.inf)
    dist.all_reduce(highest, dist.ReduceOp.MAX)
    total = (z - highest[:, None]).exp().sum(dim=1)
    dist.all_reduce(total)
    inside = (labels >= first) & (labels < first + z.shape[1])
    target = torch.zeros_like(highest)
    target[inside] = z[inside, labels[inside] - first]
    dist.all_reduce(target)
    return total.log() + highest - target


@on_ranks
def torch_compile_leaves_it_as_it_is(rank):
    """On the first of two processes, which waits for the other if it leaves out a collective."""
    if rank.count > 2:
        return
    where = own(rank, SIZES[2][0])
    labels, told = torch.tensor(LABELS), {"first": where.start, "classes": CLASSES, "label_smoothing": 0.1}
    hidden, shard = leaf(HIDDEN, torch.float64), leaf(MATRIX[where], torch.float64)

    def step(hidden, shard):
        linear = parallel.linear_cross_entropy(hidden, shard, labels, **told)
        return linear + parallel.cross_entropy(labels, hidden @ shard.T, **told)

    with warnings.catch_warnings(action="ignore"):  # dynamo's own, where it looks at an autograd.Function
        loss = (step if rank.number else torch.compile(step, backend="eager"))(hidden, shard)
    loss.backward()
    value, _, d_weight = reference.of_hidden(HIDDEN, MATRIX, LABELS, label_smoothing=0.1)
    close(loss, 2 * value, torch.float64, "compiled")
    close(shard.grad, 2 * d_weight[where], torch.float64, "compiled gradient")


@on_ranks
def wrong_calls_say_what_is_wrong(rank):
    z, labels = torch.zeros(3, 5), torch.tensor([0, 1, 9])
    told = {"first": 0, "classes": 10}
    refused(lambda: parallel.cross_entropy(labels, z, classes=7), ValueError, "even share of 7")
    refused(lambda: parallel.cross_entropy(labels, z, first=2), ValueError, "first=2 needs classes=")
    refused(lambda: parallel.cross_entropy(labels, z, first=6, classes=10), ValueError, "first must be from 0 to 5")
    refused(lambda: parallel.cross_entropy(labels + 1, z, **told), ValueError, "class id 10 in labels is out of range")
    refused(lambda: parallel.cross_entropy(labels[:2], z, **told), ValueError, r"shape (2,) and y_pred (3, 5)")
    refused(lambda: parallel.cross_entropy(labels, z, axis_name="tp", **told), TypeError, "axis_name= is JAX's")
    refused(lambda: parallel.cross_entropy(labels, z, temperature=0, **told), ValueError, "temperature must be")
    refused(lambda: parallel.cross_entropy(labels, z, class_weight=[1.0] * 5, **told), ValueError, "has 5 numbers")
    refused(lambda: parallel.cross_entropy([0], np.zeros((1, 5))), TypeError, "PyTorch and JAX arrays, got numpy")
    refused(lambda: parallel.global_normalizer(labels, gradients="sum"), ValueError, "one number of each rank")
    refused(lambda: parallel.global_normalizer(labels[0], gradients="avg"), ValueError, "gradients='avg'")
    loss = parallel.cross_entropy(labels, z.requires_grad_(), **told)
    loss = loss + parallel.linear_cross_entropy(torch.ones(3, 2), z.T[:, :2], labels, **told)
    refused(lambda: torch.autograd.grad(loss, z, create_graph=True), NotImplementedError, "differentiated again")


@on_ranks
def transforms_of_functions_are_refused(rank):
    """Before anything is sent but the numbers of classes: all processes are refused, and none waits."""
    labels, hidden, matrix = torch.tensor(LABELS), torch.tensor(HIDDEN), torch.tensor(MATRIX)
    words = "do not go through torch.func"
    for reduction in ("sum", "none"):
        told = {"first": 0, "classes": CLASSES, "reduction": reduction}

        def of_logits(z, told=told):
            return parallel.cross_entropy(labels, z, **told).sum()

        def of_weight(weight, told=told):
            return parallel.linear_cross_entropy(hidden, weight, labels, **told).sum()

        for loss, x in ((of_logits, hidden @ matrix.T), (of_weight, matrix)):
            refused(lambda loss=loss, x=x: torch.func.grad(loss)(x), NotImplementedError, words)
            refused(lambda loss=loss, x=x: torch.func.vmap(loss)(x[None]), NotImplementedError, words)
            with forward_ad.dual_level():
                with warnings.catch_warnings(action="ignore"):  # PyTorch's own, of what it deprecates
                    dual = forward_ad.make_dual(x, x)
                refused(lambda loss=loss, dual=dual: loss(dual), NotImplementedError, words)


@on_ranks
def a_dtensor_says_which_classes_are_where(rank):
    """Evenly or not, also where the last processes have none; the gradients are DTensors, placed alike."""
    mesh = init_device_mesh("cpu", (rank.count,))
    rows = torch.tensor(LABELS), distribute_tensor(torch.tensor(LABELS), mesh, [Replicate()])
    for classes in (CLASSES, 2 * rank.count, rank.count - 1):
        logits, matrix, bias = LOGITS[:, :classes], MATRIX[:classes], BIAS[:classes]
        for labels in rows:
            labels, told = labels % classes, {"label_smoothing": 0.1}
            z = distribute_tensor(torch.tensor(logits), mesh, [Along(1)]).requires_grad_()
            loss = parallel.cross_entropy(labels, z, **told)
            loss.backward()
            value, gradient = reference.of_logits(logits, LABELS % classes, **told)
            close(loss, value, torch.float64, "DTensor")
            assert z.grad.placements == z.placements
            close(z.grad.full_tensor(), gradient, torch.float64, "gradient of a DTensor")
            w, b = (distribute_tensor(torch.tensor(x), mesh, [Along(0)]).requires_grad_() for x in (matrix, bias))
            h = distribute_tensor(torch.tensor(HIDDEN), mesh, [Replicate()]).requires_grad_()
            loss = parallel.linear_cross_entropy(h, w, labels, b, **told)
            loss.backward()
            value, *gradients = reference.of_hidden(HIDDEN, matrix, LABELS % classes, bias, **told)
            close(loss, value, torch.float64, "linear on DTensors")
            for x, expected in zip((h, w, b), gradients, strict=True):
                assert x.grad.placements == x.placements
                close(x.grad.full_tensor(), expected, torch.float64, "gradient of a linear loss on DTensors")


@on_ranks
def inside_loss_parallel_the_numbers_are_torchs(rank):
    mesh = init_device_mesh("cpu", (rank.count,))
    labels, z = torch.tensor(LABELS), torch.tensor(LOGITS)
    ours, theirs = (distribute_tensor(z, mesh, [Along(1)]).requires_grad_() for _ in range(2))
    with loss_parallel():
        loss = parallel.cross_entropy(labels, ours)
        loss.backward()
        expected = torch.nn.functional.cross_entropy(theirs, labels)
        expected.backward()
    torch.testing.assert_close(loss, expected.full_tensor())
    torch.testing.assert_close(ours.grad.full_tensor(), theirs.grad.full_tensor())


@on_ranks
def rows_may_be_split_by_another_dimension_of_the_mesh(rank):
    """Each process has the loss of its own rows; the global normalizer makes it that of all."""
    mesh = init_device_mesh("cpu", (2, rank.count // 2), mesh_dim_names=("dp", "tp"))
    labels = np.where(np.arange(len(LABELS)) < 4, -100, LABELS)
    z = distribute_tensor(torch.tensor(LOGITS), mesh, [Along(0), Along(1)]).requires_grad_()
    ids = distribute_tensor(torch.tensor(labels), mesh, [Along(0), Replicate()])
    group = mesh.get_group("dp")
    normalizer = parallel.global_normalizer((ids.to_local() != -100).sum(), gradients="sum", group=group)
    loss = parallel.cross_entropy(ids, z, ignore_class=-100, normalizer=normalizer)
    loss.backward()
    dist.all_reduce(loss.detach(), group=group)
    value, gradient = reference.of_logits(LOGITS, labels, ignore_class=-100)
    close(loss, value, torch.float64, "2-D mesh")
    close(z.grad.full_tensor(), gradient, torch.float64, "gradient on a 2-D mesh")


@on_ranks
def a_dtensor_placed_otherwise_is_refused(rank):
    mesh = init_device_mesh("cpu", (rank.count,))
    ids = torch.tensor(LABELS)
    whole, rows, split = (distribute_tensor(torch.tensor(LOGITS), mesh, [p]) for p in (Replicate(), Along(0), Along(1)))
    for z in (whole, rows):
        refused(lambda z=z: parallel.cross_entropy(ids, z), ValueError, "split by exactly one dimension of the mesh")
    labels = distribute_tensor(ids, mesh, [Along(0)])
    refused(lambda: parallel.cross_entropy(labels, split), ValueError, "needs the same rows")
    flat = init_device_mesh("cpu", (1, rank.count))
    weight = distribute_tensor(torch.tensor(MATRIX), flat, [Replicate(), Along(0)])
    refused(lambda: parallel.linear_cross_entropy(torch.tensor(HIDDEN), weight, ids), ValueError, "mesh['tp']")


@on_ranks
def unequal_counts_train_ddp_as_one_batch(rank):
    """Some processes have few labels that count, one has none; with weights, and with micro-batches."""
    rows = np.arange(len(LABELS))
    mine = torch.tensor(rows % rank.count == rank.number)
    labels = np.where((rows < 7) & (rows % rank.count < rank.count - 1), LABELS, -100)
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
        weighted = None if reduction == "sum_over_batch_size" else WEIGHT
        expected = reference.of_hidden(
            HIDDEN, MATRIX, labels, BIAS, ignore_class=-100, reduction=reduction, sample_weight=weighted
        )
        model = torch.nn.Linear(*MATRIX.T.shape).double()
        with torch.no_grad():
            model.weight.copy_(torch.tensor(MATRIX))
            model.bias.copy_(torch.tensor(BIAS))
        replica = torch.nn.parallel.DistributedDataParallel(model)
        own_labels, hidden, weight = torch.tensor(labels)[mine], torch.tensor(HIDDEN)[mine], torch.tensor(WEIGHT)[mine]
        counted = own_labels != -100
        count = counted.sum() if weighted is None else weight[counted].sum()
        normalizer = parallel.global_normalizer(count, gradients="mean")
        criterion = losslab.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)
        value = torch.zeros((), dtype=torch.float64)
        for part, keep_apart in ((slice(0, 2), replica.no_sync()), (slice(2, None), contextlib.nullcontext())):
            with keep_apart:
                sample_weight = None if weighted is None else weight[part]
                logits = replica(hidden[part])
                loss = criterion(own_labels[part], logits, sample_weight=sample_weight, normalizer=normalizer)
                loss.backward()
                value += loss.detach()
        dist.all_reduce(value)
        close(value / rank.count, expected[0], torch.float64, "DDP")
        close(model.weight.grad, expected[2], torch.float64, "DDP's gradient")
        close(model.bias.grad, expected[3], torch.float64, "DDP's gradient of the bias")


@on_ranks
def nothing_counts_anywhere(rank):
    normalizer = parallel.global_normalizer(torch.tensor(0), gradients="mean")
    z = torch.zeros(2, 3, requires_grad=True)
    loss = losslab.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)(
        torch.tensor([-1, -1]), z, normalizer=normalizer
    )
    loss.backward()
    assert loss == 0
    assert not z.grad.any()


def refused(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()


if __name__ == "__main__":
    failures = run(int(sys.argv[1]))
    print(f"{len(PROPERTIES)} properties, {failures} failed processes")
    sys.exit(failures)
