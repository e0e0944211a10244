"""The `keras.losses.Loss` subclass of a losslab loss, generated from its declaration."""

import inspect
from typing import Any, ClassVar, Self

import keras

import losslab

from ._distribution import share_of_mean
from ._mask import mask_of

PACKAGE = "losslab"

_MADE: dict[type[losslab.Loss], type["KerasLoss"]] = {}


class KerasLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
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

    def __init__(self, *, core: losslab.Loss | None = None, dtype: Any = None, **parameters: Any) -> None:
        if parameters.get("name", "") is None:  # how Keras says that none is given
            del parameters["name"]
        self.core = core or self.core_class(**parameters)
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

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        dtype = config.get("dtype")
        return cls(core=cls.core_class.from_config({k: v for k, v in config.items() if k != "dtype"}), dtype=dtype)

    def __reduce__(self) -> Any:
        if type(self) is not _MADE.get(type(self.core)):  # a subclass that somebody wrote
            return super().__reduce__()
        return wrap, (self.core, self.dtype if self.casts else None)

    def __repr__(self) -> str:
        dtype = f", dtype={self.dtype!r}" if self.casts else ""
        return f"losslab.keras.wrap({self.core!r}{dtype})"


def wrap(loss: Any, dtype: Any = None) -> KerasLoss:
    """The Keras loss of a losslab loss, one of your own too: for `compile`, with weights, masks and saving.

    Args:
        loss: a `losslab.Loss`, or what `losslab.get` takes ("focal:gamma=3").
        dtype: as in `KerasLoss`.

    Raises:
        TypeError: no losslab loss.
        ValueError: as `loss_class`.

    >>> import losslab.keras
    >>> losslab.keras.wrap("huber:delta=2")
    losslab.keras.wrap(Huber(delta=2.0))
    """
    core = losslab.get(loss)
    if not isinstance(core, losslab.Loss):
        raise TypeError(f"{loss!r} is no losslab.Loss: give one, or its name; Keras takes other callables as they are")
    return loss_class(type(core))(core=core, dtype=dtype)


def loss_class(cls: type[losslab.Loss]) -> type[KerasLoss]:
    """The Keras class of a losslab class, made once and registered with Keras as "losslab>" and its name.

    A process that loads a model saved with a loss of your own must have called this (or `wrap`) on the loss before.

    Raises:
        TypeError: no losslab class.
        ValueError: another class is registered under this name.

    >>> import losslab.keras
    >>> losslab.keras.loss_class(losslab.Huber) is losslab.keras.Huber
    True
    """
    if not isinstance(cls, type) or not issubclass(cls, losslab.Loss):
        raise TypeError(f"loss_class needs a losslab.Loss class, got {cls!r}")
    if cls not in _MADE:
        _check_free(cls)
        _MADE[cls] = keras.saving.register_keras_serializable(PACKAGE)(_generated(cls))
        # so that a model that was compiled with the losslab object itself can be loaded too
        keras.saving.register_keras_serializable(PACKAGE, f"core.{cls.__name__}")(cls)
    return _MADE[cls]


def _generated(cls: type[losslab.Loss]) -> type[KerasLoss]:
    body = {
        "__module__": "losslab.keras",
        "__doc__": cls.__doc__,
        "__signature__": _signature(cls),
        "core_class": cls,
    }
    return type(cls.__name__, (KerasLoss,), body)


def _signature(cls: type[losslab.Loss]) -> inspect.Signature:
    """The parameters of the losslab class, its own first, then what all losses take, then `dtype`."""
    by_name = inspect.Parameter.KEYWORD_ONLY
    taken = [
        each if each.kind is inspect.Parameter.VAR_KEYWORD else each.replace(kind=by_name)
        for each in (*inspect.signature(cls).parameters.values(), inspect.Parameter("dtype", by_name, default=None))
    ]
    return inspect.Signature(sorted(taken, key=lambda each: (each.kind, each.name in ("reduction", "name", "dtype"))))


def _check_free(cls: type[losslab.Loss]) -> None:
    """Refuse a name that another loss has: a saved model would come back with the wrong one."""
    holder = getattr(keras.saving.get_registered_object(f"{PACKAGE}>{cls.__name__}"), "core_class", None)
    if holder and (holder.__module__, holder.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(
            f"Keras knows {holder.__module__}.{holder.__qualname__} as '{PACKAGE}>{cls.__name__}' already: "
            f"give {cls.__module__}.{cls.__qualname__} another name"
        )
