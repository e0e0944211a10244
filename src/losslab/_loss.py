"""Loss: what every loss derives from: inputs checked, samples removed, values weighted and reduced."""

from typing import Any, ClassVar

import numpy as np

from ._align import Shape, align, align_to_values, fit_to_values, same_shape
from ._domain import CLASS_ID, REAL, Domain
from ._fast import driver_for
from ._named import Named
from ._ops import Array, Ops, ops_for
from ._param import param
from ._reduce import SYNONYMS, Reduction, reduce

# What stands in for a removed element, so that the formula and its gradient are finite there: any domain holds them,
# and they differ, because |y_pred - y_true| has no gradient where they are equal.
_REMOVED_TRUE, _REMOVED_PRED = 1.0, 0.5


class Loss(Named):
    """A loss: parameters and how to compute it, never data. Immutable, hashable, comparable, picklable.

    Write one as a subclass with `call(self, y_true, y_pred)`, in the framework of your arrays; or declare one by
    subclassing `ElementLoss` (a value per element) or `RowLoss` (a value per row of the last axis) with annotated
    parameters and a `formula`, which then works on NumPy, PyTorch, JAX and TensorFlow arrays.

    >>> class Cubic(losslab.Loss):
    ...     def __init__(self, factor=1.0, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.factor = factor
    ...     def call(self, y_true, y_pred):
    ...         return self.factor * abs(y_pred - y_true) ** 3
    >>> float(Cubic(factor=2.0)([[1.0], [1.0]], [[2.0], [9.0]], sample_weight=[1, 0]))
    1.0

    Attributes:
        targets: what y_true may be.
        outputs: what y_pred may be; it may depend on a parameter such as `from_logits`.
        source: author, year and equation, with a DOI or arXiv number.
        aliases: further names under which `register` makes it known.
        same_as: dotted paths of functions in other libraries that compute the same loss; the tests compare the values,
            their conventions (means, signs, one-hot labels) translated.
        fades: whether the gradient of a confidently wrong sample goes to 0 on purpose, as a robust loss's does.
        data_arguments: further arrays that the object and the function form take by keyword, such as lengths.
        shapes, unit: which shapes y_true and y_pred have, and to what a value belongs, for the documentation.
    """

    source: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    same_as: ClassVar[tuple[str, ...]] = ()
    fades: ClassVar[bool] = False
    data_arguments: ClassVar[tuple[str, ...]] = ()
    shapes: ClassVar[str] = (
        "One shape for both, except that class ids lack the axis of classes; (N,) and (N, 1) are aligned."
    )
    unit: ClassVar[str] = "sample, the last axis (or `axis`) reduced"

    reduction: Reduction = param("sum_over_batch_size", doc="how the per-sample values become one number")

    def _settle(self) -> None:
        self.reduction = SYNONYMS.get(self.reduction, self.reduction)
        super()._settle()

    @property
    def targets(self) -> Domain:
        return self.__dict__.get("targets", REAL)  # type: ignore[no-any-return]

    @targets.setter
    def targets(self, domain: Domain) -> None:
        self.__dict__["targets"] = domain

    @property
    def outputs(self) -> Domain:
        return REAL

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of a batch, for a subclass to define where it is no formula in the array vocabulary.

        Args:
            y_true, y_pred: of one shape, (N, 1) or more, and one float dtype; class ids lack the last axis and stay
                integers.

        Returns:
            A value per sample: of shape (N,), or of y_pred's shape without its last axis. Or a value per element, of
            which the mean over the last axis is taken. Or, where nothing weighs or masks it, one number for the batch.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say what it computes: define call(self, y_true, y_pred), or subclass "
            f"losslab.ElementLoss or losslab.RowLoss and define formula(self, ops, y_true, y_pred)"
        )

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None, normalizer: Any = None
    ) -> Array:
        """The reduced loss of a batch.

        Args:
            y_true: labels; an array of any framework, or a list.
            y_pred: predictions, of the same shape ((N,) and (N, 1) are aligned); class ids lack the axis of classes.
            sample_weight: scalar, (N,), (N, 1) or the shape of the per-sample values. 0 removes a sample.
            mask: of the same shapes; False removes a sample and takes it out of the count.
            normalizer: the divisor, in place of the number of samples: for gradient accumulation or data parallelism.

        Raises:
            TypeError: tensors of two frameworks, or no real numbers at all.
            ValueError: shapes that would broadcast, a class id out of range or with a fraction.
        """
        return self._reduced(y_true, y_pred, sample_weight, mask, normalizer)

    def per_sample(self, y_true: Any, y_pred: Any) -> Array:
        """One value per sample, as the function form gives it: the last axis (or `axis`) reduced, also on 1-D input.

        Raises: as `__call__`.
        """
        return self._unreduced(y_true, y_pred)

    def value_and_grad(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        mask: Any = None,
        normalizer: Any = None,
        **data: Any,
    ) -> tuple[Array, Array]:
        """The reduced loss of a batch and its gradient with respect to y_pred, on NumPy arrays too.

        >>> value, gradient = losslab.MeanSquaredError().value_and_grad([[1.0, 2.0]], [[1.0, 4.0]])
        >>> float(value), gradient
        (2.0, array([[0., 2.]]))

        Args: as `__call__`; `data` are the arrays that `data_arguments` names.

        Returns:
            The loss, and an array of y_pred's shape. Under reduction="none" the values and the gradient of their sum.

        Raises: as `__call__`.
        """
        ops = ops_for(y_true, y_pred, sample_weight, mask, normalizer, *data.values())
        return driver_for(ops).value_and_grad(self, y_true, y_pred, sample_weight, mask, normalizer, data)

    def derivatives(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The gradient and the diagonal of the Hessian of each sample's value with respect to its predictions.

        >>> gradient, hessian = losslab.BinaryCrossentropy(from_logits=True).derivatives([1.0, 0.0], [0.0, 0.0])
        >>> gradient, hessian
        (array([-0.5,  0.5]), array([0.25, 0.25]))

        What boosting needs: a sample's value is that of `per_sample` times its weight, never divided by the number of
        samples; on 1-D input each element is a sample. At a kink the second derivative is 0.

        Args: as `__call__`; arrays of other frameworks are read on the CPU.

        Returns:
            Two NumPy arrays of y_pred's shape, 0 where a sample is removed.

        Raises:
            TypeError: a loss whose values belong to sets, pairs or sequences, or one written as `call`.
            ValueError: as `__call__`.
        """
        from ._fast._second_order import derivatives  # it knows the kinds of losses, which all derive from this one

        return derivatives(self, y_true, y_pred, sample_weight, mask)

    def to_keras(self, dtype: Any = None) -> Any:
        """This loss as a `keras.losses.Loss`, at home in `compile`: with weights, masks, saving and loading.

        Args:
            dtype: as Keras' losses take it.

        Raises:
            ImportError: Keras is not installed.
        """
        from .keras import wrap  # the one adapter that the core knows, because loss.to_keras() is what people type

        return wrap(self, dtype=dtype)

    def _reduced(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, normalizer: Any, **data: Any) -> Array:
        ops = ops_for(y_true, y_pred, sample_weight, mask, normalizer, *data.values())
        result = driver_for(ops).reduced(self, y_true, y_pred, sample_weight, mask, normalizer, data)
        if result is not None:
            return result
        return self._composed(ops, y_true, y_pred, sample_weight, mask, normalizer, data)

    def _unreduced(self, y_true: Any, y_pred: Any, **data: Any) -> Array:
        ops = ops_for(y_true, y_pred, *data.values())
        result = driver_for(ops).per_sample(self, y_true, y_pred, data)
        return self._composed_per_sample(ops, y_true, y_pred, data) if result is None else result

    def _composed(
        self, ops: Ops, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, normalizer: Any, data: dict[str, Any]
    ) -> Array:
        """The reduced loss, operation by operation: what every driver must equal."""
        y_true, y_pred = self._inputs(ops, y_true, y_pred)
        values, weight, counted = self._weighted(ops, y_true, y_pred, sample_weight, mask, **data)
        return reduce(ops, values, weight, counted, self.reduction, normalizer)

    def _composed_per_sample(self, ops: Ops, y_true: Any, y_pred: Any, data: dict[str, Any]) -> Array:
        y_true, y_pred = self._inputs(ops, y_true, y_pred)
        values, _, _ = self._weighted(ops, y_true, y_pred, None, None, **data)
        if len(ops.shape(y_pred)) == len(ops.shape(values)) == 1:
            return reduce(ops, values, None, None, "sum_over_batch_size", None)
        return values

    def _inputs(self, ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """Arrays of one framework, one device and one float dtype, their shapes in agreement, `axis` last."""
        y_true, y_pred = self._aligned(ops, y_true, y_pred)
        y_pred = ops.cast(y_pred, ops.float_dtype(y_pred))
        return y_true if self.targets.is_id else ops.cast(y_true, y_pred.dtype), y_pred

    def _aligned(self, ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """The same in the dtypes that they came in."""
        y_pred = ops.convert(y_pred)
        y_true = ops.convert(y_true, like=y_pred)
        ids = self.targets.is_id
        return align(ops, y_true, y_pred, ids, self._class_axis, self.name, self._shape_advice)

    @property
    def _class_axis(self) -> int:
        """The axis that belongs last before the formula sees it."""
        return -1

    @property
    def _shape_advice(self) -> str:
        """What may help beyond the usual where the shapes do not fit."""
        return "" if type(self).call is Loss.call else "; if it takes class ids: targets = losslab.domains.CLASS_ID"

    def _weighted(
        self, ops: Ops, y_true: Array, y_pred: Array, sample_weight: Any, mask: Any
    ) -> tuple[Array, Array | None, Array | None]:
        """Per-sample values, 0 where a sample is removed; their weights; which of them are counted."""
        shape = self._value_shape(ops.shape(y_pred))
        labelled = self._labelled(ops, y_true)
        counted = self._counted(ops, labelled, y_pred, mask, shape)
        weight, used = self._weights(ops, sample_weight, counted, y_pred, shape)
        values = self._values(ops, y_true, y_pred, used, labelled)
        if used is None and weight is None:
            return values, None, None
        used, weight, counted = (fit_to_values(ops, x, ops.shape(values), self.name) for x in (used, weight, counted))
        return values if used is None else ops.where(used, values, 0.0), weight, counted

    def _value_shape(self, shape: Shape) -> Shape:
        """The shape of the per-sample values for predictions of this shape."""
        return shape if len(shape) < 2 else self._not_empty(shape)[:-1]

    def _labelled(self, ops: Ops, y_true: Array) -> Array | None:
        """False where `ignore_class` removes a label; None where nothing can."""
        return None

    def _counted(self, ops: Ops, labelled: Array | None, y_pred: Array, mask: Any, shape: Shape) -> Array | None:
        """False where a mask or `ignore_class` removes a sample; None where nothing can."""
        if labelled is not None and len(ops.shape(labelled)) > len(shape):
            labelled = ops.sum(ops.cast(labelled, y_pred.dtype)) > 0
        if mask is None:
            return labelled
        kept = align_to_values(ops, as_mask(ops, mask, y_pred), y_pred, shape, "mask", self.name)
        return kept if labelled is None else kept & labelled

    def _weights(
        self, ops: Ops, sample_weight: Any, counted: Array | None, y_pred: Array, shape: Shape
    ) -> tuple[Array | None, Array | None]:
        """The weights, and where they and `counted` leave something to compute; None for everywhere."""
        if sample_weight is None:
            return None, counted
        weight = ops.cast(ops.convert(sample_weight, like=y_pred), y_pred.dtype)
        weight = align_to_values(ops, weight, y_pred, shape, "sample_weight", self.name)
        weight = weight if counted is None else ops.where(counted, weight, 0.0)  # padding may hold NaN
        return weight, weight != 0

    def _values(self, ops: Ops, y_true: Array, y_pred: Array, used: Array | None, labelled: Array | None) -> Array:
        """Per-sample values; whatever is finite where `used` is False."""
        y_true, y_pred = self._substituted(ops, y_true, y_pred, used)
        if self.targets is CLASS_ID:
            y_true, valid = self._in_range(ops, y_true, ops.length(y_pred))
            y_pred = y_pred if valid is None else ops.where(ops.expand_dims(valid), y_pred, float("nan"))
        return self._evaluated(ops, y_true, y_pred)

    def _substituted(self, ops: Ops, y_true: Array, y_pred: Array, used: Array | None) -> tuple[Array, Array]:
        """The inputs with harmless ones where `used` is False.

        Replaced before the formula: selecting afterwards alone would leave 0 * NaN in the gradient.
        """
        if used is None:
            return y_true, y_pred
        keep = ops.expand_dims(used) if len(ops.shape(y_pred)) > len(ops.shape(used)) else used
        y_true = ops.where(used, y_true, 0) if self.targets.is_id else ops.where(keep, y_true, _REMOVED_TRUE)
        return y_true, ops.where(keep, y_pred, _REMOVED_PRED)

    def _evaluated(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        """What `call` returns, as per-sample values."""
        if len(ops.shape(y_pred)) == 1 and not self.targets.is_id:  # each element is a sample: a mean over -1 keeps it
            y_true, y_pred = ops.expand_dims(y_true), ops.expand_dims(y_pred)
        values = ops.convert(self.call(y_true, y_pred), like=y_pred)
        shape, expected = ops.shape(values), ops.shape(y_pred)
        if len(shape) > 1 and same_shape(shape, expected):
            return ops.mean(values)
        if not shape and self.reduction not in ("sum_over_batch_size", "mean_with_sample_weight"):
            raise ValueError(
                f"{self.name}: call returned one number for the whole batch, which is a mean already: "
                f"reduction={self.reduction!r} needs a value per sample, of shape {tuple(expected[:1])}"
            )
        if not same_shape(shape, expected[: len(shape)]):
            raise ValueError(
                f"{self.name}: call returned shape {tuple(shape)} for y_pred of shape {tuple(expected)}: "
                f"return a value per sample, of shape {tuple(expected[:1])} or {tuple(expected[:-1])}"
            )
        return values

    def _in_range(self, ops: Ops, y_true: Array, classes: Any) -> tuple[Array, Array | None]:
        """Class ids in range as integers, and where they were: None if that has been looked at."""
        ids = ops.ids(y_true)
        seen = ops.look(y_true)
        if seen is None:
            valid = (ids >= 0) & (ids < classes)
            if ops.kind(y_true) == "f":
                valid = valid & (ops.cast(ids, y_true.dtype) == y_true)
            return ops.where(valid, ids, 0), valid
        wrong = seen[~((seen >= 0) & (seen < classes) & (seen == np.trunc(seen)))]
        if wrong.size:
            raise ValueError(
                f"{self.name}: class id {wrong.flat[0]} in y_true is out of range for {classes} classes: "
                f"ids are whole numbers from 0 to {classes - 1}, one per column of y_pred"
            )
        return ids, None

    def _not_empty(self, shape: Shape) -> Shape:
        """Refuse rows of nothing: the mean and the maximum of no numbers are no numbers."""
        if not shape or shape[-1] == 0:
            raise ValueError(f"{self.name}: y_pred has shape {tuple(shape)}, but its last axis must hold something")
        return shape


def as_mask(ops: Ops, mask: Any, y_pred: Array) -> Array:
    mask = ops.convert(mask, like=y_pred)
    return mask if ops.kind(mask) == "b" else mask != 0
