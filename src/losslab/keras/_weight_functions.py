"""Regularizers and constraints: Keras' layers take losslab's as they are; to load them it must know their classes."""

from losslab import constraints, regularizers

from ._registered import follow, tell_keras


def register_weight_functions() -> None:
    """Make a saved model find every regularizer and constraint, as "losslab>regularizers.L2": a loss may have its name.

    One of your own is found once `losslab.regularizers.register` or `losslab.constraints.register` has it.
    """
    follow(regularizers, regularizers.Regularizer, lambda cls: tell_keras(cls, f"regularizers.{cls.__name__}"))
    follow(constraints, constraints.Constraint, lambda cls: tell_keras(cls, f"constraints.{cls.__name__}"))
