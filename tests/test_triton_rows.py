"""The row step as Triton kernels, in Triton's interpreter.

On a GPU: CUDA_VISIBLE_DEVICES=0 TRITON_INTERPRET=0 pytest tests/test_triton_rows.py
"""

import dataclasses
import itertools
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from losslab._linear._class import LinearCrossEntropy
from losslab._linear._options import RowOptions

pytest.importorskip("triton", reason="triton is not installed here: `make test` has an environment for it")
torch = pytest.importorskip("torch", reason="torch is not installed")

from losslab._linear import _rows, _torch_chunks, _torch_rows, _triton_rows  # noqa: E402

statistics, gradient_ = _triton_rows.statistics, _triton_rows.gradient_
DEVICE = "cpu" if os.environ["TRITON_INTERPRET"] == "1" else "cuda"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# Of the gradient, relative; the interpreter cuts a bfloat16 off where a GPU rounds it
ROUNDING = {torch.float32: 0.0, torch.bfloat16: 2**-7 if DEVICE == "cpu" else 2**-8, torch.float16: 2**-11}
CHOICES = {
    "class_weight": (False, True),
    "label_smoothing": (0.0, 0.1),
    "softcap": (None, 5.0),
    "temperature": (1.0, 0.7),
    "z_loss": (0.0, 0.01),
}
COMBINATIONS = [dict(zip(CHOICES, chosen, strict=True)) for chosen in itertools.product(*CHOICES.values())]
EVERYTHING = COMBINATIONS[-1]

pytestmark = pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")  # the interpreter's maximum, in NumPy


