"""Losses between real numbers. The error is e = y_pred - y_true throughout."""

from math import log

from .._domain import EPSILON, NON_NEGATIVE
from .._formula_loss import ElementLoss, RowLoss
from .._function import function_form
from .._ops import Array, Ops
from .._param import param
from .._registry import register


@register
class MeanSquaredError(ElementLoss):
    r"""The squared error, $e^2$. Its best constant is the mean.

    In (unit of y)²; an outlier counts by the square of its distance.

    >>> losslab.mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]])
    array([2.])
    """

    source = "Gauss 1809, Theoria motus corporum coelestium, §179"
    aliases = ("mse", "MSE")
    same_as = (
        "keras.losses.mean_squared_error",
        "torch.nn.functional.mse_loss",
        "optax.losses.squared_error",
        "sklearn.metrics.mean_squared_error",
    )

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return ops.square(y_pred - y_true)


@register
class MeanAbsoluteError(ElementLoss):
    r"""The absolute error, $|e|$. Its best constant is the median.

    In the unit of y. The gradient is the sign of e, 0 at e = 0: it does not shrink as the error does.

    >>> losslab.mean_absolute_error([[1.0, 2.0]], [[1.0, 4.0]])
    array([1.])
    """

    source = "Laplace 1774, Mémoire sur la probabilité des causes par les événements"
    aliases = ("mae", "MAE")
    same_as = (
        "keras.losses.mean_absolute_error",
        "torch.nn.functional.l1_loss",
        "sklearn.metrics.mean_absolute_error",
    )

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return ops.abs(y_pred - y_true)


@register
class MeanAbsolutePercentageError(ElementLoss):
    r"""The absolute error in percent of the truth, $100\,|e| / \max(|y|, 10^{-7})$.

    In percent. It explodes where y_true is near 0 and rewards predictions that are too low.

    >>> losslab.mean_absolute_percentage_error([[10.0, 20.0]], [[11.0, 16.0]])
    array([15.])
    """

    source = "de Myttenaere et al. 2016, eq. 1, arXiv:1605.02541"
    aliases = ("mape", "MAPE")
    same_as = ("keras.losses.mean_absolute_percentage_error", "sklearn.metrics.mean_absolute_percentage_error")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return 100.0 * ops.abs(y_pred - y_true) / ops.maximum(ops.abs(y_true), EPSILON)


@register
class MeanSquaredLogarithmicError(ElementLoss):
    r"""The squared error of logarithms, $(\log(1 + \hat y) - \log(1 + y))^2$, both clipped to at least $10^{-7}$.

    No unit. For positive targets over several orders of magnitude; too low costs more than too high. A negative
    prediction counts as $10^{-7}$ and keeps the gradient of that point, so it is pulled back up.

    >>> losslab.mean_squared_logarithmic_error([[0.0, 99.0]], [[0.0, 999.0]]).round(3)
    array([2.651])
    """

    source = "Kaggle, Heritage Health Prize 2011, evaluation (squared, without the root)"
    aliases = ("msle", "MSLE")
    same_as = ("keras.losses.mean_squared_logarithmic_error", "sklearn.metrics.mean_squared_log_error")
    targets = NON_NEGATIVE
    outputs = NON_NEGATIVE

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        clipped = ops.clip_through(y_pred, EPSILON), ops.clip_through(y_true, EPSILON)
        return ops.square(ops.log1p(clipped[0]) - ops.log1p(clipped[1]))


@register
class Huber(ElementLoss):
    r"""Quadratic near zero, linear in the tails: $e^2/2$ if $|e| \le \delta$, else $\delta(|e| - \delta/2)$.

    In (unit of y)². Near the mean for clean data, robust against outliers.

    >>> losslab.huber([[0.0, 0.0]], [[1.0, 3.0]], delta=1.0)
    array([1.5])
    """

    source = "Huber 1964, doi:10.1214/aoms/1177703732"
    aliases = ("huber_loss",)
    same_as = ("keras.losses.huber", "torch.nn.functional.huber_loss", "optax.losses.huber_loss")
    delta: float = param(1.0, gt=0, doc="where the tails begin, in the unit of y")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        e = y_pred - y_true
        return ops.where(ops.abs(e) <= self.delta, 0.5 * e * e, self.delta * (ops.abs(e) - 0.5 * self.delta))


