"""Builders of networks, sound and unsound ones, as a user's file has them."""

import keras
from keras import layers

import losslab


def sequential(shape, *body):
    return keras.Sequential([layers.Input(shape), layers.Flatten(), *body])


def dense(shape, outputs):
    return sequential(shape, layers.Dense(16, activation="relu"), layers.Dense(outputs))


def with_state(shape, outputs):
    """Batch normalisation, whose means no gradient moves, and a penalty."""
    hidden = layers.Dense(16, activation="relu", kernel_regularizer="l2")
    return sequential(shape, hidden, layers.BatchNormalization(momentum=0.5), layers.Dense(outputs))


def with_dropout(shape, outputs):
    return sequential(shape, layers.Dense(16, activation="relu"), layers.Dropout(0.5), layers.Dense(outputs))


def without_input(outputs):
    """Its variables appear with the first example."""
    return keras.Sequential([layers.Flatten(), layers.Dense(outputs)])


def convolution(shape, outputs):
    body = [layers.Reshape((*shape, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(outputs)]
    return keras.Sequential([layers.Input(shape), *body])


class OwnStep(keras.Sequential):
    def train_step(self, *given):
        return super().train_step(*given)


def trains_itself(shape, outputs):
    return OwnStep([layers.Input(shape), layers.Flatten(), layers.Dense(outputs)])


class HiddenStep(keras.Sequential):
    def train_step(self, state, data):
        logs, after = super().train_step(state, data)
        return logs, (*after[:-1], state[-1])  # the metrics stay as they were


def hides_its_outputs(shape, outputs):
    return HiddenStep([layers.Input(shape), layers.Flatten(), layers.Dense(outputs)])


class OwnLoss(keras.Sequential):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(y_pred**2)


def ignores_the_loss(shape, outputs):
    return OwnLoss([layers.Input(shape), layers.Flatten(), layers.Dense(outputs)])


class OnNumpy(layers.Layer):
    """What JAX cannot trace."""

    def call(self, x):
        return x if float(keras.ops.max(x)) < 1e30 else -x


def on_numpy(shape, outputs):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.odd = dense(shape, outputs), OnNumpy()

        def call(self, x):
            return self.odd(self.inner(x))

    return Model()


def pair(shape, outputs):
    import jax

    def init(key):
        return {"kernel": jax.random.normal(key, (shape[0] * shape[1], outputs)) / 8}

    return init, lambda weights, x: x.reshape(len(x), -1) @ weights["kernel"]


def module(shape, outputs):
    from torch import nn

    hidden = [nn.Linear(shape[0] * shape[1], 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(16, outputs))


def ends_in_softmax(shape, outputs):
    return keras.Sequential([dense(shape, outputs), layers.Softmax()])


def ends_in_sigmoid(shape, outputs):
    return keras.Sequential([sequential(shape, layers.Dense(outputs, activation="sigmoid"))])


def module_ends_in_log_softmax(shape, outputs):
    from torch import nn

    return nn.Sequential(module(shape, outputs), nn.LogSoftmax(dim=-1))


def module_ends_in_sigmoid(shape, outputs):
    from torch import nn

    return nn.Sequential(module(shape, outputs), nn.Sigmoid())


def pair_ends_in_softmax(shape, outputs):
    import jax

    init, apply = pair(shape, outputs)
    return init, lambda weights, x: jax.nn.softmax(apply(weights, x))


def one_too_many(shape, outputs):
    return dense(shape, outputs + 1)


def raises(shape, outputs):
    raise RuntimeError("my own words\nand more of them")


def cannot_be_applied(shape, outputs):
    init, _ = pair(shape, outputs)
    return init, lambda weights, x: x @ weights["kernel"]


def no_model():
    return 3


class MyLoss(losslab.RowLoss):
    gamma: float = losslab.param(2.0, gt=0)
    targets = losslab.domains.ONE_HOT
    outputs = losslab.domains.DISTRIBUTION

    def formula(self, ops, y_true, y_pred):
        return ops.sum(ops.abs(y_pred - y_true) ** self.gamma, axis=-1)


ready = MyLoss(gamma=1.5)


def a_function(y_true, y_pred):
    return (y_true - y_pred) ** 2
