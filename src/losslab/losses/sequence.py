"""Losses between sequences that are not aligned."""

from typing import Any

from .._align import Shape, align_to_values, same_shape
from .._domain import FRAMES, LABEL_SEQUENCE
from .._function import function_form
from .._loss import Loss, as_mask
from .._ops import Array, Ops
from .._param import param
from .._registry import register

_NEVER = -1e30
"""The logarithm of the probability of what cannot be; finite, so that no gradient is NaN."""


@register
class CTC(Loss):
    r"""The negative log-likelihood of a label sequence, over all its alignments to the frames.

    Connectionist temporal classification:
    $-\log \sum_{\pi \in B^{-1}(y)} \prod_t p_t(\pi_t)$: an alignment $\pi$ names a class or the blank for each frame; B
    merges repeated classes and drops blanks; p = softmax of the logits. In nats, one value per sample.

    y_true is (N, L), y_pred (N, T, C) logits. Without `label_length` (N,) the labels before the padding count, and the
    padding is the blank (Keras' convention: 0 is both); with it, what stands behind the length is never looked at.
    `logit_length` (N,), or a mask (N, T), says how many frames exist. A sequence that the frames have no room for
    (fewer frames than labels and blanks between repeated ones) has value inf and gradient 0.

    >>> losslab.ctc([[1, 2]], np.zeros((1, 3, 3))).round(4)
    array([1.6864])
    >>> losslab.ctc([[1, 2, -1]], np.zeros((1, 3, 3)), label_length=[2], logit_length=[2]).round(4)
    array([2.1972])
    """

    source = "Graves et al. 2006, eq. 6 to 8, doi:10.1145/1143844.1143891"
    same_as = ("keras.losses.ctc", "torch.nn.functional.ctc_loss", "optax.ctc_loss")
    shapes = "(N, L) for y_true, (N, T, C) for y_pred."
    unit = "sample"
    data_arguments = ("label_length", "logit_length")
    targets = LABEL_SEQUENCE
    outputs = FRAMES
    blank: int = param(0, ge=0, doc="the class that means no label")

    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        mask: Any = None,
        normalizer: Any = None,
        *,
        label_length: Any = None,
        logit_length: Any = None,
    ) -> Array:
        """The reduced loss of a batch; `Loss.__call__` with lengths. A mask (N, T) removes frames."""
        lengths = {"label_length": label_length, "logit_length": logit_length}
        return self._reduced(y_true, y_pred, sample_weight, mask, normalizer, **lengths)

    def per_sample(self, y_true: Any, y_pred: Any, *, label_length: Any = None, logit_length: Any = None) -> Array:
        """A value per sample, of shape (N,)."""
        return self._unreduced(y_true, y_pred, label_length=label_length, logit_length=logit_length)

    def _inputs(self, ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        y_pred = ops.convert(y_pred)
        y_true = ops.convert(y_true, like=y_pred)
        labels, frames = ops.shape(y_true), ops.shape(y_pred)
        if len(labels) != 2 or len(frames) != 3 or not same_shape(labels[:1], frames[:1]):
            raise ValueError(
                f"{self.name}: y_true must be (N, L) class ids and y_pred (N, T, C) logits, "
                f"got {tuple(labels)} and {tuple(frames)}"
            )
        if frames[-1] is not None and self.blank >= frames[-1]:
            raise ValueError(f"{self.name}: the blank {self.blank} is none of the {frames[-1]} classes of y_pred")
        y_true = ops.agreed(y_true, y_pred, 1, f"{self.name}: y_true and y_pred differ in their number of samples")
        return y_true, ops.cast(y_pred, ops.float_dtype(y_pred))

    def _weighted(
        self,
        ops: Ops,
        y_true: Array,
        y_pred: Array,
        sample_weight: Any,
        mask: Any,
        label_length: Any = None,
        logit_length: Any = None,
    ) -> tuple[Array, Array | None, Array | None]:
        shape = ops.shape(y_pred)[:1]
        mask, frames = self._frames(ops, y_pred, mask, logit_length)
        counted = self._counted(ops, None, y_pred, mask, shape)
        weight, used = self._weights(ops, sample_weight, counted, y_pred, shape)
        labelled = self._label_places(ops, y_true, label_length, y_pred)
        if used is not None:
            whole = used if ops.shape(used) == () else ops.expand_dims(used)
            labelled = labelled & whole
            y_pred = ops.where(whole if ops.shape(used) == () else ops.expand_dims(whole), y_pred, 0.0)
        if frames is not None:
            y_pred = ops.where(ops.expand_dims(frames), y_pred, 0.0)
        labels, valid = self._labels(ops, y_true, labelled, ops.length(y_pred))
        values = self._of_sequences(ops, labels, labelled, y_pred, frames)
        if valid is not None:
            values = ops.where(valid, values, float("nan"))
        return values if used is None else ops.where(used, values, 0.0), weight, counted

    def _frames(self, ops: Ops, y_pred: Array, mask: Any, logit_length: Any) -> tuple[Any, Array | None]:
        """A mask of samples, and where frames exist, of shape (N, T); None for everywhere."""
        frames = None
        if logit_length is not None:
            ones = ops.ones_like(y_pred[..., 0])
            frames = ops.cumsum(ones) <= ops.expand_dims(self._length(ops, logit_length, y_pred, ones, "logit_length"))
        if mask is None:
            return None, frames
        given = as_mask(ops, mask, y_pred)
        if len(ops.shape(given)) < 2 or ops.shape(given)[-1] == 1:
            return given, frames
        given = align_to_values(ops, given, y_pred, ops.shape(y_pred)[:2], "mask", self.name)
        return None, given if frames is None else frames & given

    def _length(self, ops: Ops, length: Any, y_pred: Array, places: Array, what: str) -> Array:
        """Lengths (N,) in the dtype of y_pred; where they can be looked at, of no more places (N, M) than there are."""
        length = ops.convert(length, like=y_pred)
        seen, most = ops.look(length), ops.shape(places)[-1]
        if seen is not None and most is not None:
            wrong = seen[~((seen >= 0) & (seen <= most))]
            if wrong.size:
                raise ValueError(f"{self.name}: {what} {wrong[0]} is no length of a sequence with {most} places")
        length = ops.cast(length, y_pred.dtype)
        return align_to_values(ops, length, y_pred, ops.shape(y_pred)[:1], what, self.name)

    def _label_places(self, ops: Ops, y_true: Array, label_length: Any, y_pred: Array) -> Array:
        """Where labels stand, of shape (N, L)."""
        ones = ops.ones_like(ops.cast(y_true, y_pred.dtype))
        if label_length is None:
            length = ops.sum(ops.where(y_true != self.blank, ones, 0.0))
        else:
            length = self._length(ops, label_length, y_pred, ones, "label_length")
        return ops.cumsum(ones) <= ops.expand_dims(length)

    def _labels(self, ops: Ops, y_true: Array, labelled: Array, classes: Any) -> tuple[Array, Array | None]:
        """The labels as integers in range, and which samples have such ones: None if that has been looked at."""
        ids = ops.where(labelled, ops.ids(y_true), self.blank)
        seen, places = ops.look(ids), ops.look(labelled)
        if seen is None or places is None:
            right = (ids >= 0) & (ids < classes) & ((ids != self.blank) | ~labelled)
            return ops.where(right, ids, self.blank), ops.sum(ops.cast(~right, ops.float32)) == 0
        wrong = seen[places & ~((seen >= 0) & (seen < classes) & (seen != self.blank))]
        if wrong.size:
            raise ValueError(
                f"{self.name}: label {wrong[0]} within the length of its sequence: labels are ids from 0 to "
                f"{classes - 1} but for the blank {self.blank}; pad at the end, or give label_length"
            )
        return ids, None

    def _of_sequences(self, ops: Ops, labels: Array, labelled: Array, y_pred: Array, frames: Array | None) -> Array:
        """The forward recursion over the frames, in log space.

        `between[n]` is the log-probability of having read n labels and standing on a blank, `on[n]` of standing on
        label n: (N, L + 1) and (N, L).
        """
        log_p = ops.moveaxis(ops.log_softmax(y_pred), 1, 0)
        exists = ops.ones_like(log_p[..., 0]) if frames is None else ops.cast(ops.moveaxis(frames, 1, 0), log_p.dtype)
        never = ops.zeros_like(ops.cast(labels, log_p.dtype)) + _NEVER
        first = never[:, :1]
        between = ops.concatenate([ops.zeros_like(first), never])
        # a label may follow another without a blank, unless it is the same
        repeated = ops.concatenate([labels[:, :1] != labels[:, :1], labels[:, 1:] == labels[:, :-1]])
        direct = ops.where(repeated, _NEVER, ops.zeros_like(never))

        def step(state: tuple[Array, ...], frame: tuple[Array, ...]) -> tuple[Array, ...]:
            between, on, scale = state
            log_p, exists = frame
            before = ops.concatenate([first, on])
            blank = log_p[:, self.blank : self.blank + 1]
            new = _log_sum(ops, between, before) + blank
            label = _log_sum(ops, on, between[:, :-1], before[:, :-1] + direct) + ops.gather(log_p, labels)
            here = ops.expand_dims(exists) > 0
            between, on = ops.where(here, new, between), ops.where(here, label, on)
            # differences decide the gradient: kept near 0, they have their digits whatever the sum has come to
            largest = ops.stop_gradient(ops.max(ops.concatenate([between, on]), keepdims=True))
            return between - largest, on - largest, scale + largest

        between, on, scale = ops.scan(step, (between, never, ops.zeros_like(first)), (log_p, exists))
        ends = _log_sum(ops, between, ops.concatenate([first, on]))
        count = ops.ids(ops.sum(ops.cast(labelled, log_p.dtype)))
        total = ops.take(ends, count)
        value = ops.clip_through(-(total + ops.squeeze(scale)), 0.0)
        return ops.where(total < 0.1 * _NEVER, float("inf"), value)

    def _value_shape(self, shape: Shape) -> Shape:
        return shape[:1]


def _log_sum(ops: Ops, *terms: Array) -> Array:
    """log Σ exp over the terms."""
    return ops.logsumexp(ops.concatenate([ops.expand_dims(term) for term in terms]))


ctc = function_form(CTC)
