"""Loss: the declaration of a loss, and everything that derives from it."""

from typing import Any, ClassVar

import numpy as np

from ._align import Shape, align, align_to_values, same_shape
from ._declared import Declared
from ._domain import CLASS_ID, REAL, Domain
from ._ops import Array, Ops, ops_for
from ._param import param
from ._reduce import SYNONYMS, Reduction, reduce
from ._registry import snake_case

# What stands in for a removed element, so that the formula and its gradient are finite there: any domain holds them,
# and they differ, because |y_pred - y_true| has no gradient where they are equal.
_REMOVED_TRUE, _REMOVED_PRED = 1.0, 0.5


class Loss(Declared):
    """A loss: parameters and a formula, never data. Immutable, hashable, comparable, picklable.

    Declare one by subclassing `ElementLoss` (a value per element) or `RowLoss` (a value per row of the last axis) with
    annotated parameters and a `formula`; it then works on NumPy, PyTorch, JAX and TensorFlow arrays.

    Attributes:
        targets: what y_true may be.
        outputs: what y_pred may be; it may depend on a parameter such as `from_logits`.
        source: author, year and equation, with a DOI or arXiv number.
        aliases: further names under which `register` makes it known.
        same_as: dotted paths of functions in other libraries that compute the same loss; the tests compare the values,
            their conventions (means, signs, one-hot labels) translated.
        fades: whether the gradient of a confidently wrong sample goes to 0 on purpose, as a robust loss's does.
    """

    source: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    same_as: ClassVar[tuple[str, ...]] = ()
    fades: ClassVar[bool] = False

    reduction: Reduction = param("sum_over_batch_size", doc="how the per-sample values become one number")
    name: str = param("", doc="a name for logs; the loss's own where none is given")

    def _settle(self) -> None:
        self.reduction = SYNONYMS.get(self.reduction, self.reduction)
        self.name = self.name or snake_case(type(self).__name__)
        super()._settle()

    def _defaults(self) -> dict[str, Any]:
        return {**super()._defaults(), "name": snake_case(type(self).__name__)}

    @property
    def targets(self) -> Domain:
        return REAL

    @property
    def outputs(self) -> Domain:
        return REAL

    @property
    def axis(self) -> int:
        """The axis that the function form reduces."""
        return -1

    @property
    def ignore_class(self) -> int | None:
        """The class id whose samples are removed."""
        return None

    def formula(self, ops: Ops, y_true: Array, y_pred: Array) -> Array:
        """The loss in the array vocabulary `ops`.

        Args:
            y_true, y_pred: of one shape, with `axis` last; class ids lack that axis.
        """
        raise NotImplementedError(f"{type(self).__name__} declares no formula")

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
        ops = ops_for(y_true, y_pred, sample_weight, mask, normalizer)
        y_true, y_pred = self._inputs(ops, y_true, y_pred)
        shape = self._value_shape(ops.shape(y_pred))
        counted = self._counted(ops, y_true, y_pred, mask, shape)
        weight, used = None, counted
        if sample_weight is not None:
            weight = ops.cast(ops.convert(sample_weight, like=y_pred), y_pred.dtype)
            weight = align_to_values(ops, weight, y_pred, shape, "sample_weight", self.name)
            weight = weight if counted is None else ops.where(counted, weight, 0.0)  # padding may hold NaN
            used = weight != 0
        values = self._values(ops, y_true, y_pred, used, shape)
        return reduce(ops, values, weight, counted, self.reduction, normalizer)

    def per_sample(self, y_true: Any, y_pred: Any) -> Array:
        """One value per sample, as the function form gives it: the last axis (or `axis`) reduced, also on 1-D input.

        Raises: as `__call__`.
        """
        ops = ops_for(y_true, y_pred)
        y_true, y_pred = self._inputs(ops, y_true, y_pred)
        shape = self._value_shape(ops.shape(y_pred))
        values = self._values(ops, y_true, y_pred, self._counted(ops, y_true, y_pred, None, shape), shape)
        if shape and len(shape) == len(ops.shape(y_pred)):
            return reduce(ops, values, None, None, "sum_over_batch_size", None)
        return values

    def _value_shape(self, shape: Shape) -> Shape:
        """The shape of the per-sample values for predictions of this shape."""
        raise NotImplementedError

    def _per_sample(self, ops: Ops, values: Array, shape: Shape) -> Array:
        """What the formula gave, as per-sample values."""
        raise NotImplementedError

    def _inputs(self, ops: Ops, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """Arrays of one framework, one device and one float dtype, their shapes in agreement, `axis` last."""
        y_pred = ops.convert(y_pred)
        y_true = ops.convert(y_true, like=y_pred)
        ids = self.targets is CLASS_ID
        y_true, y_pred = align(ops, y_true, y_pred, ids, self.axis, self.name)
        y_pred = ops.cast(y_pred, ops.float_dtype(y_pred))
        return y_true if ids else ops.cast(y_true, y_pred.dtype), y_pred

    def _counted(self, ops: Ops, y_true: Array, y_pred: Array, mask: Any, shape: Shape) -> Array | None:
        """False where a mask or `ignore_class` removes a sample; None where nothing can."""
        kept = None
        if mask is not None:
            mask = ops.convert(mask, like=y_pred)
            mask = mask if ops.kind(mask) == "b" else mask != 0
            kept = align_to_values(ops, mask, y_pred, shape, "mask", self.name)
        if self.targets is CLASS_ID and self.ignore_class is not None:
            valid = y_true != self.ignore_class
            kept = valid if kept is None else kept & valid
        return kept

    def _values(self, ops: Ops, y_true: Array, y_pred: Array, used: Array | None, shape: Shape) -> Array:
        """Per-sample values of this shape, with value and gradient 0 where `used` is False.

        Removed inputs are replaced before the formula: selecting afterwards alone would leave 0 * NaN in the gradient.
        """
        valid = None
        if used is not None:
            keep = ops.expand_dims(used) if len(ops.shape(y_pred)) > len(shape) else used
            y_pred = ops.where(keep, y_pred, _REMOVED_PRED)
            y_true = ops.where(used, y_true, 0) if self.targets is CLASS_ID else ops.where(keep, y_true, _REMOVED_TRUE)
        if self.targets is CLASS_ID:
            y_true, valid = self._in_range(ops, y_true, ops.length(y_pred))
        values = self._per_sample(ops, self.formula(ops, y_true, y_pred), ops.shape(y_pred))
        if valid is not None:
            values = ops.where(valid, values, float("nan"))
        return values if used is None else ops.where(used, values, 0.0)

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

    def _check_shape(self, values: Shape, expected: Shape) -> None:
        if not same_shape(values, expected):
            raise ValueError(
                f"{type(self).__name__}.formula returned shape {tuple(values)}, but {tuple(expected)} is one value per "
                f"{'element' if isinstance(self, ElementLoss) else 'row'}"
            )


class ElementLoss(Loss):
    """A loss with a value for every element; a sample's value is the mean over the last axis.

    >>> class Squared(losslab.ElementLoss):
    ...     def formula(self, ops, y_true, y_pred):
    ...         return ops.square(y_pred - y_true)
    >>> float(Squared()([1.0, 2.0], [1.0, 4.0]))
    2.0
    """

    def _value_shape(self, shape: Shape) -> Shape:
        return shape if len(shape) < 2 else self._not_empty(shape)[:-1]

    def _per_sample(self, ops: Ops, values: Array, shape: Shape) -> Array:
        self._check_shape(ops.shape(values), shape)
        return values if len(shape) < 2 else ops.mean(values)


class RowLoss(Loss):
    """A loss with one value for every row of the last axis: a class distribution, a vector.

    >>> class Distance(losslab.RowLoss):
    ...     def formula(self, ops, y_true, y_pred):
    ...         return ops.sqrt(ops.sum(ops.square(y_pred - y_true)))
    >>> float(Distance()([[0.0, 0.0]], [[3.0, 4.0]]))
    5.0
    """

    def _value_shape(self, shape: Shape) -> Shape:
        return self._not_empty(shape)[:-1]

    def _per_sample(self, ops: Ops, values: Array, shape: Shape) -> Array:
        self._check_shape(ops.shape(values), shape[:-1])
        return values
