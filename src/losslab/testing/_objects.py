"""Properties of the object: a value that holds parameters, never data."""

import dataclasses
import inspect
import json
import pickle
import sys
from typing import Any

import numpy as np

import losslab

from .._loss import Loss
from ._case import Case


def is_an_immutable_value(case: Case) -> None:
    loss = case.loss
    copy = type(loss).from_config(loss.get_config())
    assert copy == loss, f"{loss!r}: from_config(get_config()) gave {copy!r}"
    assert hash(copy) == hash(loss), f"{loss!r}: equal losses have different hashes"
    try:
        loss.name = "other"
    except dataclasses.FrozenInstanceError:
        return
    raise AssertionError(f"{loss!r}: its parameters can be overwritten")


def config_survives_json(case: Case) -> None:
    """A config that went through JSON gives an equal loss with an equal value."""
    copy = type(case.loss).from_config(json.loads(json.dumps(case.loss.get_config())))
    _same(case, copy, "from_config(json)")


def pickle_and_repr_give_it_back(case: Case) -> None:
    cls = type(case.loss)
    functions = {x.__name__: x for x in case.loss.__dict__.values() if inspect.isfunction(x)}
    _same(case, eval(repr(case.loss), {**vars(losslab), **functions, cls.__name__: cls}), "eval(repr)")
    module = sys.modules.get(cls.__module__)
    if getattr(module, cls.__qualname__, None) is cls:  # a class inside a function has no place to be unpickled from
        _same(case, pickle.loads(pickle.dumps(case.loss)), "pickle")


def parameters_are_checked(case: Case) -> None:
    """Every parameter refuses a value of no use, and says which it was."""
    case.only(not case.loss._has_own_init, "it has a constructor of its own")
    for field in dataclasses.fields(case.loss):
        for wrong in (object(), float("nan")):
            message = _refusal(case, {field.name: wrong})
            assert field.name in message, f"{case.loss!r}: {message} does not name {field.name}"


def _refusal(case: Case, parameters: dict[str, Any]) -> str:
    try:
        type(case.loss)(**parameters)
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError(f"{case.loss!r}: accepted {parameters}")


def _same(case: Case, copy: Loss, how: str) -> None:
    assert copy == case.loss, f"{case.loss!r}: {how} gave {copy!r}"
    y, p = case.draw()
    before, after = case.value(y, p), Case(copy, case.framework, case.dtype).value(y, p)
    assert np.array_equal(before, after), f"{case.loss!r}: {how} gave another value, {after} for {before}"


PROPERTIES = (is_an_immutable_value, config_survives_json, pickle_and_repr_give_it_back, parameters_are_checked)