@pytest.fixture(autouse=True)
def _as_quiet_as_a_gpu():
    with np.errstate(all="ignore"):
        yield


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 32 classes: 100 classes are three of them and a part."""
    monkeypatch.setattr(_triton_rows, "_BLOCK", 32)


def options_of(combination, classes):
    weights = tuple(0.5 + (7 * k % 10) / 10 for k in range(classes)) if combination["class_weight"] else None
    return RowOptions(**{**combination, "class_weight": weights})


def batch(rows, classes, dtype=torch.float32, seed=0):
    """Logits, labels and scales; among the scales a negative one."""
    generator = torch.Generator().manual_seed(seed)
    logits = (4 * torch.randn(rows, classes, generator=generator)).to(dtype)
    labels = torch.randint(0, max(classes, 1), (rows,), generator=generator)
    scale = torch.rand(rows, generator=generator) - 0.25
    return logits.to(DEVICE), labels.to(DEVICE), scale.to(DEVICE)


def scaled(logits, options):
    u = logits if options.softcap is None else options.softcap * torch.tanh(logits / options.softcap)
    return u / options.temperature


def weights_of(options, logits):
    return torch.ones_like(logits[0]) if options.class_weight is None else logits.new_tensor(options.class_weight)


def expected_statistics(logits, labels, options):
    """From the definitions, in float64."""
    u = scaled(logits.double(), options)
    total = u @ weights_of(options, u) if options.label_smoothing else torch.zeros_like(u[:, 0])
    return torch.stack((torch.logsumexp(u, 1), u.gather(1, labels[:, None])[:, 0], total))


def expected_gradient(logits, labels, scale, options):
    """Of the definition of the loss, by autograd in float64."""
    logits = logits.double().requires_grad_()
    u = scaled(logits, options)
    lse = torch.logsumexp(u, 1, keepdim=True)
    one_hot = torch.nn.functional.one_hot(labels, logits.shape[1])
    share = (1 - options.label_smoothing) * one_hot + options.label_smoothing / logits.shape[1]
    values = (share * weights_of(options, u) * (lse - u)).sum(1) + options.z_loss * lse[:, 0].square()
    (values * scale.double()).sum().backward()
    return logits.grad


def gradient(logits, labels, scale, options, classes=None, first=0, lse=None):
    """Of the kernel, out of place."""
    lse = expected_statistics(logits, labels, options)[0].float() if lse is None else lse
    result = logits.clone()
    gradient_(result, labels, lse, scale, options, classes or logits.shape[1], first)
    return result


def assert_close(actual, expected, tolerance=2e-6, rounding=0.0):
    """Within `tolerance` of the largest number expected, and within the rounding of each."""
    error = (actual.double() - expected).abs()
    allowed = tolerance * expected.abs().max().clamp(min=1e-3) + rounding * expected.abs()
    assert (error <= allowed).all(), f"largest error {error.max()}, {(error / allowed).max()} times the allowed"


def check(logits, labels, scale, options):
    for actual, expected in zip(
        statistics(logits, labels, options), expected_statistics(logits, labels, options), strict=True
    ):
        assert_close(actual, expected)
    expected = expected_gradient(logits, labels, scale, options)
    assert_close(gradient(logits, labels, scale, options), expected, rounding=ROUNDING[logits.dtype])


@pytest.mark.parametrize(("dtype", "programs"), [("float32", 1), ("float32", 6), ("bfloat16", 1), ("float16", 12)])
def test_every_combination_of_options(dtype, programs, small_blocks, monkeypatch):
    """A row whole, in two splits or in four."""
    monkeypatch.setattr(_triton_rows, "_PROGRAMS", programs)
    for combination in COMBINATIONS:
        check(*batch(3, 100, DTYPES[dtype]), options_of(combination, 100))


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (2, 31), (2, 32), (2, 33), (1, 70_000), (2, 4097)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_shape(shape, dtype):
    check(*batch(*shape, DTYPES[dtype]), options_of(EVERYTHING, shape[1]))


def test_a_few_wide_rows_are_split():
    assert _triton_rows._splits(1, 70_000) == (18, 4096)
    assert _triton_rows._splits(200, 100_000) == (2, 13 * 4096)  # 25 blocks: the second has one less
    assert _triton_rows._splits(8192, 128_256) == (1, 32 * 4096)


def test_nothing_to_do():
    options = options_of(EVERYTHING, 5)
    logits, labels, scale = batch(0, 5)
    assert statistics(logits, labels, options).shape == (3, 0)
    gradient_(logits, labels, scale, scale, options, 5)
    logits, labels, scale = batch(4, 0)
    assert torch.equal(statistics(logits, labels, options)[0], torch.full((4,), -torch.inf, device=DEVICE))
    gradient_(logits, labels, scale, scale, options, 5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_shards_of_the_classes_give_what_all_of_them_give(dtype, small_blocks):
    """Of different sizes, one of them empty; labels at every border."""
    borders = [0, 3, 3, 64, 99, 100]
    options = options_of(EVERYTHING, 100)
    labels = torch.tensor([0, 2, 3, 63, 64, 98, 99], device=DEVICE)
    logits, _, scale = batch(len(labels), 100, DTYPES[dtype])
    shards = [(first, logits[:, first:end].contiguous()) for first, end in itertools.pairwise(borders)]
    weights = weights_of(options, logits.double())

    parts = torch.stack([statistics(shard, labels, options, first) for first, shard in shards])
    expected = expected_statistics(logits, labels, options)
    assert_close(torch.logsumexp(parts[:, 0], 0), expected[0])
    assert_close(parts[:, 1].sum(0), expected[1])
    assert_close(parts[:, 2].sum(0), scaled(logits.double(), options) @ weights)
    for (first, shard), (_, target, _) in zip(shards, parts, strict=True):
        outside = (labels < first) | (labels >= first + shard.shape[1])
        assert not target[outside].any()

    lse = expected[0].float()
    slopes = [gradient(shard, labels, scale, options, 100, first, lse) for first, shard in shards]
    whole = expected_gradient(logits, labels, scale, options)
    assert_close(torch.cat(slopes, 1), whole, rounding=ROUNDING[logits.dtype])


def test_what_the_torch_rows_give():
    logits, labels, scale = batch(6, 500)
    options = options_of(EVERYTHING, 500)
    ours, theirs = (rows.statistics(logits, labels, options) for rows in (_triton_rows, _torch_rows))
    assert ours.dtype == theirs.dtype
    for mine, other in zip(ours, theirs, strict=True):
        assert_close(mine, other.double())
    slope = logits.clone()
    _torch_rows.gradient_(slope, labels, theirs[0], scale, options, 500)
    assert_close(gradient(logits, labels, scale, options, lse=ours[0]), slope.double())


def test_an_unused_row_is_zero_whatever_is_in_it(small_blocks):
    options = options_of(EVERYTHING, 100)
    for anything in (float("nan"), float("inf"), -float("inf"), 3e38):
        logits, labels, scale = batch(4, 100)
        expected = expected_gradient(logits[::2], labels[::2], scale[::2], options)
        lse = expected_statistics(logits, labels, options)[0].float()
        logits[1::2], lse[1::2], scale[1::2] = anything, anything, 0.0
        labels[1], labels[3] = -100, 10**12
        slope = gradient(logits, labels, scale, options, lse=lse)
        assert not slope[1::2].any()
        assert_close(slope[::2], expected)


@pytest.mark.parametrize("wrong", [-1, 100, -(10**12), 2**32 + 5])
def test_a_label_that_is_no_class_makes_its_row_nan_and_no_other(wrong, small_blocks):
    for combination in (COMBINATIONS[0], EVERYTHING):
        options = options_of(combination, 100)
        logits, labels, scale = batch(3, 100)
        expected = expected_gradient(logits, labels, scale, options)
        lse = expected_statistics(logits, labels, options)[0].float()
        labels[1] = wrong
        slope = gradient(logits, labels, scale, options, lse=lse)
        assert slope[1].isnan().all()
        assert_close(slope[::2], expected[::2])
        lse, target, _ = statistics(logits, labels, options)
        assert lse.isfinite().all()
        assert target[1] == 0


def test_classes_that_are_ruled_out(small_blocks):
    """Logits of -inf, a whole block of them first: probability 0, gradient 0."""
    options = RowOptions(temperature=0.7, z_loss=0.01)
    logits, labels, scale = batch(3, 100)
    logits[:, :40] = -torch.inf
    labels.fill_(60)
    check(logits, labels, scale, options)
    assert not gradient(logits, labels, scale, options)[:, :40].any()
    logits[1] = -torch.inf
    assert statistics(logits, labels, options)[0, 1] == -torch.inf


def test_nan_stays_in_its_row(small_blocks):
    logits, labels, scale = batch(3, 100)
    logits[1, 70] = torch.nan
    options = options_of(EVERYTHING, 100)
    lse = statistics(logits, labels, options)[0]
    assert lse.isnan().tolist() == [False, True, False]
    assert gradient(logits, labels, scale, options, lse=lse)[1].isnan().all()


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_large_logits(shift, small_blocks):
    logits, labels, scale = batch(3, 100)
    options = RowOptions()
    lse = statistics(logits + shift, labels, options)[0]
    assert_close(lse, torch.logsumexp((logits + shift).double(), 1), tolerance=1e-7)
    spread = 1e4 * logits
    assert_close(statistics(spread, labels, options)[0], torch.logsumexp(spread.double(), 1), tolerance=1e-7)
    assert gradient(spread, labels, scale, options).isfinite().all()


def test_a_softcap_is_exact_near_zero_and_far_away():
    """Relative to each logit: 1 - 2 / (e^2x + 1) would lose every digit of a small one."""
    logits = torch.tensor([[s * 10.0**k] for k in range(-30, 31) for s in (-1, 1, -3, 3)], device=DEVICE)
    near = 30.0 * torch.linspace(0.2, 0.3, 41, device=DEVICE)[:, None]  # where one formula of tanh becomes the other
    logits = torch.cat((logits, near, -near))
    labels = torch.zeros(len(logits), dtype=torch.int64, device=DEVICE)
    _, target, _ = statistics(logits, labels, RowOptions(softcap=30.0))
    expected = 30.0 * torch.tanh(logits[:, 0].double() / 30.0)
    assert ((target - expected).abs() <= 3e-7 * expected.abs()).all()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_gradient_of_a_near_certain_label_keeps_its_digits(dtype):
    """p - 1 for p = 0.9999: rounded to half precision after the subtraction, not before."""
    logits = torch.zeros(1, 8, dtype=DTYPES[dtype], device=DEVICE)
    logits[0, 3] = 11.0
    labels, scale = torch.tensor([3], device=DEVICE), torch.tensor([1.0], device=DEVICE)
    expected = expected_gradient(logits, labels, scale, RowOptions())
    slope = gradient(logits, labels, scale, RowOptions())
    assert_close(slope, expected, tolerance=1e-3, rounding=ROUNDING[logits.dtype])
    assert slope[0, 3] < 0


def test_sums_are_taken_in_float32():
    """70,000 equal logits in half precision: log 70,000 more than each."""
    logits = torch.full((2, 70_000), 3.0, dtype=torch.bfloat16, device=DEVICE)
    labels = torch.tensor([0, 69_999], device=DEVICE)
    lse, _, total = statistics(logits, labels, RowOptions(label_smoothing=0.1))
    assert_close(lse, torch.full((2,), 3 + np.log(70_000), dtype=torch.float64, device=DEVICE), tolerance=1e-6)
    assert_close(total, torch.full((2,), 210_000.0, dtype=torch.float64, device=DEVICE), tolerance=1e-6)


def test_rows_apart_in_memory(small_blocks):
    """A slice of wider rows; labels, scales and log-sum-exps that are every other number; int32 labels."""
    options = options_of(EVERYTHING, 100)
    wide, labels, scale = batch(4, 120)
    labels = labels % 100
    before, logits = wide.clone(), wide[:, 10:110]
    expected = expected_gradient(logits, labels, scale, options)
    lse = expected_statistics(logits, labels, options)[0].float()
    labels, lse, scale = (x.repeat_interleave(2)[::2] for x in (labels.int(), lse, scale))
    found = statistics(logits, labels, options)
    assert torch.equal(wide, before), "statistics wrote to its logits"
    assert_close(found[1], expected_statistics(logits, labels.long(), options)[1])
    gradient_(logits, labels, lse, scale, options, 100)
    assert_close(logits, expected)
    assert torch.equal(wide[:, :10], before[:, :10])
    assert torch.equal(wide[:, 110:], before[:, 110:])


def test_offsets_beyond_31_bits():
    """Three rows 2^30 numbers apart: memory that is reserved, and touched in three places."""
    apart, logits = 2**30, batch(3, 50, torch.float16)[0]
    rows = torch.empty(2 * apart + 50, dtype=torch.float16, device=DEVICE).as_strided((3, 50), (apart, 1))
    rows.copy_(logits)
    labels, scale = torch.tensor([1, 2, 3], device=DEVICE), torch.ones(3, device=DEVICE)
    check(rows.clone(), labels, scale, RowOptions())
    lse = statistics(rows, labels, RowOptions())[0]
    assert_close(lse, expected_statistics(logits, labels, RowOptions())[0])
    gradient_(rows, labels, lse, scale, RowOptions(), 50)
    assert_close(rows, expected_gradient(logits, labels, scale, RowOptions()), rounding=ROUNDING[torch.float16])


def test_a_linear_cross_entropy_on_the_kernels(small_blocks, monkeypatch):
    """The gradients of the chunked driver, two tokens at a time, one of them ignored."""
    monkeypatch.setattr(_torch_chunks, "rows_for", lambda logits: _triton_rows)
    monkeypatch.setattr(_torch_chunks.Head, "rows_per_chunk", 2)
    generator = torch.Generator().manual_seed(0)
    hidden, weight = (torch.randn(size, 12, generator=generator).to(DEVICE).requires_grad_() for size in (5, 100))
    labels = torch.tensor([3, 99, -100, 0, 50], device=DEVICE)
    options = options_of(EVERYTHING, 100)
    loss = LinearCrossEntropy(reduction="sum", ignore_class=-100, **dataclasses.asdict(options))
    used = labels >= 0
    logits = hidden.detach().double() @ weight.detach().double().T
    slope = expected_gradient(logits[used], labels[used], torch.ones(4, device=DEVICE), options)
    total = loss(hidden, weight, labels)
    for found in (torch.autograd.grad(total, (hidden, weight)), loss.value_and_grad(hidden, weight, labels)[1]):
        assert_close(found[0][used], slope @ weight.detach().double(), tolerance=1e-5)
        assert_close(found[1], slope.T @ hidden.detach()[used].double(), tolerance=1e-5)
        assert not found[0][2].any()


def on_gpu(dtype=torch.float32, stride=1):
    """What `rows_for` sees of a tensor on a GPU."""
    return types.SimpleNamespace(is_cuda=True, dtype=dtype, stride=lambda _: stride)


def test_which_rows_serve_a_tensor(monkeypatch):
    assert _rows.rows_for(torch.zeros(2, 3)) is _torch_rows
    for dtype in DTYPES.values():
        assert _rows.rows_for(on_gpu(dtype)) is _triton_rows
    assert _rows.rows_for(on_gpu(torch.float64)) is _torch_rows
    assert _rows.rows_for(on_gpu(stride=2)) is _torch_rows
    monkeypatch.setattr(_rows, "_TRITON", False)
    assert _rows.rows_for(on_gpu()) is _torch_rows


COMPILED = """
import sys
import torch
from losslab._linear._rows import rows_for

