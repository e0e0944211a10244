"""Which losses are formulas: what a driver may compile, or run on something else than the caller's arrays."""

from typing import Any

from .._loss import Loss


def is_formula(loss: Any) -> bool:
    """Whether the loss is written in the array vocabulary alone, so that its Python looks at no value.

    A loss with a `call` of its own, such as a wrapped function, is Python in one framework and may do anything.
    """
    return type(loss).call is Loss.call
