"""The function form of a loss, derived from its class."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, cast

import numpy as np

from ._document import documentation
from ._loss import Loss
from ._ops import Array
from ._param import check_names
from ._registry import snake_case

P = ParamSpec("P")

_MOST_KEPT = 256  # a parameter that changes at every step makes its losses anew beyond that


class LossFunction(Protocol[P]):
    """(y_true, y_pred, **parameters) -> one value per sample; the parameters are typed as those of the class."""

    def __call__(self, y_true: Any, y_pred: Any, *args: P.args, **kwargs: P.kwargs) -> Array: ...


def function_form(cls: Callable[P, Loss]) -> LossFunction[P]:
    """The function `name(y_true, y_pred, **parameters)` of a loss class: per-sample values, no reduction.

    Both get the full documentation: what follows from the declaration is added to the class's docstring.

    >>> huber = function_form(losslab.Huber)
    >>> huber([[0.0, 0.0]], [[1.0, 3.0]], delta=1.0)
    array([1.5])

    Raises:
        TypeError: something that is no Loss class.
    """
    if not isinstance(cls, type) or not issubclass(cls, Loss):
        raise TypeError(f"function_form needs a Loss class, got {cls!r}")
    name = snake_case(cls.__name__)
    made: dict[str, Loss] = {}  # parameters -> loss; a plain dict, which torch.compile can follow

    def function(y_true: Any, y_pred: Any, **parameters: Any) -> Array:
        data = {word: parameters.pop(word) for word in cls.data_arguments if word in parameters}
        key = _key(parameters)
        loss = made.get(key)
        if loss is None:
            loss = _make(cls, name, parameters)
            if len(made) < _MOST_KEPT:
                made[key] = loss
        return loss.per_sample(y_true, y_pred, **data)

    made[""] = cls()
    function.__name__ = function.__qualname__ = name
    function.__module__ = cls.__module__
    function.loss = cls  # type: ignore[attr-defined]  # what makes the whole loss of it, where a function is given
    cls.__doc__ = function.__doc__ = documentation(cls)
    function.__signature__ = _signature(cls)  # type: ignore[attr-defined]
    return cast(LossFunction[P], function)


def _key(parameters: dict[str, Any]) -> str:
    """A text: True, 1 and 1.0 are different parameters, and lists and arrays have a key too."""
    return repr([(name, _plain(parameters[name])) for name in sorted(parameters)]) if parameters else ""


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value  # the repr of a long array leaves numbers out


def _make(cls: Any, name: str, parameters: dict[str, Any]) -> Loss:
    if "reduction" in parameters or "name" in parameters:
        raise TypeError(f"{name}() gives one value per sample; for a reduction use the class: {cls.__name__}(…)")
    check_names(cls, list(parameters), f"{name}()", but=("reduction", "name"), also=cls.data_arguments)
    loss: Loss = cls(**parameters)
    return loss


def _signature(cls: Any) -> inspect.Signature:
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    arrays = [inspect.Parameter(name, either) for name in ("y_true", "y_pred")]
    fields = [field for field in dataclasses.fields(cls) if field.name not in ("reduction", "name")]
    data = [inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=None) for word in cls.data_arguments]
    own = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in fields
    ]
    return inspect.Signature(arrays + data + own)