@register
class LogCosh(ElementLoss):
    r"""The logarithm of the hyperbolic cosine, $\log\cosh e$: about $e^2/2$ near zero, $|e| - \log 2$ in the tails.

    Close to Huber with $\delta = 1$, with derivatives of every order: the slope is $\tanh e$.

    >>> losslab.log_cosh([[0.0, 0.0]], [[0.0, 1.0]]).round(4)
    array([0.2169])
    """

    source = "Green 1990, doi:10.1109/42.52985"
    aliases = ("logcosh",)
    same_as = ("keras.losses.log_cosh", "optax.losses.log_cosh")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        e = y_pred - y_true
        size = ops.abs(e)
        # cosh e - 1 = (exp e - 1)² / (2 exp e): no cancellation near 0, where the form of the tails loses all digits
        near = ops.clip(e, -1.0, 1.0)
        center = ops.log1p(0.5 * ops.square(ops.expm1(near)) * ops.exp(-near))
        return ops.where(size < 1.0, center, size + ops.log1p(ops.exp(-2.0 * size)) - log(2.0))


@register
class Quantile(ElementLoss):
    r"""The pinball loss, $\max(\tau (y - \hat y), (\tau - 1)(y - \hat y))$. Its best constant is the $\tau$-quantile.

    In the unit of y. Too low costs $\tau$ a unit, too high $1 - \tau$; at $\tau = 1/2$ it is half the absolute error.

    >>> losslab.quantile([[10.0, 10.0]], [[8.0, 12.0]], quantile=0.9)
    array([1.])
    """

    source = "Koenker & Bassett 1978, doi:10.2307/1913643"
    aliases = ("pinball", "pinball_loss", "quantile_loss")
    same_as = ("sklearn.metrics.mean_pinball_loss",)
    quantile: float = param(0.5, gt=0, lt=1, doc="which quantile to predict")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return _cost(ops, y_pred - y_true, over=1.0 - self.quantile, under=self.quantile)


@register
class AsymmetricCost(ElementLoss):
    r"""What a forecast costs: `over` for each unit too many, `under` for each unit too few.

    $\text{over} \cdot \max(e, 0) + \text{under} \cdot \max(-e, 0)$, in the currency of the two prices. For a stock that
    spoils: `over` is what an unsold unit cost, `under` the profit that a missing unit would have made. It is
    (over + under) times the quantile loss at under / (over + under): the best constant is that quantile.

    >>> losslab.asymmetric_cost([[10.0, 10.0]], [[8.0, 12.0]], over=1.0, under=3.0)
    array([4.])
    """

    source = "Arrow, Harris & Marschak 1951 (the newsvendor), doi:10.2307/1906813"
    aliases = ("newsvendor",)
    same_as = ("sklearn.metrics.mean_pinball_loss",)
    over: float = param(1.0, gt=0, doc="the cost of one unit predicted too many")
    under: float = param(1.0, gt=0, doc="the cost of one unit predicted too few")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return _cost(ops, y_pred - y_true, self.over, self.under)


def _cost(ops: Ops, e: Array, over: float, under: float) -> Array:
    return over * ops.maximum(e, 0.0) + under * ops.maximum(-e, 0.0)


@register
class CosineSimilarity(RowLoss):
    r"""Minus the cosine of the angle between two vectors, $-\sum_i n(y)_i\,n(\hat y)_i$.

    With $n(x) = x / \max(\lVert x \rVert, 10^{-7})$. From -1 (same direction) to 1; no unit. A zero vector gives 0.

    >>> losslab.cosine_similarity([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]).round(6)
    array([-0., -1.])
    """

    source = "Salton, Wong & Yang 1975, doi:10.1145/361219.361220"
    aliases = ("cosine_proximity",)
    same_as = ("keras.losses.cosine_similarity", "optax.losses.cosine_similarity")
    axis: int = param(-1, doc="the axis of the vectors' components")

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        return -ops.sum(_unit(ops, y_true) * _unit(ops, y_pred))


def _unit(ops: Ops, x: Array) -> Array:
    # Scaled by its largest component first: the squares of 1e30 do not fit into float32. Beyond 1 / tiny the inverse
    # of the scale, by which XLA multiplies, would be flushed to 0.
    largest = ops.max(ops.stop_gradient(ops.abs(x)), keepdims=True)
    scale = ops.clip(largest, 1.0, 1.0 / ops.tiny(x))
    x = x / scale
    return x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), keepdims=True), ops.square(EPSILON / scale)))


mean_squared_error = function_form(MeanSquaredError)
mean_absolute_error = function_form(MeanAbsoluteError)
mean_absolute_percentage_error = function_form(MeanAbsolutePercentageError)
mean_squared_logarithmic_error = function_form(MeanSquaredLogarithmicError)
huber = function_form(Huber)
log_cosh = function_form(LogCosh)
quantile = function_form(Quantile)
asymmetric_cost = function_form(AsymmetricCost)
cosine_similarity = function_form(CosineSimilarity)
