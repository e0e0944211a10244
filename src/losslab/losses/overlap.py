"""Losses of overlap: how much of a predicted mask and the true one is shared."""

from .._domain import BINARY, CLASS_ID, DISTRIBUTION, EPSILON, LOGITS, PROBABILITY, Domain
from .._function import function_form
from .._ops import Array, Ops
from .._param import ByClass, param
from .._registry import register
from .._set_loss import SetLoss, Total
from .classification import CLASS_WEIGHT, FROM_LOGITS, class_numbers

SMOOTH = "added to the shared part and to the whole: 1 makes an empty prediction of an empty mask right"


@register
class Dice(SetLoss):
    r"""Twice the shared part over the two sizes, from 1: $1 - (2 \sum y p + s) / (\sum y + \sum p + s + 10^{-7})$.

    No unit, from 0 (the masks are equal) to 1 (disjoint). With `smooth` s = 0 two empty masks count as disjoint. By
    default the whole batch is one set, as in Keras; `axis=(1, 2, 3)` gives each image of (N, H, W, C) its own value.

    >>> losslab.dice([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]], axis=1).round(4)
    array([0.3333])
    >>> losslab.dice([[1.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]], axis=1, smooth=1.0).round(4)
    array([0., 0.])
    """

    source = "Milletari, Navab & Ahmadi 2016, arXiv:1606.04797 (without the squares); Dice 1945, doi:10.2307/1932409"
    same_as = ("keras.losses.dice",)
    targets = BINARY
    outputs = PROBABILITY
    smooth: float = param(0.0, ge=0, doc=SMOOTH)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array, total: Total) -> Array:
        shared = total(y_true * y_pred)
        return _dice(shared, total(y_true) + total(y_pred), self.smooth)


@register
class Tversky(SetLoss):
    r"""The Dice loss with a weight each for false positives and false negatives.

    $1 - (TP + s) / (TP + \alpha FP + \beta FN + s + 10^{-7})$ with $TP = \sum y p$, $FP = \sum (1 - y) p$,
    $FN = \sum y (1 - p)$. No unit. $\alpha = \beta = 1/2$ is the Dice loss, $\alpha = \beta = 1$ the Jaccard loss;
    $\beta > \alpha$ finds more of a small object at the price of false alarms.

    >>> losslab.tversky([[1.0, 0.0, 0.0]], [[1.0, 1.0, 0.0]], alpha=0.3, beta=0.7, axis=1).round(4)
    array([0.2308])
    """

    source = "Salehi, Erdogmus & Gholipour 2017, eq. 3, arXiv:1706.05721; Tversky 1977, doi:10.1037/0033-295X.84.4.327"
    same_as = ("keras.losses.tversky",)
    targets = BINARY
    outputs = PROBABILITY
    alpha: float = param(0.5, ge=0, doc="the weight of false positives")
    beta: float = param(0.5, ge=0, doc="the weight of false negatives")
    smooth: float = param(0.0, ge=0, doc=SMOOTH)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array, total: Total) -> Array:
        hit, false_alarm, missed = (total(x) for x in (y_true * y_pred, (1 - y_true) * y_pred, y_true * (1 - y_pred)))
        whole = hit + self.alpha * false_alarm + self.beta * missed + self.smooth + EPSILON
        return 1.0 - (hit + self.smooth) / whole


