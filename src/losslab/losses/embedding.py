"""Losses on embeddings: rows of one id belong close together, all others far apart."""

from typing import Any

from .._domain import EMBEDDING, IDENTITY
from .._function import function_form
from .._loss import Loss
from .._ops import Array, Ops
from .._param import param
from .._registry import register

_NEVER = -1e30
"""The logarithm of a similarity that does not count; finite, so that no gradient is NaN."""


@register
class Circle(Loss):
    r"""Pulls the rows of one id together and pushes all others apart, the worst pairs hardest.

    With the distances $d_{ij} = \max(1 - \hat y_i \cdot \hat y_j, 0)$ of unit rows, for each row i
    $\log(1 + \sum_{j \in P} e^{-\gamma \max(m + d_{ij}, 0)(m - d_{ij})}
    \sum_{j \in N} e^{\gamma \max(1 + m - d_{ij}, 0)(1 - m - d_{ij})})$, P the rows of the same id, N all others.

    No unit. Give rows of length 1. The factors $\max(\cdot, 0)$ are differentiated too, as in Keras. A row without any
    partner in P or in N has value 0 and is not counted. A removed row is nobody's partner. `ref_labels` (M,) and
    `ref_embeddings` (M, D) give other rows to compare with than the batch; set `remove_diagonal=False` where row i of
    them is not row i of the batch.

    >>> losslab.circle([0, 0, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]).round(3)
    array([ 0. , 38.4,  0. ])
    """

    source = "Sun et al. 2020, eq. 6 to 8, arXiv:2002.10857"
    same_as = ("keras.losses.circle",)
    shapes = "(N,) or (N, 1) for y_true, (N, D) for y_pred."
    unit = "row"
    data_arguments = ("ref_labels", "ref_embeddings")
    targets = IDENTITY
    outputs = EMBEDDING
    gamma: float = param(80.0, gt=0, doc="the scale of the similarities")
    margin: float = param(0.4, ge=0, lt=1, doc="how far within its goal a distance stops to count much")
    remove_diagonal: bool = param(True, doc="a row is no partner of itself")

    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        mask: Any = None,
        normalizer: Any = None,
        *,
        ref_labels: Any = None,
        ref_embeddings: Any = None,
    ) -> Array:
        """The reduced loss of a batch; `Loss.__call__` with the rows to compare with."""
        refs = {"ref_labels": ref_labels, "ref_embeddings": ref_embeddings}
        return self._reduced(y_true, y_pred, sample_weight, mask, normalizer, **refs)

    def per_sample(self, y_true: Any, y_pred: Any, *, ref_labels: Any = None, ref_embeddings: Any = None) -> Array:
        """A value per row, of shape (N,)."""
        return self._unreduced(y_true, y_pred, ref_labels=ref_labels, ref_embeddings=ref_embeddings)

    def _weighted(
        self,
        ops: Ops,
        y_true: Array,
        y_pred: Array,
        sample_weight: Any,
        mask: Any,
        ref_labels: Any = None,
        ref_embeddings: Any = None,
    ) -> tuple[Array, Array | None, Array | None]:
        shape = ops.shape(y_pred)
        if len(shape) != 2:
            raise ValueError(f"{self.name}: y_pred must be (N, D), a row per sample, got {tuple(shape)}")
        counted = self._counted(ops, None, y_pred, mask, shape[:1])
        _, used = self._weights(ops, sample_weight, counted, y_pred, shape[:1])
        y_true, y_pred = self._substituted(ops, y_true, y_pred, used)
        if shape[0] == 0:
            return ops.sum(y_pred), None, None
        labels, rows = self._references(ops, y_true, y_pred, ref_labels, ref_embeddings)
        same, other = self._partners(ops, y_true, labels, used if ref_labels is None else None)
        paired = _any(ops, same, y_pred) & _any(ops, other, y_pred)
        counted = paired if used is None else paired & used
        weight, used = self._weights(ops, sample_weight, counted, y_pred, shape[:1])
        values = self._of_rows(ops, 1.0 - y_pred @ ops.moveaxis(rows, -1, -2), same, other)
        return ops.where(counted if used is None else used, values, 0.0), weight, counted

    def _references(self, ops: Ops, y_true: Array, y_pred: Array, labels: Any, rows: Any) -> tuple[Array, Array]:
        if (labels is None) != (rows is None):
            raise ValueError(f"{self.name}: ref_labels and ref_embeddings belong together: give both or neither")
        if labels is None:
            return y_true, y_pred
        labels = ops.convert(labels, like=y_pred)
        rows = ops.cast(ops.convert(rows, like=y_pred), y_pred.dtype)
        if len(ops.shape(labels)) == 2:
            labels = ops.squeeze(labels)
        if len(ops.shape(rows)) != 2 or ops.shape(rows)[-1] != ops.shape(y_pred)[-1]:
            raise ValueError(
                f"{self.name}: ref_embeddings has shape {tuple(ops.shape(rows))}, but y_pred has rows of "
                f"{ops.shape(y_pred)[-1]} numbers"
            )
        return labels, rows

    def _partners(self, ops: Ops, y_true: Array, labels: Array, used: Array | None) -> tuple[Array, Array]:
        """Which of the M references belong to the same id, and which to another, for each of the N rows."""
        same = ops.expand_dims(y_true) == ops.expand_dims(labels, 0)
        other = ~same
        if self.remove_diagonal:
            rows, columns = (ops.cumsum(ops.ones_like(ops.ids(x))) for x in (y_true, labels))
            same = same & (ops.expand_dims(rows) != ops.expand_dims(columns, 0))
        if used is None or ops.shape(used) == ():
            return same, other
        return same & ops.expand_dims(used, 0), other & ops.expand_dims(used, 0)

    def _of_rows(self, ops: Ops, distances: Array, same: Array, other: Array) -> Array:
        d = ops.maximum(distances, 0.0)
        pull = -self.gamma * ops.maximum(self.margin + d, 0.0) * (self.margin - d)
        push = self.gamma * ops.maximum(1.0 + self.margin - d, 0.0) * (1.0 - self.margin - d)
        worst = [ops.logsumexp(ops.where(which, x, _NEVER)) for which, x in ((same, pull), (other, push))]
        return ops.softplus(worst[0] + worst[1])


def _any(ops: Ops, which: Array, y_pred: Array) -> Array:
    return ops.sum(ops.cast(which, y_pred.dtype)) > 0


circle = function_form(Circle)
