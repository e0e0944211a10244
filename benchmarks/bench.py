"""Speed as ratios against peers, interleaved in one run: what a call costs, and what an epoch of the lab costs.

Every case checks the numbers against each other first; a wrong result is never timed.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import jax
import keras
import numpy as np
import torch
from sklearn.datasets import load_digits

import losslab

ROUNDS = 15


def medians(calls: dict[str, Callable[[], object]], repeat: int) -> dict[str, float]:
    """Median seconds per call of each contender, their rounds interleaved so that noise hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = time.perf_counter()
            for _ in range(repeat):
                call()
            times[name].append((time.perf_counter() - started) / repeat)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title: str, calls: dict[str, Callable[[], object]], repeat: int) -> None:
    """One line per contender; the first is the one that the ratios are against."""
    measured = medians(calls, repeat)
    ours = next(iter(measured.values()))
    print(f"\n{title}")
    for name, seconds in measured.items():
        print(f"  {name:42s} {seconds * 1e6:12.1f} us   {seconds / ours:6.2f} x")


def call_overhead() -> None:
    """The sparse cross-entropy of 32 rows of 10 logits, forward, as objects."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(32, 10)).astype("float32"), rng.integers(0, 10, 32)
    ours = losslab.SparseCategoricalCrossentropy(from_logits=True)
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = float(ours(y, z.astype("float64")))
    tz, ty, jz, jy = torch.tensor(z), torch.tensor(y), jax.numpy.array(z), jax.numpy.array(y)
    jitted, keras_jitted = jax.jit(ours), jax.jit(theirs)
    calls = {
        "losslab, NumPy": lambda: ours(y, z),
        "losslab, torch": lambda: ours(ty, tz),
        "torch.nn.functional.cross_entropy": lambda: torch.nn.functional.cross_entropy(tz, ty),
        "losslab, JAX, in jit": lambda: jitted(jy, jz).block_until_ready(),
        "Keras on JAX, in jit": lambda: keras_jitted(jy, jz).block_until_ready(),
        "Keras on JAX": lambda: theirs(jy, jz).block_until_ready(),
    }
    for name, call in calls.items():
        assert abs(float(call()) - expected) < 1e-6, name  # type: ignore[arg-type]
    show("One call, [32, 10] logits, forward", calls, repeat=50)


def epoch() -> None:
    """An epoch of the dense digits network: the lab's compiled loop against Keras' fit, same batches of 32, Adam."""
    from losslab.lab import models
    from losslab.lab.engines import ENGINES
    from losslab.lab.engines.program import Examples, State, training_step

    x, ids = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")[:1792]
    ids = ids[:1792]
    y = np.asarray(losslab.one_hot(ids, 10))
    order = np.random.default_rng(0).permutation(len(x)).reshape(-1, 32).astype("int32")

    fitted = models.build("mlp", (64,), 10, "softmax", seed=1)
    fitted.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy")

    model = models.build("mlp", (64,), 10, "softmax", seed=1)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    run = ENGINES["scan"](training_step(model, optimizer, losslab.CategoricalCrossentropy()))
    state = State(*([v.value for v in vs] for vs in (model.trainable_variables, [], optimizer.variables)))
    examples = Examples(jax.numpy.array(x), jax.numpy.array(y), jax.numpy.array(ids))

    in_order = order.ravel()
    history = fitted.fit(x[in_order], y[in_order], batch_size=32, shuffle=False, verbose=0)
    _, measures = run(state, examples, order)
    assert abs(history.history["loss"][0] - float(measures.loss)) < 1e-4
    show(
        "One epoch, dense digits network, 56 steps of 32",
        {
            "losslab, scan": lambda: jax.block_until_ready(run(state, examples, order)),
            "Keras fit on JAX": lambda: fitted.fit(x, y, batch_size=32, verbose=0),
        },
        repeat=1,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)  # 320 numbers are no work for two, and waiting for a busy core costs milliseconds
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "jax", "keras"))
    print(f"{packages}; {os.cpu_count()} CPUs, {platform.machine()}, torch threads {torch.get_num_threads()}")
    call_overhead()
    epoch()
