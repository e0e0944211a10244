"""Losses of a margin: the score of the true class must win by 1. A label 0 counts as -1."""

from .._domain import ONE_HOT, SCORE, SCORES, SIGN
from .._formula_loss import ElementLoss, RowLoss
from .._function import function_form
from .._ops import Array, Ops
from .._registry import register


@register
class Hinge(ElementLoss):
    r"""The margin's shortfall, $\max(0, 1 - y \hat y)$ with $y = \pm 1$.

    No unit. Flat once the score is right by a margin of 1; a label 0 counts as -1, label by label.

    >>> losslab.hinge([[1.0, -1.0]], [[0.5, -2.0]])
    array([0.25])
    """

    source = "Cortes & Vapnik 1995, doi:10.1007/BF00994018"
    same_as = ("keras.losses.hinge", "optax.losses.hinge_loss")
    targets = SIGN
    outputs = SCORE

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return _shortfall(ops, y_true, y_pred)


@register
class SquaredHinge(ElementLoss):
    r"""The squared shortfall of the margin, $\max(0, 1 - y \hat y)^2$ with $y = \pm 1$.

    No unit. Smooth where the hinge has its kink, steeper for gross errors; a label 0 counts as -1.

    >>> losslab.squared_hinge([[1.0, -1.0]], [[0.5, -2.0]])
    array([0.125])
    """

    source = "Chang, Hsieh & Lin 2008, eq. 2, doi:10.5555/1390681.1442778"
    same_as = ("keras.losses.squared_hinge",)
    targets = SIGN
    outputs = SCORE

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return ops.square(_shortfall(ops, y_true, y_pred))


@register
class CategoricalHinge(RowLoss):
    r"""The margin between classes, $\max(0, 1 + \max_k (1 - y_k)\hat y_k - \sum_k y_k \hat y_k)$, $y$ one-hot.

    No unit. The inner maximum includes a 0 at the true class (Keras' convention), where Crammer & Singer 2001 take
    the other classes alone: the two differ when all wrong scores are negative.

    >>> losslab.categorical_hinge([[0.0, 1.0]], [[0.5, 1.0]])
    array([0.5])
    """

    source = "Crammer & Singer 2001, eq. 5, jmlr.org/papers/v2/crammer01a (with a 0 in the maximum)"
    same_as = ("keras.losses.categorical_hinge",)
    targets = ONE_HOT
    outputs = SCORES

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        wrong = ops.max((1.0 - y_true) * y_pred)
        return ops.maximum(1.0 + wrong - ops.sum(y_true * y_pred), 0.0)


def _shortfall(ops: Ops, y_true: Array, y_pred: Array) -> Array:
    sign = ops.where(y_true == 0, -1.0, y_true)
    return ops.maximum(1.0 - sign * y_pred, 0.0)


hinge = function_form(Hinge)
squared_hinge = function_form(SquaredHinge)
categorical_hinge = function_form(CategoricalHinge)