@register
class SparseCategoricalDice(SetLoss):
    r"""The Dice loss of each class from class ids, averaged over the classes.

    $\frac{1}{C} \sum_k w_k \left(1 - \frac{2 \sum_i [y_i = k]\,p_{ik} + s}
    {\sum_i [y_i = k] + \sum_i p_{ik} + s + 10^{-7}}\right)$, i over the pixels of the batch or, with `per_image`, of
    each image; p = softmax(z) from logits z, else the predictions as they are. No unit; from 0 to 1 without class
    weights w.

    The mean of the Dice losses of the classes' one-hot masks. y_true is (N, …), y_pred (N, …, C), or has its classes on
    another `axis`. A weight or mask (N, …) weighs the pixels inside the sums; with `per_image` one of shape (N,)
    belongs to the images. Every class counts, the background too: `class_weight={0: 0}` leaves it out of the sum over
    the classes, whose divisor stays C. At `smooth` s = 0 a class without any pixel costs 1 and has no gradient; s > 0
    punishes predicting it. Libraries differ here: segmentation_models_pytorch lets such a class cost 0, MONAI takes
    each image alone, with s = 1e-5.

    >>> losslab.sparse_categorical_dice([0, 0, 1], [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]).round(4)
    np.float64(0.1714)
    """

    source = "Isensee et al. 2018 (nnU-Net; less 1), arXiv:1809.10486; Milletari et al. 2016, arXiv:1606.04797"
    aliases = ("sparse_dice",)
    same_as = ("keras.losses.dice", "monai.losses.DiceLoss")
    shapes = "(N, …) class ids for y_true, (N, …, C) for y_pred, with C on `axis`."
    unit = "set, the pixels of the batch or, with `per_image`, of each image"
    fades = True  # from logits: the softmax is flat where it is sure of a wrong class
    targets = CLASS_ID
    from_logits: bool = param(False, doc=FROM_LOGITS)
    axis: int = param(-1, doc="the axis of the classes")
    smooth: float = param(0.0, ge=0, doc=SMOOTH)
    per_image: bool = param(False, doc="a value for each image, not one for the batch")
    class_weight: tuple[float, ...] | ByClass | None = param(None, ge=0, doc=CLASS_WEIGHT)
    ignore_class: int | None = param(None, doc="the class id whose pixels are removed, such as 255 or -1")

    @property
    def outputs(self) -> Domain:
        """rows of probabilities that sum to 1; with from_logits=True rows of logits, any real numbers"""
        return LOGITS if self.from_logits else DISTRIBUTION

    def formula(self, ops: Ops, y_true: Array, y_pred: Array, total: Total) -> Array:
        ids, valid = self._in_range(ops, y_true, ops.length(y_pred))
        p = ops.softmax(y_pred) if self.from_logits else y_pred
        p = p if valid is None else ops.where(ops.expand_dims(valid), p, float("nan"))
        rows = ops.one_hot(ids, ops.length(y_pred), p.dtype)
        return self.of_sums(ops, total(rows * p), total(rows), total(p))

    def of_sums(self, ops: Ops, shared: Array, labelled: Array, predicted: Array) -> Array:
        """The loss of each set from three sums over its pixels, each with a number for each class.

        All that the loss knows of the pixels: a driver may sum $p_{i y_i}$ by label, without the rows.
        """
        costs = _dice(shared, labelled + predicted, self.smooth)
        if self.class_weight is not None:
            numbers = class_numbers(self, "class_weight", self.class_weight, ops.shape(costs)[-1])
            costs = costs * ops.constant(numbers, like=costs)
        return ops.mean(costs)

    @property
    def _class_axis(self) -> int:
        return self.axis

    def _labelled(self, ops: Ops, y_true: Array) -> Array | None:
        return None if self.ignore_class is None else y_true != self.ignore_class

    def _members(self, y_pred: Array) -> Array:
        return y_pred[..., 0]

    def _axes(self, rank: int) -> tuple[int, ...]:
        first = 1 if self.per_image else 0
        if rank <= first:
            wanted = "(N, …, C), pixels for each image" if self.per_image else "(N, …, C)"
            raise ValueError(f"{self.name}: y_pred must be {wanted}, got an array of {rank + 1} axes")
        return tuple(range(first, rank))

    def _total(self, ops: Ops, x: Array, elements: Array | None, axes: tuple[int, ...]) -> Array:
        return super()._total(ops, x, None if elements is None else ops.expand_dims(elements), axes)


def _dice(shared: Array, sizes: Array, smooth: float) -> Array:
    return 1.0 - (2.0 * shared + smooth) / (sizes + smooth + EPSILON)


dice = function_form(Dice)
sparse_categorical_dice = function_form(SparseCategoricalDice)
tversky = function_form(Tversky)
