"""The driver of NumPy: logits for one chunk of tokens at a time, their rows block by block in the cache."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._ops._numpy import NumpyOps
from ._drivers import Gradients
from ._options import RowOptions
from ._tokens import Tokens

Values = np.ndarray[Any, Any]

_CHUNK_ROWS = 256
_BLOCK = 2**18  # elements: 1 MiB of float32


class NumpyDriver:
    """What `Driver` says, on NumPy."""

    def total(self, tokens: Tokens, coefficient: Values | None, options: RowOptions) -> Any:
        values = self.values(tokens, options)
        return (values if coefficient is None else values * coefficient).sum()

    def values(self, tokens: Tokens, options: RowOptions) -> Values:
        used = _compacted(tokens)
        result = np.empty(len(used.labels), used.hidden.dtype)
        for rows, logits in _chunks(used):
            for block in _blocks(logits):
                result[rows][block] = _row_step(logits[block], used.labels[rows][block], options, None)
        return _spread(result, tokens.used)

    def values_and_gradients(
        self, tokens: Tokens, coefficient: Values | None, options: RowOptions
    ) -> tuple[Values, Gradients]:
        used = _compacted(tokens)
        scale = np.ones(len(tokens.labels), used.hidden.dtype) if coefficient is None else coefficient
        scale = scale if tokens.used is None else scale[tokens.used]
        result, d_hidden = np.empty_like(scale), np.empty_like(used.hidden)
        d_weight = np.zeros_like(used.weight)
        d_bias = None if used.bias is None else np.zeros_like(used.bias)
        for rows, logits in _chunks(used):
            for block in _blocks(logits):
                result[rows][block] = _row_step(logits[block], used.labels[rows][block], options, scale[rows][block])
            np.matmul(logits, used.weight, out=d_hidden[rows])
            d_weight += logits.T @ used.hidden[rows]
            if d_bias is not None:
                d_bias += logits.sum(axis=0)
        return _spread(result, tokens.used), (_spread(d_hidden, tokens.used), d_weight, d_bias)


def _compacted(tokens: Tokens) -> Tokens:
    """The tokens in use, in one float dtype: a removed one costs nothing, and what its row holds reaches nothing."""
    dtype = NumpyOps().float_dtype(tokens.hidden)
    keep = slice(None) if tokens.used is None else tokens.used
    bias = None if tokens.bias is None else tokens.bias.astype(dtype, copy=False)
    hidden, weight = (x.astype(dtype, copy=False) for x in (tokens.hidden[keep], tokens.weight))
    return Tokens(hidden, weight, bias, tokens.labels[keep], None)


def _spread(x: Values, used: Values | None) -> Values:
    """Rows at their places among rows of zeros."""
    if used is None:
        return x
    result = np.zeros((len(used), *x.shape[1:]), x.dtype)
    result[used] = x
    return result


def _chunks(tokens: Tokens) -> Iterator[tuple[slice, Values]]:
    """Rows and their logits, in memory that the next chunk overwrites."""
    count = len(tokens.labels)
    buffer = np.empty((min(count, _CHUNK_ROWS), len(tokens.weight)), tokens.hidden.dtype)
    for start in range(0, count, _CHUNK_ROWS):
        rows = slice(start, min(start + _CHUNK_ROWS, count))
        logits = np.matmul(tokens.hidden[rows], tokens.weight.T, out=buffer[: rows.stop - start])
        if tokens.bias is not None:
            logits += tokens.bias
        yield rows, logits


def _blocks(logits: Values) -> Iterator[slice]:
    size, classes = logits.shape
    count = max(1, _BLOCK // classes)
    return (slice(start, min(start + count, size)) for start in range(0, size, count))


def _row_step(logits: Values, labels: Values, options: RowOptions, scale: Values | None) -> Values:
    """The value of each row; with a scale the logits become the gradient of Σ scale·value."""
    rows, classes, smoothing = np.arange(len(labels)), logits.shape[1], options.label_smoothing
    weight = np.ones(1, logits.dtype) if options.class_weight is None else np.array(options.class_weight, logits.dtype)
    share = (1.0 - smoothing) * (weight[labels] if len(weight) == classes else weight)
    mean_share = smoothing * options.mean_weight(classes)
    slope = _scale_(logits, options)
    target, total = logits[rows, labels], (logits * weight).sum(axis=1) if smoothing else 0.0
    lse, sums = _exponentiate_(logits)
    values: Values = share * (lse - target) + mean_share * lse - (smoothing / classes) * total
    if scale is not None:
        outer = scale / options.temperature
        logits *= (outer * (share + mean_share + 2.0 * options.z_loss * lse) / sums)[:, None]
        logits[rows, labels] -= outer * share
        if smoothing:
            logits -= (outer * (smoothing / classes))[:, None] * weight
        if slope is not None:
            logits *= slope
    return values + options.z_loss * np.square(lse)


def _scale_(logits: Values, options: RowOptions) -> Values | None:
    """Apply softcap and temperature; the slope of the softcap, if there is one."""
    if options.softcap is None:
        if options.temperature != 1.0:
            logits /= options.temperature
        return None
    logits /= options.softcap
    np.tanh(logits, out=logits)
    slope: Values = 1.0 - np.square(logits)
    logits *= options.softcap / options.temperature
    return slope


def _exponentiate_(logits: Values) -> tuple[Values, Values]:
    """Leave exp(u - max u) in the place of u; the log-sum-exp, and the sum of what is left."""
    highest = logits.max(axis=1)
    logits -= highest[:, None]
    np.exp(logits, out=logits)
    sums = logits.sum(axis=1)
    return highest + np.log(sums), sums
