"""Losses between distributions and of counts."""

from .._domain import COUNT, DISTRIBUTION, EPSILON, RATE
from .._formula_loss import ElementLoss, RowLoss
from .._function import function_form
from .._ops import Array, Ops
from .._registry import register


@register
class KLDivergence(RowLoss):
    r"""The Kullback-Leibler divergence, $\sum_k y_k \log(y_k / \hat y_k)$, with $0 \log 0 = 0$.

    In nats. Predictions are clipped to $[10^{-7}, 1]$; neither side is normalised. On one-hot labels it is the
    categorical cross-entropy.

    >>> losslab.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(4)
    array([0.1438])
    """

    source = "Kullback & Leibler 1951, eq. 2.4, doi:10.1214/aoms/1177729694"
    aliases = ("kld", "KLD", "kullback_leibler_divergence")
    same_as = ("keras.losses.kl_divergence", "optax.losses.kl_divergence")
    targets = DISTRIBUTION
    outputs = DISTRIBUTION

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return ops.sum(ops.xlogy(y_true, y_true) - y_true * ops.log(ops.clip_through(y_pred, EPSILON, 1.0)))


@register
class Poisson(ElementLoss):
    r"""The negative log-likelihood of a count, $\hat y - y \log(\hat y + 10^{-7})$, $\hat y$ the expected count.

    In nats, without the constant $\log y!$. A negative prediction is 0 inside the logarithm and keeps the gradient of
    that point, so it is pushed back up.

    >>> losslab.poisson([[2.0, 0.0]], [[2.0, 1.0]]).round(4)
    array([0.8069])
    """

    source = "Nelder & Wedderburn 1972, doi:10.2307/2344614"
    same_as = ("keras.losses.poisson", "torch.nn.functional.poisson_nll_loss")
    targets = COUNT
    outputs = RATE

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return y_pred - y_true * ops.log(ops.clip_through(y_pred, 0.0) + EPSILON)


kl_divergence = function_form(KLDivergence)
poisson = function_form(Poisson)
