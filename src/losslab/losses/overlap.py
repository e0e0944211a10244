"""Losses of overlap: how much of a predicted mask and the true one is shared."""

from .._domain import BINARY, EPSILON, PROBABILITY
from .._function import function_form
from .._ops import Array, Ops
from .._param import param
from .._registry import register
from .._set_loss import SetLoss, Total

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
        return 1.0 - (2.0 * shared + self.smooth) / (total(y_true) + total(y_pred) + self.smooth + EPSILON)


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


dice = function_form(Dice)
tversky = function_form(Tversky)
