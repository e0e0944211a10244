"""Tries a model, and a loss on the shapes that it is going to meet, before anything is trained or written."""

from __future__ import annotations

from typing import Any

import numpy as np

import losslab
from losslab.lab.backend import backend_of
from losslab.lab.data import Dataset
from losslab.lab.engines import ENGINES
from losslab.lab.errors import LabError, own_words
from losslab.lab.models import BUILT_IN, own
from losslab.lab.network import Network
from losslab.lab.tasks import Task


def rehearse_model(network: Network, engine: str, x: Any) -> None:
    """Raise LabError unless the user's model gives plain scores, of the shape that the data ask for, for a batch."""
    if network.model in BUILT_IN:
        return
    scores = _scores(network, engine, x)
    wanted = (len(x), *network.output.shape)
    if scores.shape != wanted:
        raise LabError(
            f"{network.model} gives outputs of shape {scores.shape} for a batch of shape {x.shape}",
            f"the data ask for {wanted}: {network.outputs} outputs for every example",
            "its builder is called with (shape, outputs): end the model in that many outputs",
        )
    if activation := _activation(network, scores):
        raise LabError(
            f"{network.model} ends in a {activation}",
            "each loss declares its own activation, which the lab puts after the model's plain scores",
            f"take the {activation} out of the model: its last layer stays linear",
        )


def _scores(network: Network, engine: str, x: Any) -> Any:
    try:
        program = ENGINES[engine](network, "adam", losslab.get("mean_squared_error"))
        return np.asarray(program.outputs(program.initial(0, 1e-3), program.place(x)))
    except LabError:
        raise
    except Exception as error:  # a model can be anybody's code and raise anything
        raise LabError(
            f"{network.model} cannot be applied to a batch of shape {x.shape}",
            own_words(error),
            "correct it; --debug shows the traceback" + _elsewhere(engine),
        ) from error


def _elsewhere(engine: str) -> str:
    compiled = backend_of(engine) == "jax"
    return "; a Keras model that JAX alone cannot compile may run with --engine fit:torch" if compiled else ""


def _activation(network: Network, scores: Any) -> str:
    """Name the activation that the model seems to end in: a softmax is known by its values, wherever it stands."""
    several = network.outputs > 1  # a single one that begins at zero is no log-softmax
    if several and (scores >= 0).all() and np.allclose(scores.sum(axis=-1), 1, atol=1e-4):
        return "softmax"
    if several and (scores <= 0).all() and np.allclose(np.exp(scores).sum(axis=-1), 1, atol=1e-4):
        return "log-softmax"
    declared = own.last_activation(own.build(network))
    return "sigmoid" if declared == "sigmoid" and ((scores >= 0) & (scores <= 1)).all() else ""


def rehearse(label: str, loss: losslab.Loss, task: Task, dataset: Dataset, batch: int, engine: str) -> None:
    """Raise LabError unless the loss gives one number, with a gradient, for a batch of these data."""
    y = task.targets(loss, dataset.y[:batch], dataset.labels)
    outputs = np.zeros((len(y), *task.output(loss, dataset.labels).shape), np.float32)
    try:
        shape = _TRIED_ON[backend_of(engine)](loss, y, outputs)
    except Exception as error:  # a formula can be anybody's code and raise anything
        raise LabError(
            f"{label} cannot be trained on labels of shape {y.shape} with outputs of shape {outputs.shape}",
            own_words(error),
            "change its parameters, or choose another loss: losslab list names them",
        ) from error
    if shape != ():
        raise LabError(
            f"{label} gives values of shape {shape} for a batch of {len(y)}",
            "training needs one number",
            "use a reduction, for example reduction=mean, or leave it out",
        )


def rehearse_cost(label: str, loss: losslab.Loss, dataset: Dataset) -> None:
    """Raise LabError unless the loss gives one finite number where every prediction is the labels' mean."""
    y = dataset.y
    predictions = np.broadcast_to(np.array(dataset.labels.mean, np.float64), y.shape)
    try:
        with np.errstate(all="ignore"):  # what is not finite is said below
            value = np.asarray(loss(y, predictions))
    except Exception as error:  # a formula can be anybody's code and raise anything
        raise LabError(
            f"{label} cannot be applied to labels of shape {y.shape}",
            own_words(error),
            "change its parameters, or choose another cost",
        ) from error
    if value.shape != () or not np.isfinite(value):
        found = f"{value}" if value.shape == () else f"values of shape {value.shape}"
        raise LabError(
            f"{label} gives {found} where all {len(y)} predictions are the labels' mean",
            "the cost of a run is one number",
            "choose a cost that is finite for such labels, with a reduction such as reduction=mean",
        )


def _on_jax(loss: losslab.Loss, y: Any, outputs: Any) -> tuple[int, ...]:
    """Only shapes are worked out, as JAX does before it compiles: this costs milliseconds, whatever the loss."""
    import jax

    def objective(outputs: Any, y: Any) -> Any:
        return loss(y, outputs)

    shape: tuple[int, ...] = jax.eval_shape(objective, outputs, y).shape
    if shape == ():
        jax.eval_shape(jax.grad(objective), outputs, y)
    return shape


def _on_torch(loss: losslab.Loss, y: Any, outputs: Any) -> tuple[int, ...]:
    import torch

    return tuple(loss.value_and_grad(torch.as_tensor(y), torch.as_tensor(outputs))[0].shape)


def _on_tensorflow(loss: losslab.Loss, y: Any, outputs: Any) -> tuple[int, ...]:
    import tensorflow

    return tuple(loss.value_and_grad(tensorflow.constant(y), tensorflow.constant(outputs))[0].shape)


_TRIED_ON = {"jax": _on_jax, "torch": _on_torch, "tensorflow": _on_tensorflow}
