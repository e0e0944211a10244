"""What a compiled model does not do with its losses and metrics, though nothing says so while it trains."""

from typing import Any

import keras

import losslab

from ._losses import KerasLoss


def check_wiring(model: Any) -> list[str]:
    """What is wrong with losslab's losses and metrics in a compiled Keras model, a sentence each; or an empty list.

    Keras hands weights and masks to a `keras.losses.Loss` only: a losslab object in `compile` trains, but one weight
    per sample becomes one for the whole batch, and padding counts. As a metric it averages what is no mean.

    Raises:
        ValueError: a model that is not compiled.

    >>> import keras, losslab.keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(loss=losslab.Huber(delta=2.0))
    >>> print(*losslab.keras.check_wiring(model))
    Huber(delta=2.0): Keras gives it no weights and no masks: ... compile(loss=losslab.keras.wrap(Huber(delta=2.0)))
    >>> model.compile(loss=losslab.keras.Huber(delta=2.0))
    >>> losslab.keras.check_wiring(model)
    []
    """
    if not getattr(model, "compiled", False):
        raise ValueError(f"{model.name} is not compiled: call model.compile(loss=…) first")
    found = [_about_loss(loss) for loss in _leaves(model.loss)] + [_about_metric(each) for each in _metrics(model)]
    return [finding for finding in found if finding]


def _leaves(structure: Any) -> list[Any]:
    """What stands in it; a class as Keras takes it, as an object with its defaults."""
    ours = losslab.Loss, KerasLoss
    leaves = keras.tree.flatten(structure)
    return [leaf() if isinstance(leaf, type) and issubclass(leaf, ours) else leaf for leaf in leaves]


def _metrics(model: Any) -> list[Any]:
    """The metrics as `compile` was given them, which Keras keeps in a private place: None where it has moved."""
    compiled = getattr(model, "_compile_metrics", None)
    places = "_user_metrics", "_user_weighted_metrics"
    return _leaves([getattr(compiled, place, None) for place in places])


def _about_loss(loss: Any) -> str | None:
    if isinstance(loss, losslab.LossContainer | losslab.Objective):
        penalties = (
            "" if isinstance(loss, losslab.LossContainer) else "; penalties go to the layers: kernel_regularizer="
        )
        return (
            f"{loss!r}: Keras calls it for every output by itself, gives it no weights and no masks, and cannot load "
            f"it from a file; use compile(loss={{output: losslab.keras.wrap(…)}}, loss_weights={{…}}){penalties}"
        )
    if isinstance(loss, losslab.Loss) and loss.reduction != "none":  # Keras weighs per-sample values itself
        return (
            f"{loss!r}: Keras gives it no weights and no masks: sample_weight and class_weight multiply the whole "
            f"loss by their mean, and padding counts; use compile(loss=losslab.keras.wrap({loss!r}))"
        )
    if isinstance(loss, KerasLoss) and loss.core.reduction == "none":
        return (
            f"{loss!r}: a loss that keeps one value per sample cannot train: fit fails on JAX and PyTorch, and adds "
            f"the values up on TensorFlow; leave reduction out, or use 'sum'"
        )
    return None


def _about_metric(metric: Any) -> str | None:
    core = metric.core if isinstance(metric, KerasLoss) else metric
    if isinstance(core, losslab.Loss) and core.reduction != "none":  # of per-sample values Keras takes the mean itself
        return (
            f"{metric!r} as a metric: Keras averages one number per batch, in which a smaller last batch counts as "
            f"much as any, without its masks; use metrics=[losslab.keras.metrics.wrap({core!r})]"
        )
    if getattr(metric, "over_all_samples", False):
        name = metric.__name__
        return (
            f"{name}: a number of all samples together, of which Keras averages that of each batch; "
            f"use metrics=[losslab.keras.metrics.wrap({name!r})]"
        )
    return None
