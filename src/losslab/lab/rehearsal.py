"""Tries a loss on the shapes that it is going to meet, before anything is trained or written."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

import losslab
from losslab.lab.data import Dataset
from losslab.lab.errors import LabError, own_words
from losslab.lab.tasks import Task, refuse


def rehearse(label: str, loss: losslab.Loss, task: Task, dataset: Dataset, batch: int) -> None:
    """Raise LabError unless the loss serves the task, and gives one number, with a gradient, for a batch of these data.

    Only shapes are worked out, as JAX does before it compiles: this costs milliseconds, whatever the loss.
    """
    refuse(task, loss, dataset.labels)
    y = task.targets(loss, dataset.y[:batch], dataset.labels)
    outputs = np.zeros((len(y), *task.output(loss, dataset.labels).shape), np.float32)

    def objective(outputs: Any, y: Any) -> Any:
        return loss(y, outputs)

    try:
        shape = jax.eval_shape(objective, outputs, y).shape
        if shape == ():
            jax.eval_shape(jax.grad(objective), outputs, y)
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