rows_for(torch.zeros(2, 3))
assert "triton" not in sys.modules, "triton is imported for a tensor on the CPU"

from triton.backends.compiler import GPUTarget
from triton.runtime import JITFunction, driver
from losslab._linear import _triton_rows
from losslab._linear._options import RowOptions


class Absent:
    "A GPU to compile for."

    def __init__(self, capability):
        self.get_current_target = lambda: GPUTarget("cuda", capability, 32)
        self.get_current_device = lambda: capability
        self.get_current_stream = lambda device: 0


def compiled_only(kernel, grid):
    return lambda *args, **options: compiled.append(kernel.run(*args, grid=grid, warmup=True, **options))


JITFunction.__getitem__ = compiled_only
everything = RowOptions((1.0, 2.0) * 25_000, 0.1, 30.0, 0.7, 1e-4)
for capability in (80, 90, 100):
    driver.set_active(Absent(capability))
    for options, classes, dtype in (
        (RowOptions(), 1, torch.float32),
        (RowOptions(softcap=30.0), 4096, torch.float16),
        (everything, 50_000, torch.bfloat16),
    ):
        compiled = []
        logits, scale = torch.zeros(2, classes, dtype=dtype), torch.ones(2)
        labels = torch.zeros(2, dtype=torch.int64)
        _triton_rows.statistics(logits, labels, options)
        _triton_rows.gradient_(logits, labels, scale, scale, options, classes)
        assert len(compiled) == 2
        for kernel in compiled:
            wide = "cp.async.cg" in kernel.asm["ptx"] or "ld.global.v4" in kernel.asm["ptx"]
            assert classes == 1 or wide, f"{kernel.metadata.name}: its loads are narrower than 16 bytes"
"""


@pytest.mark.skipif(DEVICE == "cuda", reason="the other tests compile them")
def test_the_compiler_takes_the_kernels_that_the_interpreter_ran(tmp_path):
    """As they are called, launch aside, for GPUs that are not there; and their import waits for a tensor on a GPU.

    In a process without the interpreter, which forgives what the compiler does not.
    """
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", COMPILED], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
