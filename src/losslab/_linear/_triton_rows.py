"""The row step as Triton kernels: each reads a row of logits once, and computes in float32 whatever their dtype.

The two functions are those of `_torch_rows`. Where there are too few rows to fill a GPU, each is cut into splits.
"""

import torch
import triton
import triton.language as tl

from . import _torch_rows
from ._options import RowOptions

Tensor = torch.Tensor

# From registers and loads in flight, not from timings: `benchmarks/gpu.py --kernels` takes those.
_BLOCK = 4096  # classes at a time: 16 to a thread, two loads of 16 bytes each in half precision
_WARPS = 8
_STAGES = 2  # the next block is on its way while the sums of this one wait for its maximum
_PROGRAMS = 512  # enough to fill a GPU: a few for each of the 132 multiprocessors of an H100


def statistics(logits: Tensor, labels: Tensor, options: RowOptions, first: int = 0) -> Tensor:
    """(3, B) in float32: the log-sum-exp, the label's logit and the weighted sum, as in `_torch_rows`."""
    rows, columns = logits.shape
    if not (rows and columns):
        return _torch_rows.statistics(logits, labels, options, first)
    splits, span = _splits(rows, columns)
    parts = logits.new_empty((3, splits, rows), dtype=torch.float32)
    with torch.cuda.device_of(logits):
        _statistics_kernel[(rows, splits)](
            logits,
            labels.contiguous(),
            _weights(options, logits),
            parts,
            logits.stride(0),
            columns,
            first,
            span,
            *_scaling(options),
            smoothed=options.label_smoothing > 0,
            block=_block(columns),
            stages=_STAGES,
            num_warps=_warps(columns),
        )
    return parts[:, 0] if splits == 1 else torch.cat((parts[:1].logsumexp(1), parts[1:].sum(1)))


def gradient_(
    logits: Tensor, labels: Tensor, lse: Tensor, scale: Tensor, options: RowOptions, classes: int, first: int = 0
) -> None:
    """Overwrite the logits with the derivative of Σ scale·value with respect to them, as in `_torch_rows`.

    A row with scale 0 becomes 0 whatever is in it, and is not read; a label that is no class makes its row NaN.
    """
    write_gradient(logits, logits, labels, lse, scale, options, classes, first)


def write_gradient(
    result: Tensor,
    logits: Tensor,
    labels: Tensor,
    lse: Tensor,
    scale: Tensor,
    options: RowOptions,
    classes: int,
    first: int = 0,
) -> None:
    """The same into `result`, (B, V_local), which may be the logits themselves."""
    rows, columns = logits.shape
    if not (rows and columns):
        return
    splits, span = _splits(rows, columns)
    smoothing = options.label_smoothing
    with torch.cuda.device_of(logits):
        _gradient_kernel[(rows, splits)](
            result,
            logits,
            labels.contiguous(),
            lse.contiguous(),
            scale.contiguous(),
            _weights(options, logits),
            result.stride(0),
            logits.stride(0),
            columns,
            classes,
            first,
            span,
            *_scaling(options),
            1.0 / options.temperature,
            1.0 - smoothing,
            smoothing / classes,
            smoothing * options.mean_weight(classes),
            2.0 * options.z_loss,
            smoothed=smoothing > 0,
            block=_block(columns),
            num_warps=_warps(columns),
        )


