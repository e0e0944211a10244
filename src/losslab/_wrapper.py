"""LossFunctionWrapper: a plain function as a loss."""

import inspect
from collections.abc import Callable
from typing import Any, Self

from ._domain import DOMAINS, REAL, Domain
from ._loss import Loss
from ._param import check_names
from ._registry import LOSSES, snake_case


class LossFunctionWrapper(Loss):
    """A function (y_true, y_pred, **parameters) -> values, with weights, masks and reductions.

    Args:
        fn: in the framework of its arrays. It gives a value per sample or per element, as `Loss.call` says.
        reduction: how the per-sample values become one number.
        name: for logs; the function's own where none is given.
        targets: what y_true is: `losslab.domains.CLASS_ID` where the function takes class ids.
        parameters: further arguments of `fn`.

    A function of the catalogue (`losslab.huber`) gives the loss that it is the function form of.

    Raises:
        TypeError: something that is no function of two arrays, or a parameter that it lacks.

    >>> def power(y_true, y_pred, exponent=4):
    ...     return abs(y_pred - y_true) ** exponent
    >>> loss = losslab.LossFunctionWrapper(power, exponent=3)
    >>> float(loss([[0.0], [1.0]], [[2.0], [9.0]], mask=[True, False]))
    8.0
    """

    def __new__(
        cls,
        fn: Any = None,
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        targets: Domain | None = None,
        **parameters: Any,
    ) -> Any:
        made_by = getattr(fn, "loss", None)
        if made_by is None or hasattr(fn, "__wrapped__"):  # functools.wraps copies attributes onto another function
            return super().__new__(cls)
        return made_by(reduction=reduction, name=name or "", **parameters)

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        targets: Domain | None = None,
        **parameters: Any,
    ) -> None:
        _check_call(fn, parameters)
        self.fn = fn
        self.parameters = parameters
        self.targets = targets or REAL
        super().__init__(reduction=reduction, name=name or "")

    def _own_name(self) -> str:
        return _name(self.fn)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self.parameters)

    def get_config(self) -> dict[str, Any]:
        """All parameters; the function by its registered name.

        Raises:
            ValueError: the function is not registered, so that no name would find it again.
        """
        config = super().get_config()
        config["fn"] = LOSSES.name_of(self.fn)
        if config["fn"] is None:
            raise ValueError(f"{_name(self.fn)} is not registered: add @losslab.register to it")
        config["targets"] = config["targets"] and config["targets"].name
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        fn = LOSSES.target_of(config["fn"])
        return cls(**{**config, "fn": fn, "targets": DOMAINS.get(config.get("targets") or "")})

    def replace(self, **changes: Any) -> Self:
        return type(self)(**{**self._parameters(), **changes})


def _name(fn: Any) -> str:
    return snake_case(getattr(fn, "__name__", type(fn).__name__))


def _check_call(fn: Any, parameters: dict[str, Any]) -> None:
    if not callable(fn) or isinstance(fn, type):
        raise TypeError(f"LossFunctionWrapper needs a function (y_true, y_pred) -> values, got {fn!r}")
    try:
        signature = inspect.signature(fn)
    except ValueError:  # some functions written in C do not tell
        return
    check_names(fn, list(parameters), f"{_name(fn)}()")
    try:
        signature.bind(None, None, **parameters)
    except TypeError as error:
        raise TypeError(f"{_name(fn)}{signature} cannot be called with (y_true, y_pred): {error}") from None


def _wrapped(target: Any, parameters: dict[str, Any]) -> Any:
    """A registered callable as a loss: functions become a wrapper, losses stay what they are."""
    if not isinstance(target, Loss):
        return LossFunctionWrapper(target, **parameters)
    if parameters:
        raise TypeError(f"{target!r} is registered with its parameters and takes no others by name")
    return target


LOSSES.unlisted["LossFunctionWrapper"] = ("LossFunctionWrapper", LossFunctionWrapper)
LOSSES.wrap = _wrapped
