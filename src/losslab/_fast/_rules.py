"""The derivative of every operation, written in the vocabulary: for numbers as for symbols.

A rule takes the cotangent of the result, the result and the operation's arguments, and gives a cotangent for each
argument (None: it has none). A cotangent may lack axes along which it is constant; whoever adds them up sees to that.
"""

import math
from collections.abc import Callable
from typing import Any

from .._ops import Array

Rule = Callable[..., tuple[Array | None, ...]]


def _where(ops: Any, g: Array, out: Array, condition: Array, x: Array, y: Array) -> tuple[Array | None, ...]:
    return None, ops.where(condition, g, 0.0), ops.where(condition, 0.0, g)


def _maximum(ops: Any, g: Array, out: Array, x: Array, y: Array) -> tuple[Array | None, ...]:
    second = x <= y
    return ops.where(second, 0.0, g), ops.where(second, g, 0.0)


def _minimum(ops: Any, g: Array, out: Array, x: Array, y: Array) -> tuple[Array | None, ...]:
    second = x >= y
    return ops.where(second, 0.0, g), ops.where(second, g, 0.0)


def _lgamma(ops: Any, g: Array, out: Array, a: Array) -> tuple[Array | None, ...]:
    from scipy.special import digamma

    return (g * digamma(a),)


RULES: dict[str, Rule] = {
    "add": lambda ops, g, out, a, b: (g, g),
    "sub": lambda ops, g, out, a, b: (g, -g),
    "mul": lambda ops, g, out, a, b: (g * b, g * a),
    "truediv": lambda ops, g, out, a, b: (g / b, -(g * (out / b))),
    "neg": lambda ops, g, out, a: (-g,),
    "pow": lambda ops, g, out, a, n: (g * (n * a ** (n - 1)), None),
    "power": lambda ops, g, out, a, n: (g * (n * (out / a)), None),  # of a > 0: no second power
    "abs": lambda ops, g, out, a: (g * ops.sign(a),),
    "sqrt": lambda ops, g, out, a: (g * (0.5 / out),),
    "exp": lambda ops, g, out, a: (g * out,),
    "expm1": lambda ops, g, out, a: (g * (out + 1.0),),
    "log": lambda ops, g, out, a: (g / a,),
    "log1p": lambda ops, g, out, a: (g / (1.0 + a),),
    "lgamma": _lgamma,
    "tanh": lambda ops, g, out, a: (g * (1.0 - out * out),),
    "erf": lambda ops, g, out, a: (g * (2.0 / math.sqrt(math.pi) * ops.exp(-(a * a))),),
    "sigmoid": lambda ops, g, out, a: (g * (out * ops.sigmoid(-a)),),
    "log_sigmoid": lambda ops, g, out, a: (g * ops.sigmoid(-a),),
    "clip_through": lambda ops, g, out, a, low, high: (g, None, None),
    "where": _where,
    "maximum": _maximum,
    "minimum": _minimum,
}
