"""What a call costs when there is almost nothing to compute: the sparse cross-entropy of 32 rows of 10 logits."""

from typing import Any

import calls
import definitions
from case import Arrays, Build, Case, Contender, Role
from targets import Speed, Target

from .inputs import classified

OWN, KERAS = 1 / 1.5, 5.0  # to reach against the framework's own fused loss, and against Keras' loss object


def ours() -> Any:
    import losslab

    return losslab.SparseCategoricalCrossentropy(from_logits=True)


def keras_object() -> Any:
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def keras_under_jax_grad() -> Any:
    import jax

    return _jax_value_and_grad(jax, keras_object())


def ours_under_jax_grad() -> Any:
    import jax

    return _jax_value_and_grad(jax, ours())


def _jax_value_and_grad(jax: Any, loss: Any) -> Any:
    step = jax.value_and_grad(loss, argnums=1)
    return lambda y_true, y_pred: step(y_true, y_pred)


def torch_own() -> Any:
    import torch

    return lambda y_true, y_pred: torch.nn.functional.cross_entropy(y_pred, y_true)


def optax_own() -> Any:
    import optax

    return lambda y_true, y_pred: optax.losses.softmax_cross_entropy_with_integer_labels(y_pred, y_true).mean()


def tensorflow_own() -> Any:
    import tensorflow as tf

    each = tf.nn.sparse_softmax_cross_entropy_with_logits
    return lambda y_true, y_pred: tf.reduce_mean(each(labels=y_true, logits=y_pred))


def ours_with_gradient() -> Any:
    return ours().value_and_grad


def value_alone(inputs: Arrays) -> Arrays:
    return {"value": definitions.cross_entropy(inputs)["value"]}


def keras(backend: str, build: Build) -> Contender:
    return Contender(f"Keras' object on {backend}", build, environment={"KERAS_BACKEND": backend})


def case(name: str, title: str, *contenders: Contender, targets: tuple[Target, ...], **options: Any) -> Case:
    return Case(
        name=f"overhead_{name}",
        title=f"One call, cross-entropy of [{{rows}}, {{classes}}] logits, {title}",
        inputs=classified,
        size={"rows": 32, "classes": 10},
        quick={"rows": 32, "classes": 10},
        contenders=contenders,
        targets=targets,
        **{"reference": definitions.cross_entropy, **options},
    )


CASES = (
    case(
        "torch",
        "forward and backward, PyTorch",
        Contender("losslab", calls.on_torch(ours, "y_pred"), Role.OURS),
        Contender("F.cross_entropy", calls.on_torch(torch_own, "y_pred")),
        Contender("torch.compile of F.cross_entropy", calls.on_torch_compiled(torch_own, "y_pred")),
        keras("torch", calls.on_torch(keras_object, "y_pred")),
        targets=(Speed("F.cross_entropy", OWN), Speed("Keras' object on torch", KERAS)),
    ),
    case(
        "jax",
        "forward and backward, JAX in jit",
        Contender("losslab", calls.on_jax(ours, "y_pred"), Role.OURS),
        Contender("optax", calls.on_jax(optax_own, "y_pred")),
        keras("jax", calls.on_jax(keras_object, "y_pred")),
        targets=(Speed("optax", OWN),),
    ),
    case(
        "jax_eager",
        "forward and backward, JAX without jit",
        Contender("losslab, value_and_grad", calls.on_jax_eager(ours_with_gradient, "y_pred"), Role.OURS),
        Contender("losslab, jax.value_and_grad", calls.on_jax_eager(ours_under_jax_grad, "y_pred"), Role.OURS),
        keras("jax", calls.on_jax_eager(keras_under_jax_grad, "y_pred")),
        targets=(Speed("Keras' object on jax", KERAS),),
    ),
    case(
        "tensorflow",
        "forward and backward, TensorFlow",
        Contender("losslab, value_and_grad", calls.on_tensorflow_eager(ours_with_gradient, "y_pred"), Role.OURS),
        Contender("losslab, GradientTape", calls.on_tensorflow(ours, "y_pred"), Role.OURS),
        Contender("tf.nn, GradientTape", calls.on_tensorflow(tensorflow_own, "y_pred")),
        keras("tensorflow", calls.on_tensorflow(keras_object, "y_pred")),
        targets=(Speed("tf.nn, GradientTape", OWN), Speed("Keras' object on tensorflow", KERAS)),
    ),
    case(
        "numpy",
        "forward, NumPy",
        Contender("losslab", calls.on_numpy(ours), Role.OURS),
        keras("numpy", calls.on_numpy(keras_object)),
        targets=(Speed("Keras' object on numpy", KERAS),),
        reference=value_alone,
    ),
)
