"""check_loss on losses of one's own: right ones pass, each wrong one is told by the promise that it breaks."""

import numpy as np
import pytest

import losslab
from losslab.testing import check_loss

torch = pytest.importorskip("torch", reason="gradients need a framework, and torch is not installed")


class Pinball(losslab.ElementLoss):
    quantile: float = losslab.param(0.5, gt=0, lt=1)

    def formula(self, ops, y_true, y_pred):
        e = y_true - y_pred
        return ops.maximum(self.quantile * e, (self.quantile - 1) * e)


class Clipped(losslab.ElementLoss):
    """A cross-entropy from logits the way tutorials write it."""

    targets = losslab.domains.BINARY
    outputs = losslab.domains.LOGIT

    def formula(self, ops, y_true, y_pred):
        p = ops.clip(ops.sigmoid(y_pred), 1e-7, 1 - 1e-7)
        return -(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p))


class RootError(losslab.ElementLoss):
    """Its slope is infinite at an error of 0."""

    def formula(self, ops, y_true, y_pred):
        return ops.sqrt(ops.abs(y_pred - y_true))


class BatchMean(losslab.ElementLoss):
    """Mixes the samples, so that a NaN in one reaches the others."""

    def formula(self, ops, y_true, y_pred):
        e = y_pred - y_true
        return e - ops.mean(e, axis=0, keepdims=True)


class Scalar(losslab.ElementLoss):
    def formula(self, ops, y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=None)


class Detached(losslab.ElementLoss):
    """A gradient stopped by mistake."""

    def formula(self, ops, y_true, y_pred):
        return ops.square(ops.stop_gradient(y_pred) - y_true)


class ForgetsHalf(losslab.RowLoss):
    factor: float = losslab.param(2.0)

    def get_config(self):
        return {"reduction": self.reduction, "name": self.name}

    def formula(self, ops, y_true, y_pred):
        return self.factor * ops.sum(ops.square(y_pred - y_true))


def test_a_right_loss_passes():
    check_loss(Pinball(quantile=0.9), frameworks=["numpy", "torch"])
    check_loss("mse", frameworks="torch", dtypes="float32")


@pytest.mark.parametrize(
    ("loss", "promise"),
    [
        (Clipped(), "a_confidently_wrong_sample_learns"),
        (RootError(), "gradient_is_finite"),
        (BatchMean(), "nan_in_is_nan_out"),
        (Scalar(), "agrees_with_numpy"),
        (Detached(), "gradient_is_the_slope"),
        (ForgetsHalf(factor=3.0), "is_an_immutable_value"),
    ],
)
def test_a_wrong_loss_is_told(loss, promise):
    with pytest.raises(AssertionError) as caught:
        check_loss(loss, frameworks="torch", dtypes="float64")
    assert f"- {promise} (torch float64): " in str(caught.value)


def test_a_message_is_said_once_for_all_places():
    with pytest.raises(AssertionError) as caught:
        check_loss(Scalar(), frameworks=["numpy", "torch"])
    text = str(caught.value)
    assert "(numpy float32, numpy float64, torch float32, torch float64): " in text
    assert text.count("- agrees_with_numpy") == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"loss": "mse", "frameworks": ["pytorch"]},
            ValueError,
            "unknown framework 'pytorch': choose among numpy, torch",
        ),
        ({"loss": "mse", "dtypes": "float16"}, ValueError, "unknown dtype 'float16': choose among float32, float64"),
        ({"loss": np.mean}, TypeError, "check_loss needs a losslab.Loss"),
    ],
)
def test_bad_arguments_are_explained(arguments, error, message):
    with pytest.raises(error, match=message):
        check_loss(**arguments)
