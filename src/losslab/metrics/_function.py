"""The function form of a metric, derived from its class."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, cast

from .._ops import Array
from .._param import check_names
from .._registry import snake_case
from ._metric import Metric

P = ParamSpec("P")

_MOST_KEPT = 256  # a parameter that changes at every step makes its metrics anew beyond that


class PerSample(Protocol[P]):
    """(y_true, y_pred, **parameters) -> one value per sample, in the framework of the arrays."""

    def __call__(self, y_true: Any, y_pred: Any, *args: P.args, **kwargs: P.kwargs) -> Array: ...


class Whole(Protocol[P]):
    """(y_true, y_pred, sample_weight, mask, **parameters) -> the value over all samples."""

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None, *args: P.args, **kwargs: P.kwargs
    ) -> Any: ...


def per_sample_form(cls: Callable[P, Metric]) -> PerSample[P]:
    """The function that gives one value per sample: it can be compiled. Its `metric` is the class."""
    make: Any = cls
    made: dict[str, Any] = {"": make()}  # parameters -> metric; a plain dict, which torch.compile can follow

    def function(y_true: Any, y_pred: Any, **parameters: Any) -> Array:
        key = repr(sorted(parameters.items())) if parameters else ""
        metric = made.get(key)
        if metric is None:
            _check_names(function, cls, parameters)
            metric = make(**parameters)
            if len(made) < _MOST_KEPT:
                made[key] = metric
        return metric.per_sample(y_true, y_pred)

    return cast(PerSample[P], _named(function, cls, ["y_true", "y_pred"], "One value per sample, as `{}` averages it."))


def whole_form(cls: Callable[P, Metric]) -> Whole[P]:
    """The function that gives the value over all samples. Its `metric` is the class; `over_all_samples` tells whoever
    hands it batches that the mean of its values is another number.
    """
    make: Any = cls

    def function(y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None, **parameters: Any) -> Any:
        _check_names(function, cls, parameters)
        metric = make(**parameters)
        metric.update(y_true, y_pred, sample_weight, mask)
        return metric.result()

    function.over_all_samples = True  # type: ignore[attr-defined]
    arguments = ["y_true", "y_pred", "sample_weight", "mask"]
    return cast(Whole[P], _named(function, cls, arguments, "What `{}` gives over all samples: a Python number."))


def _check_names(function: Any, cls: Any, parameters: dict[str, Any]) -> None:
    name = snake_case(cls.__name__)
    if "name" in parameters:
        raise TypeError(f"{name}() has no parameter 'name': it keeps nothing; {cls.__name__}(name=…) does")
    check_names(function, list(parameters), f"{name}()")


def _named(function: Any, cls: Any, arguments: list[str], summary: str) -> Any:
    function.__name__ = function.__qualname__ = snake_case(cls.__name__)
    function.__module__ = cls.__module__
    function.metric = cls
    function.__doc__ = f"{summary.format(cls.__name__)}\n\n{inspect.cleandoc(cls.__doc__)}\n"
    function.__signature__ = _signature(cls, arguments)
    return function


def _signature(cls: Any, arguments: list[str]) -> inspect.Signature:
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    arrays = [
        inspect.Parameter(name, either, default=inspect.Parameter.empty if name.startswith("y_") else None)
        for name in arguments
    ]
    own = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in dataclasses.fields(cls)
        if field.name != "name"
    ]
    return inspect.Signature(arrays + own)
