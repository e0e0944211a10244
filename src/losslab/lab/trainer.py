"""One job to one result: a network trained with one loss, at one learning rate, from one seed."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

import losslab
from losslab.lab import encode, measures, models
from losslab.lab.data import Dataset, DataSpec, load, spec_from
from losslab.lab.engines import ENGINES
from losslab.lab.engines.program import Epoch, Evaluation, Examples, State, evaluation, training_step
from losslab.lab.plan import DIVERGED_ABOVE, Job
from losslab.lab.split import Part, split, with_noise
from losslab.lab.streams import stream

OnEpoch = Callable[[int], None]
History = dict[str, list[float | None]]


def run_trial(job: Job, on_epoch: OnEpoch = lambda epoch: None) -> dict[str, Any]:
    """Train and measure one job.

    Args:
        job: as `plan.jobs` makes them.
        on_epoch: called with the number of epochs done, after each.

    Returns:
        status ("ok" or "diverged"), history (per epoch: running means over the epoch's batches for the training
        examples, measured after the epoch for the validation examples), val_accuracy, seconds; for final runs that
        did not diverge what `measures.measured` says of the test examples.
    """
    started = time.perf_counter()
    spec = spec_from(job["data"])
    digest = job["data"]["digest"]
    loss, dataset = losslab.get(job["loss"]), load(spec, digest)
    parts = _device_split(spec, digest, job["seed"], job["noise"])
    train, validation = (_examples(loss, part, dataset) for part in parts[:2])
    network = (job["model"], dataset.x.shape[1:], len(dataset.classes))
    program = _program(*network, job["engine"], job["optimizer"], loss, job["definition"])
    state = program.initial(job["seed"], job["lr"])
    untrained = float(program.evaluation.measures(state, validation).loss)
    state, history = _fit(program, state, train, validation, job, on_epoch)
    status = "diverged" if _diverged(history, untrained, job["epochs"]) else "ok"
    final = job["stage"] == "final" and status == "ok"
    return {
        "status": status,
        "history": history,
        "val_accuracy": history["val_accuracy"][-1],
        "seconds": time.perf_counter() - started,
    } | (_measured(program, state, loss, parts[1:]) if final else {})


def _measured(program: _Program, state: State, loss: losslab.Loss, parts: Sequence[Part]) -> dict[str, Any]:
    """What there is to say of the test examples, from one pass over them and one over the validation examples."""
    predicted = [(encode.logits(loss, program.evaluation.outputs(state, part.x)), part.ids) for part in parts]
    return measures.measured(*predicted, probabilities=encode.predicts_probabilities(loss))


def _fit(
    program: _Program, state: State, train: Examples, validation: Examples, job: Job, on_epoch: OnEpoch
) -> tuple[State, History]:
    history: History = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    order = stream(job["seed"], "order")
    batch = job["batch"]
    for epoch in range(1, job["epochs"] + 1):
        rows = order.permutation(len(train.x))[: len(train.x) // batch * batch].reshape(-1, batch)
        state, fitted = program.epoch(state, train, rows.astype(np.int32))
        held = program.evaluation.measures(state, validation)
        for name, value in zip(history, (*fitted, *held), strict=True):
            history[name].append(_number(value))
        on_epoch(epoch)
        if history["loss"][-1] is None:
            break
    return state, history


def _number(value: Any) -> float | None:
    """Return a float that JSON can hold: None where it is not finite."""
    return float(value) if math.isfinite(value) else None


def _diverged(history: History, untrained: float, epochs: int) -> bool:
    last = history["loss"][-1]
    if last is None or len(history["loss"]) < epochs:
        return True
    return last > untrained + DIVERGED_ABOVE * abs(untrained)


_OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}


class _Program(NamedTuple):
    initial: Callable[[int, float], State]
    epoch: Epoch
    evaluation: Evaluation


@functools.lru_cache(maxsize=64)
def _program(
    kind: str,
    shape: tuple[int, ...],
    classes: int,
    engine: str,
    optimizer_name: str,
    loss: losslab.Loss,
    definition: str,
) -> _Program:
    """Build the network and its compiled functions once for all seeds and rates of a loss.

    `definition` is only a key of the cache: a formula whose helper or constant was edited is compiled again.
    """
    model = models.build(kind, shape, classes, encode.activation(loss), seed=0)
    optimizer = _OPTIMIZERS[optimizer_name]()
    optimizer.build(model.trainable_variables)
    rate_at = [variable.path.endswith("/learning_rate") for variable in optimizer.variables].index(True)

    def initial(seed: int, rate: float) -> State:
        trainable, non_trainable = _initial_weights(kind, shape, classes, seed)
        moments = [jnp.zeros(variable.shape, variable.dtype) for variable in optimizer.variables]
        moments[rate_at] = jnp.asarray(rate, jnp.float32)
        return State([jnp.array(w) for w in trainable], [jnp.array(w) for w in non_trainable], moments)

    return _Program(initial, ENGINES[engine](training_step(model, optimizer, loss)), evaluation(model, loss))


@functools.lru_cache(maxsize=4)
def _initial_weights(kind: str, shape: tuple[int, ...], classes: int, seed: int) -> tuple[list[Any], list[Any]]:
    model = models.build(kind, shape, classes, "linear", seed)
    return (
        [np.asarray(variable.value) for variable in model.trainable_variables],
        [np.asarray(variable.value) for variable in model.non_trainable_variables],
    )


@functools.lru_cache(maxsize=1)
def _device_split(spec: DataSpec, digest: str, seed: int, noise: float) -> tuple[Part, Part, Part]:
    """Return the seed's three parts with their inputs on the device. Seed-major jobs ask for each seed once."""
    dataset = load(spec, digest)
    parts = split(dataset, seed)
    train, validation, test = (
        Part(jax.device_put(part.x), part.ids) for part in (parts.train, parts.validation, parts.test)
    )
    rng, classes = stream(seed, "noise"), len(dataset.classes)
    train, validation = (Part(part.x, with_noise(part.ids, classes, noise, rng)) for part in (train, validation))
    return train, validation, test


def _examples(loss: losslab.Loss, part: Part, dataset: Dataset) -> Examples:
    y = encode.labels(loss, part.ids, len(dataset.classes))
    return Examples(part.x, jnp.asarray(y), jnp.asarray(part.ids))
