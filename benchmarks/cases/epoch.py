"""An epoch of a dense network on the handwritten digits, as `losslab compare` trains it: against Keras' `fit`."""

from typing import Any

import numpy as np
from case import Arrays, Call, Case, Contender, Role
from scipy.special import log_softmax
from targets import Speed

BATCH, RATE, SEED = 32, 1e-3, 1
LOSS = "categorical_crossentropy"


def digits(examples: int) -> Arrays:
    """Images, their one-hot labels, and the order in which they are taken."""
    from sklearn.datasets import load_digits

    x, ids = load_digits(return_X_y=True)
    return {
        "x": (x[:examples] / 16).astype("float32"),
        "y": np.eye(10, dtype="float32")[ids[:examples]],
        "order": np.random.default_rng(0).permutation(examples).reshape(-1, BATCH).astype("int32"),
    }


def lab(arrays: Arrays) -> Call:
    import losslab
    from losslab.lab.engines import ENGINES
    from losslab.lab.engines.program import Examples

    program = ENGINES["scan"](_network(), "adam", losslab.get(LOSS))
    state = program.initial(SEED, RATE)
    examples = Examples(*(program.place(arrays[name]) for name in ("x", "y")))
    return Call(lambda: {"value": program.epoch(state, examples, arrays["order"])[1]})


def keras_fit(arrays: Arrays) -> Call:
    import keras

    model = _model()
    model.compile(keras.optimizers.Adam(RATE), LOSS)
    model.optimizer.build(model.trainable_variables)
    variables = [*model.trainable_variables, *model.optimizer.variables]
    initial = [np.array(each) for each in variables]
    in_order = arrays["order"].ravel()
    x, y = arrays["x"][in_order], arrays["y"][in_order]

    def run() -> dict[str, Any]:
        for variable, value in zip(variables, initial, strict=True):  # every epoch is the first one
            variable.assign(value)
        return {"value": model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history["loss"][0]}

    return Call(run)


def by_hand(arrays: Arrays) -> Arrays:
    """The epoch's mean loss in float64; Adam as at the end of section 2 of Kingma & Ba 2015, arXiv:1412.6980."""
    weights = [np.asarray(each, dtype="float64") for each in _model().get_weights()]
    first, second = ([np.zeros_like(each) for each in weights] for _ in range(2))
    losses = []
    for step, batch in enumerate(arrays["order"], start=1):
        loss, gradients = _step(weights, arrays["x"][batch].astype("float64"), arrays["y"][batch])
        losses.append(loss)
        for weight, gradient, m, v in zip(weights, gradients, first, second, strict=True):
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient**2 - v)
            weight -= RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m / (np.sqrt(v) + 1e-7)
    return {"value": np.mean(losses)}


def _step(weights: list[Any], x: Any, y: Any) -> tuple[float, list[Any]]:
    """Loss and gradients of dense layers with relu between them and softmax after them."""
    inputs = [x]
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        inputs.append(np.maximum(inputs[-1] @ kernel + bias, 0))
    log_p = log_softmax(inputs[-1] @ weights[-2] + weights[-1], axis=1)
    slope = (np.exp(log_p) - y) / len(x)
    gradients: list[Any] = []
    for kernel, given in zip(weights[-2::-2], inputs[::-1], strict=True):
        gradients = [given.T @ slope, slope.sum(axis=0), *gradients]
        slope = (slope @ kernel.T) * (given > 0)
    return float(-np.sum(y * log_p) / len(x)), gradients


def _network() -> Any:
    from losslab.lab.network import Network
    from losslab.lab.tasks import Output

    return Network("mlp", (64,), Output((10,), "softmax"))


def _model() -> Any:
    import keras

    from losslab.lab.models import keras as models

    model = models.build(_network())
    models.begin(_network(), model, SEED)
    return keras.Sequential([model, keras.layers.Softmax()])


CASES = (
    Case(
        name="epoch",
        title="One epoch of a dense network, {examples} digits in batches of 32, Adam",
        inputs=digits,
        reference=by_hand,
        size={"examples": 1792},
        quick={"examples": 1792},
        contenders=(
            Contender("losslab's lab, scan", lab, Role.OURS),
            Contender("Keras' fit on JAX", keras_fit),
            Contender("Keras' fit on TensorFlow", keras_fit, environment={"KERAS_BACKEND": "tensorflow"}),
        ),
        targets=(Speed("Keras' fit on JAX", 4), Speed("Keras' fit on TensorFlow", 20)),
        threads=(2,),
    ),
)
