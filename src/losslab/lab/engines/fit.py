"""Keras' own `fit`, an epoch a call, on whatever backend Keras runs on: for what the other engines cannot take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import losslab
from losslab.lab.engines.program import EVALUATION_BATCH, Examples, finished
from losslab.lab.errors import LabError
from losslab.lab.models import keras as keras_models
from losslab.lab.network import Network

Activation = Callable[[Any], Any]
_OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
_ACTIVATIONS: dict[str, Activation] = {
    "softmax": keras.ops.softmax,
    "sigmoid": keras.ops.sigmoid,
    "exponential": keras.ops.exp,
    "linear": keras.ops.convert_to_tensor,
}


class FitProgram:
    """A network under one loss. Its state is that of the one model, which each run begins anew.

    Args:
        network: what is trained.
        optimizer_name: "adam" or "sgd".
        loss: what is minimised.
    """

    def __init__(self, network: Network, optimizer_name: str, loss: losslab.Loss) -> None:
        self._network, self._loss = network, loss
        self._activation = finished(network.output, _ACTIVATIONS, keras.ops.convert_to_tensor)
        self._model = keras_models.build(network)
        self._optimizer = _OPTIMIZERS[optimizer_name]()
        self._optimizer.build(self._model.trainable_variables)
        self._objective = _Objective(self._activation, loss)
        self._seen: Seen | None = None

    @staticmethod
    def place(array: Any) -> Any:
        """Return a NumPy array: `fit` brings each batch to the device."""
        return np.asarray(array)

    def initial(self, seed: int, rate: float) -> keras.Model:
        """Return the model, untrained."""
        keras_models.begin(self._network, self._model, seed)
        for variable in self._optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        self._optimizer.learning_rate = rate
        return self._model

    def epoch(self, state: keras.Model, examples: Examples, rows: Any) -> tuple[keras.Model, float, Any]:
        """Take a step on the examples of each row of `rows`."""
        seen, in_order = self._watching(rows.shape), rows.ravel()
        x, y = examples.x[in_order], examples.y[in_order]
        state.fit(x, y, batch_size=rows.shape[1], shuffle=False, verbose=0)
        if not self._objective.asked:
            raise LabError(
                "the model's training step never asked for the loss",
                "it would be trained alike under every loss",
                "let train_step or compute_loss use the loss that the model is compiled with",
            )
        loss, outputs = seen.all()
        return state, loss, outputs

    def outputs(self, state: keras.Model, x: Any) -> Any:
        """Return the outputs for all of `x` as in use."""
        return keras.ops.convert_to_numpy(self._activation(state.predict(x, EVALUATION_BATCH, verbose=0)))

    def loss(self, outputs: Any, y: Any) -> float:
        """Return the loss of outputs."""
        return float(self._loss(keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(outputs)))

    def _watching(self, shape: tuple[int, int]) -> Seen:
        """Return what sees the outputs of an epoch of this shape (steps, batch); another shape is compiled anew."""
        if self._seen is None or self._seen.shape != shape:
            self._seen = Seen(shape, self._network.output.shape, self._activation, self._loss)
            self._model.compile(self._optimizer, self._objective, metrics=[self._seen])
        return self._seen


class _Objective(keras.losses.Loss):  # type: ignore[misc]  # keras is untyped
    """The loss of plain scores. Labels are not cast: class ids stay integers."""

    def __init__(self, activation: Activation, loss: losslab.Loss) -> None:
        super().__init__(name="objective")
        self._activation, self._loss = activation, loss
        self.asked = False

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        self.asked = True  # when the step is compiled, on backends that do so
        return self._loss(y_true, self._activation(y_pred))


class Seen(keras.metrics.Metric):  # type: ignore[misc]  # keras is untyped
    """Keeps the outputs of every step of an epoch, and the sum of the losses.

    Args:
        shape: (steps, batch).
        outputs: the shape of one example's outputs.
        activation: makes outputs of the model's scores.
        loss: what is minimised.
    """

    def __init__(
        self, shape: tuple[int, int], outputs: tuple[int, ...], activation: Activation, loss: losslab.Loss
    ) -> None:
        super().__init__(name="seen")
        self.shape = shape
        self._activation, self._loss = activation, loss
        self._step = self.add_variable((), "zeros", dtype="int32", name="step")
        self._sum = self.add_variable((), "zeros", name="sum")
        self._outputs = self.add_variable((*shape, *outputs), "zeros", name="outputs")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Keep a step."""
        outputs = self._activation(y_pred)
        place = keras.ops.reshape(self._step, (1, 1))
        self._outputs.assign(keras.ops.scatter_update(self._outputs, place, outputs[None]))
        self._sum.assign_add(self._loss(y_true, outputs))
        self._step.assign_add(1)

    def result(self) -> Any:
        """Return the mean loss so far."""
        return self._sum / keras.ops.cast(self._step, self._sum.dtype)

    def all(self) -> tuple[float, Any]:
        """Return the mean loss of the epoch, and the outputs in the order of its rows."""
        if (steps := int(self._step.value)) != self.shape[0]:
            raise LabError(
                f"the model's train_step updated its metrics {steps} times in {self.shape[0]} steps",
                "the lab sees what a network gives while it trains through its metrics",
                "end train_step with: return self.compute_metrics(x, y, y_pred)",
            )
        outputs = keras.ops.convert_to_numpy(self._outputs.value)
        return float(self.result()), outputs.reshape(-1, *outputs.shape[2:])
