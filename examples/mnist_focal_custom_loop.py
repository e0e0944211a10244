"""Focal loss in a training loop of your own: TensorFlow under tf.function, PyTorch, JAX. One loss, one curve.

    python examples/mnist_focal_custom_loop.py

The three start at the same weights and see the same batches, so what they print must agree.
"""

import argparse
import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # tf.GradientTape sees through Keras layers only there

import data
import jax
import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf
import torch

import losslab

RATE = 0.1
FOCAL = losslab.SparseCategoricalFocalCrossentropy(gamma=2.0, alpha=1.0, from_logits=True)  # the class form: one number


def hardness(y_true, logits):
    """The function form: one number per sample."""
    return losslab.sparse_categorical_focal_crossentropy(y_true, logits, gamma=2.0, alpha=1.0, from_logits=True)


class Network(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(128, activation="relu")
        self.out = keras.layers.Dense(10)  # logits: the loss has from_logits=True

    def call(self, x):
        return self.out(self.hidden(x))


def in_tensorflow(start, batches, x_test):
    model = Network()
    model(x_test[:1])
    model.set_weights(start)
    optimizer = keras.optimizers.SGD(RATE)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = FOCAL(y, model(x))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    for x, y in batches:
        yield float(step(tf.constant(x), tf.constant(y)))
    yield model(x_test)


def in_pytorch(start, batches, x_test):
    model = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    for parameter, value in zip(model.parameters(), start, strict=True):
        parameter.data = torch.tensor(value.T)  # PyTorch keeps a kernel as (out, in)
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    for x, y in batches:
        optimizer.zero_grad()
        loss = FOCAL(torch.tensor(y), model(torch.tensor(x)))
        loss.backward()
        optimizer.step()
        yield loss.item()
    yield model(torch.tensor(x_test)).detach()


def in_jax(start, batches, x_test):
    def forward(weights, x):
        return jax.nn.relu(x @ weights[0] + weights[1]) @ weights[2] + weights[3]

    @jax.jit
    def step(weights, x, y):
        loss, gradients = jax.value_and_grad(lambda weights: FOCAL(y, forward(weights, x)))(weights)
        return [w - RATE * g for w, g in zip(weights, gradients, strict=True)], loss

    weights = [jnp.asarray(w) for w in start]
    for x, y in batches:
        weights, loss = step(weights, x, y)
        yield float(loss)
    yield forward(weights, x_test)


def forgotten_init():
    print("\nThe mistake: a loss of your own whose __init__ forgets super().__init__().")
    for base in (keras.losses.Loss, losslab.Loss):

        class Focal(base):
            def __init__(self, gamma=2.0):
                self.gamma = gamma

            def call(self, y_true, p):
                return -y_true * (1 - p) ** self.gamma * tf.math.log(p)

        try:
            answer = float(Focal(gamma=1.0)(tf.ones((1, 1)), tf.fill((1, 1), 0.5)))
        except AttributeError as error:
            answer = f"AttributeError: {error}"
        print(f"  {base.__module__.partition('.')[0]:8}{answer}")


def unused_alpha(y, logits):
    print("\nThe mistake: an alpha that nothing uses. Under binary_focal_crossentropy it needs apply_class_balancing:")
    rows, p = losslab.one_hot(y, 10), 1 / (1 + np.exp(-np.asarray(logits)))
    for balanced in (False, True):
        losses = [losslab.BinaryFocalCrossentropy(alpha=a, apply_class_balancing=balanced) for a in (0.25, 0.75)]
        print(f"  {balanced!s:6} alpha 0.25: {losses[0](rows, p):.5f}   alpha 0.75: {losses[1](rows, p):.5f}")


def softmax_twice(y):
    perfect = losslab.one_hot(y, 10)
    print("\nThe mistake: a softmax layer before a loss with from_logits=True. Perfect predictions then cost")
    print(f"  {FOCAL(y, perfect):.4f} instead of 0, and training stops there. {FOCAL.name} says what it wants:")
    print(f"  from_logits=True: {FOCAL.outputs.meaning}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data", help="a .npz file in Keras' layout, in place of MNIST's")
    args = parser.parse_args()
    x, y, x_test, y_test = data.load("mnist", args.data, args.samples)
    x, x_test, y = x.reshape(-1, 784), x_test.reshape(-1, 784), y.astype("int32")

    rng = np.random.default_rng(0)
    shapes = [(784, 128), (128,), (128, 10), (10,)]
    start = [rng.normal(scale=0.05, size=shape).astype("float32") * (len(shape) > 1) for shape in shapes]
    orders = [rows for _ in range(args.epochs) for rows in np.array_split(rng.permutation(len(x)), -(-len(x) // 128))]
    for train in (in_tensorflow, in_pytorch, in_jax):
        *losses, logits = train(start, ((x[rows], y[rows]) for rows in orders), x_test)
        means = np.reshape(losses, (args.epochs, -1)).mean(axis=1)
        logits = np.asarray(logits)
        accuracy = (logits.argmax(-1) == y_test).mean()
        print(f"{train.__name__:14} loss {' '.join(f'{mean:.5f}' for mean in means)}   test accuracy {accuracy:.2%}")
    each = hardness(y_test, logits)
    hardest = each.argsort()[-5:][::-1]
    told = ", ".join(f"a {y_test[i]} taken for {logits[i].argmax()} ({each[i]:.1f})" for i in hardest)
    print(f"The test images that cost most: {told}")
    forgotten_init()
    unused_alpha(y_test, logits)
    softmax_twice(y_test)


if __name__ == "__main__":
    main()
