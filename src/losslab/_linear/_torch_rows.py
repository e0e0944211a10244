"""The row step on PyTorch: what rows of logits give, and their gradient in place, block by block.

Blocks of rows, so that what an operation writes is still in the cache when the next one reads it.
"""

import functools
from collections.abc import Iterator

import torch

from ._options import RowOptions

Tensor = torch.Tensor

_CPU_BLOCK = 2**22  # elements, 16 MiB of float32: in the last cache, and worth waking threads for at every operation


def statistics(logits: Tensor, labels: Tensor, options: RowOptions, first: int = 0) -> Tensor:
    """What the value of a row needs of its logits, for all classes or for a shard of them.

    Args:
        logits: (B, V_local), the classes first … first + V_local - 1; never written to.
        labels: (B,) class ids among all classes; any integer where the row's statistics are not used.
        first: the first class of the shard.

    Returns:
        (3, B), in float64 for float64 logits, else float32: the log-sum-exp, -inf for a shard without classes; the
        logit of the label, after softcap and temperature, 0 where the shard lacks it; Σ w·u over the shard with label
        smoothing, else 0.
    """
    result = torch.zeros(3, logits.shape[0], dtype=float_dtype(logits), device=logits.device)
    lse, target, total = result.unbind()
    if not logits.shape[1]:
        lse.fill_(-torch.inf)
        return result
    local, inside = _local(labels, first, logits.shape[1])
    weight = _shard_weights(logits, options, first, result.dtype) if options.label_smoothing else None
    for rows in _blocks(logits):
        u = _scaled(logits[rows].to(result.dtype), options)
        lse[rows] = _logsumexp(u)
        target[rows] = u.gather(1, local[rows, None])[:, 0]
        if options.label_smoothing:
            total[rows] = u.sum(dim=1) if weight is None else u @ weight
    target.masked_fill_(~inside, 0.0)
    return result


def values(rows: Tensor, labels: Tensor, options: RowOptions, classes: int) -> Tensor:
    """The loss of each row, (B,), from the statistics (3, B) over all classes."""
    lse, target, total = rows.unbind()
    value = _label_share(labels, options, classes, lse) * (lse - target)
    if options.label_smoothing:
        value += options.label_smoothing * (options.mean_weight(classes) * lse - total / classes)
    return value + options.z_loss * lse.square() if options.z_loss else value


def gradient_(
    logits: Tensor, labels: Tensor, lse: Tensor, scale: Tensor, options: RowOptions, classes: int, first: int = 0
) -> None:
    """Overwrite the logits with the derivative of Σ scale·value with respect to them.

    Args:
        logits: (B, V_local), as in `statistics`.
        labels: (B,) class ids among all classes; any integer where `scale` is 0.
        lse: (B,) the log-sum-exp over all classes.
        scale: (B,) what the value of each row is multiplied by; 0 for a row that is ignored.
        classes: the number of all classes.
        first: the first class of the shard.
    """
    if not logits.shape[1]:
        return
    local, inside = _local(labels, first, logits.shape[1])
    outer = scale / options.temperature
    share = _label_share(labels, options, classes, lse)
    smoothing = options.label_smoothing
    of_softmax = outer * (share + smoothing * options.mean_weight(classes) + 2.0 * options.z_loss * lse)
    of_label = torch.where(inside, -outer * share, 0.0)
    of_all = outer * (-smoothing / classes) if smoothing else None
    weight = _shard_weights(logits, options, first, lse.dtype) if smoothing else None
    for rows in _blocks(logits):
        u = logits[rows].to(lse.dtype)
        slope = _softcap_slope(u, options)
        _scaled_(u, options).sub_(lse[rows, None]).exp_().mul_(of_softmax[rows, None])
        u.scatter_add_(1, local[rows, None], of_label[rows, None])
        if of_all is not None:
            u.add_(of_all[rows, None]) if weight is None else u.addr_(of_all[rows], weight)
        if slope is not None:
            u.mul_(slope)
        if logits.dtype != u.dtype:
            logits[rows] = u


def float_dtype(logits: Tensor) -> torch.dtype:
    """Of the statistics: half precision is computed in float32."""
    return torch.float64 if logits.dtype == torch.float64 else torch.float32


def _blocks(logits: Tensor) -> Iterator[slice]:
    size, classes = logits.shape
    count = max(1, _CPU_BLOCK // classes if logits.device.type == "cpu" else size)
    return (slice(start, min(start + count, size)) for start in range(0, size, count))


def _logsumexp(u: Tensor) -> Tensor:
    """As torch.logsumexp, in half its time on a CPU, where log_softmax is one pass."""
    highest = u.amax(dim=1)
    return torch.where(highest == -torch.inf, highest, highest - torch.log_softmax(u, dim=1).amax(dim=1))


def _local(labels: Tensor, first: int, classes: int) -> tuple[Tensor, Tensor]:
    """The place of each label in the shard, and whether it is there."""
    local = labels - first
    inside = (local >= 0) & (local < classes)
    return torch.where(inside, local, 0), inside


def _scaled(z: Tensor, options: RowOptions) -> Tensor:
    if options.softcap is not None:
        return (z / options.softcap).tanh_().mul_(options.softcap / options.temperature)
    return z if options.temperature == 1.0 else z / options.temperature


def _scaled_(z: Tensor, options: RowOptions) -> Tensor:
    """The same in place."""
    if options.softcap is not None:
        return z.div_(options.softcap).tanh_().mul_(options.softcap / options.temperature)
    return z if options.temperature == 1.0 else z.div_(options.temperature)


def _softcap_slope(z: Tensor, options: RowOptions) -> Tensor | None:
    """1 - tanh²(z / softcap)."""
    if options.softcap is None:
        return None
    tanh = (z / options.softcap).tanh_()
    return tanh.square_().neg_().add_(1.0)


def _label_share(labels: Tensor, options: RowOptions, classes: int, like: Tensor) -> Tensor:
    """(1 - ε) w_y for each row."""
    share = 1.0 - options.label_smoothing
    if options.class_weight is None:
        return torch.full_like(like, share)
    weight = class_weights(options, like.dtype, like.device)
    return share * weight[labels.clamp(0, classes - 1)]


def _shard_weights(logits: Tensor, options: RowOptions, first: int, dtype: torch.dtype) -> Tensor | None:
    """The class weights of the shard's classes; None where every class has weight 1."""
    if options.class_weight is None:
        return None
    return class_weights(options, dtype, logits.device)[first : first + logits.shape[1]]


@functools.lru_cache(maxsize=16)
def class_weights(options: RowOptions, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The class weights as a tensor, moved to a device once."""
    return torch.tensor(options.class_weight, dtype=dtype, device=device)
