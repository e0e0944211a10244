"""The plain formula on the array vocabulary, logits and all: what every driver must equal."""

from .._ops import Array, Ops
from ..losses.classification import expected_of_ids
from ._options import RowOptions
from ._tokens import Tokens


def composed(ops: Ops, tokens: Tokens, options: RowOptions) -> Array:
    """One value per token, 0 where it is not used, NaN where its label is out of range; differentiable to any order."""
    hidden, labels = tokens.hidden, tokens.labels
    if tokens.used is not None:  # before the product: selecting afterwards alone would leave 0 * NaN in the gradient
        hidden = ops.where(ops.expand_dims(tokens.used), hidden, 0.0)
    logits = hidden @ ops.moveaxis(tokens.weight, 0, 1)
    logits = logits if tokens.bias is None else logits + tokens.bias
    values = of_logits(ops, ops.cast(logits, ops.float_dtype(logits)), ops.where(labels < 0, 0, labels), options)
    values = ops.where(labels < 0, float("nan"), values)
    return values if tokens.used is None else ops.where(tokens.used, values, 0.0)


def of_logits(ops: Ops, logits: Array, labels: Array, options: RowOptions) -> Array:
    """The value of each row of logits; labels are in range."""
    if options.softcap is not None:
        logits = options.softcap * ops.tanh(logits / options.softcap)
    if options.temperature != 1.0:
        logits = logits / options.temperature
    costs = -ops.log_softmax(logits)
    if options.class_weight is not None:
        costs = costs * ops.constant(options.class_weight, like=costs)
    values = expected_of_ids(ops, labels, costs, options.label_smoothing)
    return values + options.z_loss * ops.square(ops.logsumexp(logits)) if options.z_loss else values
