"""Losses for labels of which some are wrong: a sample that the model contradicts firmly counts less."""

from .._function import function_form
from .._ops import Array, Ops
from .._param import param
from .._registry import register
from .classification import SMOOTHING, SparseClassification, expected_of_ids


@register
class CategoricalGeneralizedCrossEntropy(SparseClassification):
    r"""Between cross-entropy and absolute error, $(1 - p_y^q) / q$, $y$ the class id; $p$ = softmax(z) from logits $z$.

    No unit, from 0 to 1/q. $q \to 0$ is the cross-entropy, $q = 1$ half the summed absolute error of the one-hot row.
    Its gradient is that of the cross-entropy times $p_y^q$: it fades for a sample that the model holds impossible.

    >>> losslab.categorical_generalized_cross_entropy([1], [[0.36, 0.64]], q=0.5).round(6)
    array([0.4])
    """

    source = "Zhang & Sabuncu 2018, eq. 6, arXiv:1805.07836"
    aliases = ("gce", "generalized_crossentropy")
    same_as = ("keras.losses.CategoricalGeneralizedCrossEntropy",)
    fades = True
    q: float = param(0.5, gt=0, le=1, doc="robustness; the paper recommends 0.7")
    label_smoothing: float = param(0.0, ge=0, le=1, doc=SMOOTHING)

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        x = self.q * self.log_probabilities(ops, y_pred)
        # expm1 keeps the digits of a small loss; its slope, which frameworks take as expm1(x) + 1, loses those of a
        # large one
        costs = -ops.where(x > -0.5, ops.expm1(x), ops.exp(x) - 1.0) / self.q
        return expected_of_ids(ops, y_true, self.weighted(ops, costs), self.label_smoothing)


categorical_generalized_cross_entropy = function_form(CategoricalGeneralizedCrossEntropy)