def _splits(rows: int, columns: int) -> tuple[int, int]:
    """Into how many parts a row is cut, and the classes in each: whole blocks."""
    blocks = _quotient(columns, _BLOCK)
    blocks_each = _quotient(blocks, max(1, _PROGRAMS // rows))
    return _quotient(blocks, blocks_each), blocks_each * _BLOCK


def _quotient(a: int, b: int) -> int:
    """Rounded up."""
    return -(-a // b)


def _block(columns: int) -> int:
    return min(_BLOCK, 1 << (columns - 1).bit_length())


def _warps(columns: int) -> int:
    return max(1, _WARPS * _block(columns) // _BLOCK)


def _weights(options: RowOptions, logits: Tensor) -> Tensor | None:
    return None if options.class_weight is None else _torch_rows.class_weights(options, torch.float32, logits.device)


def _scaling(options: RowOptions) -> tuple[float | None, float | None]:
    """What logits are multiplied by before a tanh, and after it; None: no tanh, no multiplication."""
    if options.softcap is not None:
        return 1.0 / options.softcap, options.softcap / options.temperature
    return None, None if options.temperature == 1.0 else 1.0 / options.temperature


@triton.jit
def _statistics_kernel(
    logits,
    labels,
    class_weight,
    parts,  # (3, splits, rows)
    row_stride,
    columns,
    first,
    span,
    inner,
    outer,
    smoothed: tl.constexpr,
    block: tl.constexpr,
    stages: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)  # row * row_stride passes 2^31
    split = tl.program_id(1)
    logits += row * row_stride
    begin = split * span
    end = tl.minimum(begin + span, columns)

    local = tl.load(labels + row).to(tl.int64) - first
    inside = (local >= begin) & (local < end)
    target = _scaled(tl.load(logits + local, mask=inside, other=0.0).to(tl.float32), inner, outer)

    # An online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867): one maximum for the row, sums by lane
    largest = float("-inf")
    sums = tl.zeros((block,), tl.float32)
    totals = tl.zeros((block,), tl.float32)
    for start in tl.range(begin, end, block, num_stages=stages):
        at = start + tl.arange(0, block)
        here = at < end
        u = _scaled(tl.load(logits + at, mask=here, other=0.0).to(tl.float32), inner, outer)
        if smoothed:
            totals += tl.where(here, _times_weight(u, class_weight, first + at, here), 0.0)
        u = tl.where(here, u, float("-inf"))
        larger = tl.maximum(largest, tl.max(u, 0))
        shift = tl.where(larger == float("-inf"), 0.0, larger)  # -inf alone so far: exp(-inf - -inf) would be NaN
        sums = sums * tl.exp(largest - shift) + tl.exp(u - shift)
        largest = larger
    shift = tl.where(largest == float("-inf"), 0.0, largest)
    lse = shift + tl.log(tl.sum(sums, 0))

    rows = tl.num_programs(0)
    plane = rows.to(tl.int64) * tl.num_programs(1)
    parts += split * rows + row
    tl.store(parts, lse)
    tl.store(parts + plane, target)
    tl.store(parts + 2 * plane, tl.sum(totals, 0))


@triton.jit
def _gradient_kernel(
    result,
    logits,
    labels,
    lse,
    scale,
    class_weight,
    result_stride,
    row_stride,
    columns,
    classes,
    first,
    span,
    inner,
    outer,
    per_temperature,
    label_share,  # 1 - ε
    class_share,  # ε / V
    mean_share,  # (ε / V) Σ w
    z_loss_twice,
    smoothed: tl.constexpr,
    block: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    result += row * result_stride
    logits += row * row_stride
    begin = tl.program_id(1) * span
    end = tl.minimum(begin + span, columns)

    label = tl.load(labels + row).to(tl.int64)
    known = (label >= 0) & (label < classes)
    place = (label - first).to(tl.int32)  # of a class in 32 bits; outside the shard it meets no class of it
    scale_here = tl.load(scale + row).to(tl.float32)
    used = scale_here != 0.0
    # An unused row is not read: finite numbers stand in for what is there, and 0 times them is written
    read_end = tl.where(used, end, begin)
    lse_here = tl.where(used, tl.load(lse + row).to(tl.float32), 0.0)

    at_label = _times_weight(label_share, class_weight, label, known)
    at_softmax = at_label + mean_share + z_loss_twice * lse_here
    factor = tl.where(used, tl.where(known, scale_here * per_temperature, float("nan")), 0.0)
    for start in range(begin, end, block):
        at = start + tl.arange(0, block)
        here = at < read_end
        z = tl.load(logits + at, mask=here, other=0.0).to(tl.float32)
        slope = at_softmax * tl.exp(_scaled(z, inner, outer) - lse_here)
        # p - 1 is rounded to the dtype of the logits after the subtraction, not before it
        slope -= tl.where(at == place, at_label, 0.0)
        if smoothed:
            slope -= _times_weight(class_share, class_weight, first + at, here)
        if inner is not None:
            tanh = _tanh(z * inner)
            slope *= 1.0 - tanh * tanh
        tl.store(result + at, (factor * slope).to(result.dtype.element_ty), mask=at < end)


@triton.jit
def _scaled(z, inner, outer):
    if inner is not None:
        z = _tanh(z * inner)
    if outer is not None:
        z = z * outer
    return z


@triton.jit
def _times_weight(x, class_weight, at, here):
    if class_weight is not None:
        x = x * tl.load(class_weight + at, mask=here, other=0.0)
    return x


@triton.jit
def _tanh(x):
    """Exact to float32's rounding: a quotient of exponentials, and near 0, where that cancels, a Taylor polynomial."""
    small = tl.exp(-2.0 * tl.abs(x))
    large = (1.0 - small) / (1.0 + small)
    square = x * x
    series = x + x * square * (-1 / 3 + square * (2 / 15 + square * (-17 / 315 + square * (62 / 2835))))
    return tl.where(tl.abs(x) < 0.25, series, tl.where(x < 0.0, -large, large))
