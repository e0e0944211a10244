"""Losses for unequal classes: easy examples count less."""

from .._domain import EPSILON
from .._function import function_form
from .._ops import Array, Ops
from .._param import param
from .._registry import register
from .classification import (
    SMOOTHING,
    BinaryClassification,
    CategoricalClassification,
    SparseClassification,
    expected,
    expected_of_ids,
    smoothed,
)


@register
class BinaryFocalCrossentropy(BinaryClassification):
    r"""The binary cross-entropy times $(1 - p_t)^\gamma$, $p_t = y p + (1 - y)(1 - p)$: easy examples count less.

    In nats. With `apply_class_balancing` it is also times $\alpha_t = y \alpha + (1 - y)(1 - \alpha)$; without it
    `alpha` has no effect, as in Keras. From logits it is exact at any magnitude, for every $\gamma \ge 0$;
    $\gamma = 0$ is the binary cross-entropy.

    >>> losslab.binary_focal_crossentropy([[1.0, 0.0]], [[0.8, 0.4]], gamma=2.0).round(4)
    array([0.0453])
    """

    source = "Lin et al. 2017, eq. 4 and 5, arXiv:1708.02002"
    aliases = ("focal", "binary_focal")
    same_as = ("keras.losses.binary_focal_crossentropy", "optax.losses.sigmoid_focal_loss")
    apply_class_balancing: bool = param(False, doc="weigh the classes by alpha")
    alpha: float = param(0.25, ge=0, le=1, doc="the weight of class 1; class 0 has 1 - alpha")
    gamma: float = param(2.0, ge=0, doc="the focusing exponent; 0 gives the cross-entropy")
    label_smoothing: float = param(0.0, ge=0, le=1, doc=SMOOTHING)
    axis: int = param(-1, doc="the axis that the function form averages")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        y_true = smoothed(y_true, self.label_smoothing)
        yes, no = self._probabilities(ops, y_pred)
        missed = y_true * no + (1.0 - y_true) * yes
        values = ops.power(missed, self.gamma) * self.entropy(ops, y_true, y_pred)
        if self.apply_class_balancing:
            values = values * (y_true * self.alpha + (1.0 - y_true) * (1.0 - self.alpha))
        return values

    def _probabilities(self, ops: Ops, y_pred: Array) -> tuple[Array, Array]:
        """p and 1 - p. From logits the latter is sigmoid(-z), which keeps its digits where 1 - sigmoid(z) has none."""
        if self.from_logits:
            return ops.sigmoid(y_pred), ops.sigmoid(-y_pred)
        p = ops.clip_through(y_pred, EPSILON, 1.0 - EPSILON)
        return p, 1.0 - p


class SoftmaxFocal(CategoricalClassification):
    """What the focal losses on a softmax share: their parameters, and the cost of each class."""

    alpha: float | tuple[float, ...] = param(0.25, ge=0, doc="a weight for all classes, or a list of one per class")
    gamma: float = param(2.0, ge=0, doc="the focusing exponent; 0 gives the cross-entropy")
    label_smoothing: float = param(0.0, ge=0, le=1, doc=SMOOTHING)

    def costs(self, ops: Ops, y_pred: Array) -> Array:
        """-α (1 - p)^γ log p for every class."""
        log_p = self.log_probabilities(ops, y_pred)
        alpha = self.alpha if isinstance(self.alpha, float) else self.per_class(ops, "alpha", self.alpha, y_pred)
        return self.weighted(ops, -ops.power(-ops.expm1(log_p), self.gamma) * log_p * alpha)


@register
class CategoricalFocalCrossentropy(SoftmaxFocal):
    r"""The categorical cross-entropy with each class's term times $\alpha_k (1 - p_k)^\gamma$.

    $\sum_k \alpha_k (1 - p_k)^\gamma \cdot (-y_k \log p_k)$, in nats. From logits everything is in log space, at any
    magnitude and for every $\gamma \ge 0$; $\gamma = 0$, $\alpha = 1$ is the categorical cross-entropy.

    >>> losslab.categorical_focal_crossentropy([[0.0, 1.0]], [[0.25, 0.75]], alpha=[1.0, 0.5]).round(4)
    array([0.009])
    """

    source = "Lin et al. 2017, eq. 5, arXiv:1708.02002, on a softmax as in Mukhoti et al. 2020, arXiv:2002.09437"
    aliases = ("categorical_focal",)
    same_as = ("keras.losses.categorical_focal_crossentropy",)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return expected(ops, y_true, self.costs(ops, y_pred), self.label_smoothing)


@register
class SparseCategoricalFocalCrossentropy(SoftmaxFocal, SparseClassification):
    r"""The categorical focal loss on class ids, $-\alpha_y (1 - p_y)^\gamma \log p_y$.

    In nats. The value of the categorical focal loss on the one-hot rows of the same ids, without the rows.

    >>> losslab.sparse_categorical_focal_crossentropy([1], [[0.25, 0.75]], alpha=[1.0, 0.5]).round(4)
    array([0.009])
    """

    source = "Lin et al. 2017, eq. 5, arXiv:1708.02002, on a softmax as in Mukhoti et al. 2020, arXiv:2002.09437"
    aliases = ("sparse_categorical_focal", "sparse_focal")
    same_as = ("keras.losses.categorical_focal_crossentropy",)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return expected_of_ids(ops, y_true, self.costs(ops, y_pred), self.label_smoothing)


binary_focal_crossentropy = function_form(BinaryFocalCrossentropy)
categorical_focal_crossentropy = function_form(CategoricalFocalCrossentropy)
sparse_categorical_focal_crossentropy = function_form(SparseCategoricalFocalCrossentropy)
