"""The `keras.losses.Loss` subclass of a losslab loss, generated from its declaration."""

from typing import Any, ClassVar

import keras

import losslab

from ._distribution import share_of_mean
from ._generated import Generated, generated
from ._mask import mask_of
from ._registered import check_free, tell_keras

_MADE: dict[type[losslab.Loss], type["KerasLoss"]] = {}


class KerasLoss(Generated, keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """A losslab loss as Keras knows losses; immutable, as losslab's are.

    Args:
        parameters: those of the losslab class, `reduction` and `name` among them.
        core: a losslab loss, in place of its parameters.
        dtype: None computes in float32, or in float64 for float64 predictions, and returns that. "float64" casts the
            predictions up first; any other dtype (or Keras dtype policy, by its compute dtype) casts the result.

    Attributes:
        core: the `losslab.Loss` that computes.
    """

    core_class: ClassVar[type[losslab.Loss]]

    def __init__(self, *args: Any, core: losslab.Loss | None = None, dtype: Any = None, **parameters: Any) -> None:
        self.core: losslab.Loss = core or self.make_core(*args, **parameters)
        self.casts = dtype is not None
        super().__init__(name=self.core.name, reduction=self.core.reduction, dtype=dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            raise AttributeError(f"cannot assign {name!r}: a {type(self).__name__} is immutable; make another one")
        super().__setattr__(name, value)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss of a batch. `y_true` is not cast: class ids stay integers."""
        mask = mask_of(y_pred)
        y_pred = keras.ops.convert_to_tensor(y_pred)
        if self.casts and self.dtype == "float64":
            y_pred = keras.ops.cast(y_pred, "float64")
        loss = self.core(y_true, y_pred, sample_weight=sample_weight, mask=mask)
        loss = share_of_mean(loss, self.core.reduction)
        return keras.ops.cast(loss, self.dtype) if self.casts else loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample."""
        return self.core.per_sample(y_true, keras.ops.convert_to_tensor(y_pred))

    def get_config(self) -> dict[str, Any]:
        """The parameters of the losslab loss, and the dtype, which Keras' own losses forget."""
        return {**self.core.get_config(), "dtype": self.dtype if self.casts else None}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, KerasLoss)
        return self._value() == other._value()

    def __hash__(self) -> int:
        return hash((type(self), self._value()))

    def _value(self) -> tuple[losslab.Loss, str | None]:
        return self.core, self.dtype if self.casts else None

    def __reduce__(self) -> Any:
        if type(self) is not _MADE.get(type(self.core)):  # a subclass that somebody wrote
            return super().__reduce__()
        return wrap, self._value()

    def __repr__(self) -> str:
        dtype = f", dtype={self.dtype!r}" if self.casts else ""
        return f"losslab.keras.wrap({self.core!r}{dtype})"


def wrap(loss: Any, dtype: Any = None) -> KerasLoss:
    """The Keras loss of a losslab loss, one of your own too: for `compile`, with weights, masks and saving.

    Args:
        loss: a `losslab.Loss`, or what `losslab.get` takes ("focal:gamma=3"); a `KerasLoss` stays what it is.
        dtype: as in `KerasLoss`.

    Raises:
        TypeError: no losslab loss.
        ValueError: as `loss_class`.

    >>> import losslab.keras
    >>> losslab.keras.wrap("huber:delta=2")
    losslab.keras.wrap(Huber(delta=2.0))
    """
    if isinstance(loss, KerasLoss):
        return loss if dtype is None else type(loss)(core=loss.core, dtype=dtype)
    core = losslab.get(loss)
    if not isinstance(core, losslab.Loss):
        raise TypeError(f"{loss!r} is no losslab.Loss: give one, or its name; Keras takes other callables as they are")
    return loss_class(type(core))(core=core, dtype=dtype)


def loss_class(cls: type[losslab.Loss]) -> type[KerasLoss]:
    """The Keras class of a losslab class, made once and registered with Keras as "losslab>" and its name.

    `losslab.register` calls it: a process that loads a model need only have registered the losses in it.

    Raises:
        TypeError: no losslab class.
        ValueError: a class that is not registered, while Keras knows another by its name.

    >>> import losslab.keras
    >>> losslab.keras.loss_class(losslab.Huber) is losslab.keras.Huber
    True
    """
    if not isinstance(cls, type) or not issubclass(cls, losslab.Loss):
        raise TypeError(f"loss_class needs a losslab.Loss class, got {cls!r}")
    if cls not in _MADE:
        check_free(losslab, cls, cls.__name__)
        _MADE[cls] = tell_keras(generated(KerasLoss, cls, "losslab.keras"), cls.__name__)
        # so that a model that was compiled with the losslab object itself can be loaded too
        tell_keras(cls, f"core.{cls.__name__}")
    return _MADE[cls]
