"""Cross-entropies, from logits in log space, from probabilities clipped at 1e-7."""

from .._domain import BINARY, CLASS_ID, DISTRIBUTION, EPSILON, LOGIT, LOGITS, ONE_HOT, PROBABILITY, Domain
from .._formula_loss import ElementLoss, RowLoss
from .._function import function_form
from .._loss import Loss
from .._ops import Array, Ops
from .._param import ByClass, param
from .._registry import register

FROM_LOGITS = "y_pred holds logits; else probabilities"
CLASS_WEIGHT = "a weight for each class's term, as a list or a dict {class: weight}"
SMOOTHING = "how far the labels are drawn towards the uniform distribution"


class BinaryClassification(ElementLoss):
    """What losses on independent yes/no labels share: the domain of the predictions follows `from_logits`."""

    targets = BINARY
    from_logits: bool = param(False, doc=FROM_LOGITS)
    class_weight: tuple[float, float] | ByClass | None = param(None, ge=0, doc=CLASS_WEIGHT)
    ignore_class: int | None = param(None, doc="the label that is removed, such as -1 for unknown")

    @property
    def outputs(self) -> Domain:
        """probabilities in [0, 1]; with from_logits=True logits, any real numbers"""
        return LOGIT if self.from_logits else PROBABILITY

    def entropy(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        """The binary cross-entropy of each element, each class's term times its weight."""
        no, yes = (1.0, 1.0) if self.class_weight is None else class_numbers(self, "class_weight", self.class_weight, 2)
        if self.from_logits:
            return yes * y_true * ops.softplus(-y_pred) + no * (1.0 - y_true) * ops.softplus(y_pred)
        p = ops.clip_through(y_pred, EPSILON, 1.0 - EPSILON)
        return -(yes * y_true * ops.log(p) + no * (1.0 - y_true) * ops.log1p(-p))


class CategoricalClassification(RowLoss):
    """What losses on one label out of several share: the domain of the predictions follows `from_logits`."""

    targets = ONE_HOT
    from_logits: bool = param(False, doc=FROM_LOGITS)
    class_weight: tuple[float, ...] | ByClass | None = param(None, ge=0, doc=CLASS_WEIGHT)
    ignore_class: int | None = param(None, doc="the class whose rows are removed: those with more than half of it")
    axis: int = param(-1, doc="the axis of the classes")

    @property
    def outputs(self) -> Domain:
        """rows of probabilities that sum to 1; with from_logits=True rows of logits, any real numbers"""
        return LOGITS if self.from_logits else DISTRIBUTION

    def log_probabilities(self, ops: Ops, y_pred: Array) -> Array:
        if self.from_logits:
            return ops.log_softmax(y_pred)
        return ops.log(ops.clip_through(normalized(ops, y_pred), EPSILON, 1.0 - EPSILON))

    def weighted(self, ops: Ops, costs: Array) -> Array:
        """The cost of each class times its weight."""
        if self.class_weight is None:
            return costs
        return costs * self.per_class(ops, "class_weight", self.class_weight, costs)

    def per_class(self, ops: Ops, what: str, numbers: tuple[float, ...] | ByClass, like: Array) -> Array:
        """A parameter with a number for each class, as an array.

        Raises:
            ValueError: not as many numbers as classes.
        """
        return ops.constant(class_numbers(self, what, numbers, ops.shape(like)[-1]), like=like)

    def _labelled(self, ops: Ops, y_true: Array) -> Array | None:
        if self.ignore_class is None or self.targets.is_id:
            return super()._labelled(ops, y_true)
        classes = ops.shape(y_true)[-1]
        if classes is not None and not 0 <= self.ignore_class < classes:
            raise ValueError(
                f"{self.name}: ignore_class {self.ignore_class} is none of the {classes} classes of y_true"
            )
        return ~(y_true[..., self.ignore_class] > 0.5)


@register
class BinaryCrossentropy(BinaryClassification):
    r"""The negative log-likelihood of yes or no, $-y \log p - (1 - y)\log(1 - p)$; $p = \sigma(z)$ from logits $z$.

    In nats. From logits exact at any magnitude; probabilities are clipped to $[10^{-7}, 1 - 10^{-7}]$, so a confidently
    wrong one costs about 16, with the gradient of that point. Smoothing: $y (1 - s) + s/2$.

    >>> losslab.binary_crossentropy([[1.0, 0.0]], [[0.8, 0.4]]).round(4)
    array([0.367])
    >>> float(losslab.BinaryCrossentropy(from_logits=True)([1.0, 0.0], [-1000.0, -1000.0]))
    500.0
    """

    source = "Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x"
    aliases = ("bce", "BCE")
    same_as = (
        "keras.losses.binary_crossentropy",
        "torch.nn.functional.binary_cross_entropy",
        "optax.losses.sigmoid_binary_cross_entropy",
    )
    label_smoothing: float = param(0.0, ge=0, le=1, doc=SMOOTHING)
    axis: int = param(-1, doc="the axis that the function form averages")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return self.entropy(ops, smoothed(y_true, self.label_smoothing), y_pred)


@register
class CategoricalCrossentropy(CategoricalClassification):
    r"""The negative log-likelihood of a class, $-\sum_k y_k \log p_k$; $p$ = softmax(z) from logits $z$.

    In nats. From logits in log space, at any magnitude; probabilities are divided by their sum and clipped to
    $[10^{-7}, 1 - 10^{-7}]$. Smoothing: $y (1 - s) + s/C$ over $C$ classes.

    >>> losslab.categorical_crossentropy([[0.0, 1.0]], [[0.25, 0.75]]).round(4)
    array([0.2877])
    """

    source = "Bridle 1990, doi:10.1007/978-3-642-76153-9_28; smoothing: Szegedy et al. 2016, arXiv:1512.00567"
    aliases = ("cce", "CCE")
    same_as = (
        "keras.losses.categorical_crossentropy",
        "torch.nn.functional.cross_entropy",
        "optax.losses.softmax_cross_entropy",
        "sklearn.metrics.log_loss",
    )
    label_smoothing: float = param(0.0, ge=0, le=1, doc=SMOOTHING)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return expected(ops, y_true, self.weighted(ops, -self.log_probabilities(ops, y_pred)), self.label_smoothing)


class SparseClassification(CategoricalClassification):
    """What losses on class ids share."""

    targets = CLASS_ID
    ignore_class: int | None = param(None, doc="the class id whose samples are removed, such as 255 or -1")


@register
class SparseCategoricalCrossentropy(SparseClassification):
    r"""The negative log-likelihood of a class, $-\log p_y$, $y$ the class id; $p$ = softmax(z) from logits $z$.

    The categorical cross-entropy without the one-hot rows. In nats. Ids are (N,) or (N, 1) for predictions (N, C).
    Smoothing draws the labels towards 1/C as in the categorical cross-entropy.

    >>> losslab.sparse_categorical_crossentropy([1], [[0.25, 0.75]]).round(4)
    array([0.2877])
    >>> losslab.sparse_categorical_crossentropy([2], [[0.25, 0.75]])
    Traceback (most recent call last):
    ValueError: sparse_categorical_crossentropy: class id 2 in y_true is out of range for 2 classes...
    """

    source = "Bridle 1990, doi:10.1007/978-3-642-76153-9_28"
    aliases = ("scce", "SCCE")
    same_as = (
        "keras.losses.sparse_categorical_crossentropy",
        "torch.nn.functional.cross_entropy",
        "optax.losses.softmax_cross_entropy_with_integer_labels",
    )
    label_smoothing: float = param(0.0, ge=0, le=1, doc=SMOOTHING)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return expected_of_ids(
            ops, y_true, self.weighted(ops, -self.log_probabilities(ops, y_pred)), self.label_smoothing
        )


def class_numbers(
    loss: Loss, what: str, numbers: tuple[float, ...] | ByClass, classes: int | None
) -> tuple[float, ...]:
    """A number for each class; 1 for those that a dict does not name.

    Raises:
        ValueError: numbers for other classes than there are.
    """
    if isinstance(numbers, ByClass):
        if classes is None or max(numbers) >= classes:
            raise ValueError(f"{loss.name}: {what} names class {max(numbers)}, but there are {classes} classes")
        return numbers.for_classes(classes)
    if classes not in (len(numbers), None):
        raise ValueError(f"{loss.name}: {what} has {len(numbers)} weights, but y_pred has {classes} classes")
    return numbers


def smoothed(y_true: Array, smoothing: float) -> Array:
    """Binary labels drawn towards 1/2."""
    return y_true * (1.0 - smoothing) + 0.5 * smoothing if smoothing else y_true


def expected(ops: Ops, y_true: Array, costs: Array, smoothing: float) -> Array:
    """Σ y·cost over the classes, with y (1 - s) + s/C for y."""
    return _mixed(ops, ops.sum(y_true * costs), costs, smoothing)


def expected_of_ids(ops: Ops, ids: Array, costs: Array, smoothing: float) -> Array:
    """The same for class ids, without the one-hot rows."""
    return _mixed(ops, ops.take(costs, ids), costs, smoothing)


def _mixed(ops: Ops, cost: Array, costs: Array, smoothing: float) -> Array:
    return (1.0 - smoothing) * cost + smoothing * ops.mean(costs) if smoothing else cost


def normalized(ops: Ops, p: Array) -> Array:
    """Rows divided by their sum; a row of zeros stays one."""
    return p / ops.maximum(ops.sum(p, keepdims=True), EPSILON)


binary_crossentropy = function_form(BinaryCrossentropy)
categorical_crossentropy = function_form(CategoricalCrossentropy)
sparse_categorical_crossentropy = function_form(SparseCategoricalCrossentropy)
