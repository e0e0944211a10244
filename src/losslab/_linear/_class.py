"""LinearCrossEntropy: the cross-entropy of a linear layer's classes, as an immutable object."""

from typing import Any, ClassVar

from .._named import Named
from .._ops import Array, Ops, ops_for
from .._param import ByClass, param
from .._reduce import SYNONYMS, Reduction, divisor, reduce
from ..losses.classification import SMOOTHING
from ._drivers import Gradients, Values, driver_for
from ._options import RowOptions
from ._tokens import Batch, batch_of, shape_of


class LinearCrossEntropy(Named):
    r"""The softmax cross-entropy of `hidden @ weight.T + bias`, without ever holding the logits of all tokens.

    For a vocabulary the logits are the largest array of a training step: 8192 tokens times 128,256 classes are 4.2 GB
    in float32, and a gradient of the same size. Here they exist for one chunk of tokens at a time, and the gradients
    are taken while they do, so that memory beyond the gradients does not grow with the number of tokens, at the same
    number of multiplications: $6NDV$.

    With $z = W h + b$, $u = \text{softcap} \cdot \tanh(z / \text{softcap}) / \text{temperature}$,
    $\text{lse} = \log \sum_k e^{u_k}$, labels $y$ smoothed by $s$ and class weights $w$, the value of a token is

    $\sum_k \left((1 - s)[k = y] + s/V\right) w_k (\text{lse} - u_k) + \text{z\_loss} \cdot \text{lse}^2$

    in nats: `losslab.SparseCategoricalCrossentropy(from_logits=True)` on $u$, plus the z-loss, which class weights do
    not weigh.

    >>> hidden, weight = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> loss = losslab.LinearCrossEntropy(ignore_class=-100)
    >>> loss(hidden, weight, [0, -100]).round(4)
    np.float64(0.5514)
    >>> value, (d_hidden, d_weight, d_bias) = loss.value_and_grad(hidden, weight, [0, -100])
    >>> d_hidden.round(4)
    array([[-0.4239,  0.2119],
           [ 0.    ,  0.    ]])

    Parameters:
        reduction: "sum_over_batch_size" divides by the number of tokens that are not ignored (a sample weight of 0
            removes a token but counts it), "mean_with_sample_weight" by the sum of the sample weights, "sum" by
            nothing; "none" keeps the values and computes the logits again for the gradients ($8NDV$).
        ignore_class: the class id whose tokens are removed, such as -100; on NumPy and PyTorch before anything is
            multiplied, on JAX, whose shapes are fixed, they are multiplied by 0.
        class_weight: a weight for each class's term, as a list or a dict {class: weight}; it enters no divisor.
        label_smoothing: from 0 to 1, how far the labels are drawn towards the uniform distribution.
        softcap: the bound of the logits, > 0, as in Gemma 2; None for none.
        temperature: > 0, what the logits are divided by, after the softcap.
        z_loss: >= 0, the weight of lse², which keeps the logits from drifting; 1e-4 in PaLM.

    Args of a call:
        hidden: (…, D) floats: the input of the last layer, of NumPy, PyTorch or JAX.
        weight: (V, D), as `torch.nn.Linear` holds it; for a Keras kernel give its transpose.
        labels: (…) class ids from 0 to V - 1.
        bias: (V,)
        sample_weight: a scalar, or of the shape of the labels or of its leading axes. 0 removes a token.
        normalizer: the divisor, in place of the reduction's own: for gradient accumulation or data parallelism.

    Returns:
        One number, or with reduction="none" one per token (…): in float32, or in float64 for float64 `hidden`. The
        products are computed in the dtype of `hidden` (under PyTorch's autocast in its dtype), everything else in
        float32. It is differentiable in hidden, weight, bias, sample_weight and normalizer.

    Raises:
        TypeError: tensors of two frameworks, or of TensorFlow.
        ValueError: shapes that do not fit; a class id out of range. While tracing and on an accelerator, where looking
            would cost a synchronisation, the value of that token is NaN instead.

    Source: gradients in the forward pass, chunk by chunk: Hsu et al. 2024, arXiv:2410.10989; z-loss:
    Chowdhery et al. 2022, arXiv:2204.02311, section 5; softcap: Gemma Team 2024, arXiv:2408.00118, section 2; the
    cross-entropy: Bridle 1990, doi:10.1007/978-3-642-76153-9_28
    """

    source: ClassVar[str] = "Hsu et al. 2024, arXiv:2410.10989; Bridle 1990, doi:10.1007/978-3-642-76153-9_28"

    reduction: Reduction = param("sum_over_batch_size", doc="how the values of the tokens become one number")
    ignore_class: int | None = param(None, doc="the class id whose tokens are removed, such as -100")
    class_weight: tuple[float, ...] | ByClass | None = param(None, ge=0, doc="a weight for each class's term")
    label_smoothing: float = param(0.0, ge=0, le=1, doc=SMOOTHING)
    softcap: float | None = param(None, gt=0, doc="the bound of the logits")
    temperature: float = param(1.0, gt=0, doc="what the logits are divided by")
    z_loss: float = param(0.0, ge=0, doc="the weight of the squared log-sum-exp")

    def _settle(self) -> None:
        self.reduction = SYNONYMS.get(self.reduction, self.reduction)
        super()._settle()

    def __call__(
        self,
        hidden: Any,
        weight: Any,
        labels: Any,
        bias: Any = None,
        sample_weight: Any = None,
        normalizer: Any = None,
    ) -> Array:
        """The loss of a batch of tokens; arguments and errors as the class says."""
        ops = ops_for(hidden, weight, labels, bias, sample_weight, normalizer)
        batch = batch_of(self.name, ops, hidden, weight, labels, bias, sample_weight, self.ignore_class)
        return self.of_batch(ops, driver_for(ops), batch, normalizer)

    def of_batch(self, ops: Ops, driver: Values, batch: Batch, normalizer: Any) -> Array:
        """The loss of arrays whose shapes are in agreement, as a driver computes it."""
        options = row_options(self, batch.classes)
        if self.reduction == "none":
            return self._reduced(ops, batch, driver.values(batch.tokens, options), normalizer)
        total = driver.total(batch.tokens, batch.coefficient, options)
        by = self._divisor(ops, batch, normalizer)
        return total / max(by, 1) if isinstance(by, int) else reduce(ops, total, None, None, "sum", by)

    def value_and_grad(
        self,
        hidden: Any,
        weight: Any,
        labels: Any,
        bias: Any = None,
        sample_weight: Any = None,
        normalizer: Any = None,
    ) -> tuple[Array, Gradients]:
        """The loss and its gradients with respect to hidden, weight and bias, on NumPy arrays too.

        Returns:
            The loss; (d_hidden, d_weight, d_bias) in the shapes and dtypes of the arguments, d_bias None without a
            bias. With reduction="none" the values and the gradients of their sum.

        Raises: as a call does.
        """
        ops = ops_for(hidden, weight, labels, bias, sample_weight, normalizer)
        driver = driver_for(ops)
        batch = batch_of(self.name, ops, hidden, weight, labels, bias, sample_weight, self.ignore_class)
        values, found = driver.values_and_gradients(batch.tokens, batch.coefficient, row_options(self, batch.classes))
        by = 1 if self.reduction == "none" else self._divisor(ops, batch, normalizer)
        factor = 1.0 / (max(by, 1) if isinstance(by, int) else ops.where(by == 0, 1.0, by))  # 0 where no token is left
        inputs = (batch.hidden, batch.tokens.weight, batch.tokens.bias)
        d_hidden, d_weight, d_bias = (
            _fitted(ops, gradient, factor, x) for gradient, x in zip(found, inputs, strict=True)
        )
        return self._reduced(ops, batch, values, normalizer), (d_hidden, d_weight, d_bias)

    def _reduced(self, ops: Ops, batch: Batch, values: Array, normalizer: Any) -> Array:
        values = ops.reshape(values, batch.shape)
        return reduce(ops, values, batch.sample_weight, batch.counted, self.reduction, normalizer)

    def _divisor(self, ops: Ops, batch: Batch, normalizer: Any) -> Any:
        like = ops.cast(ops.zeros_like(batch.tokens.labels), batch.dtype)
        counted = None if batch.counted is None else ops.reshape(batch.counted, (-1,))
        return divisor(ops, like, batch.coefficient, counted, self.reduction, normalizer)


def _fitted(ops: Ops, gradient: Array | None, factor: Array, like: Array) -> Array | None:
    """A gradient times the factor, in the dtype and shape of what it is the gradient of."""
    if gradient is None:
        return None
    return ops.reshape(ops.cast(gradient * factor, like.dtype), shape_of(ops, like))


def row_options(loss: LinearCrossEntropy, classes: int) -> RowOptions:
    """What a row of logits sees of the loss.

    Raises:
        ValueError: class weights for other classes than there are.
    """
    weight = loss.class_weight
    if isinstance(weight, ByClass) and max(weight) >= classes:
        raise ValueError(f"{loss.name}: class_weight names class {max(weight)}, but there are {classes} classes")
    if isinstance(weight, tuple) and len(weight) != classes:
        raise ValueError(f"{loss.name}: class_weight has {len(weight)} numbers, but there are {classes} classes")
    weight = weight.for_classes(classes) if isinstance(weight, ByClass) else weight
    return RowOptions(weight, loss.label_smoothing, loss.softcap, loss.temperature, loss.z_loss)
