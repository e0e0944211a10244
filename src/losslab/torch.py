"""losslab in PyTorch: the head of a language model and its loss as one module.

>>> import torch, losslab.torch
>>> head = losslab.torch.LinearCrossEntropy(8, 100, ignore_class=-100)
>>> head(torch.zeros(2, 3, 8), torch.tensor([[1, 2, -100], [4, -100, -100]]))
tensor(4.6052, grad_fn=...)
"""

from typing import Any, Self

import torch

from losslab import LinearCrossEntropy as Loss

__all__ = ["LinearCrossEntropy"]


class LinearCrossEntropy(torch.nn.Module):
    """A linear layer of classes and its cross-entropy, without ever holding the logits of all tokens.

    In the place of `torch.nn.Linear` and `torch.nn.CrossEntropyLoss`; the argument order is PyTorch's, the input first.

    Args:
        in_features: D, the length of a hidden state.
        out_features: V, the number of classes.
        bias: whether the layer has one.
        device, dtype: of weight and bias.
        parameters: those of `losslab.LinearCrossEntropy`: reduction, ignore_class, class_weight, label_smoothing,
            softcap, temperature, z_loss.

    Raises:
        TypeError, ValueError: a parameter that is none, or out of bounds.

    Attributes:
        weight: (V, D), initialised as that of `torch.nn.Linear`.
        bias: (V,) or None.
        loss: the `losslab.LinearCrossEntropy` that computes.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.loss = Loss(**parameters)
        linear = torch.nn.Linear(in_features, out_features, bias, device=device, dtype=dtype)
        self.weight, self.bias = linear.weight, linear.bias

    @classmethod
    def from_linear(cls, linear: torch.nn.Linear, **parameters: Any) -> Self:
        """The loss of a layer that exists: its weight and bias are shared, not copied.

        >>> layer = torch.nn.Linear(8, 100)
        >>> losslab.torch.LinearCrossEntropy.from_linear(layer, z_loss=1e-4).weight is layer.weight
        True
        """
        with torch.device("meta"):
            module = cls(linear.in_features, linear.out_features, linear.bias is not None, **parameters)
        module.weight, module.bias = linear.weight, linear.bias
        return module

    def forward(
        self,
        hidden: torch.Tensor,
        labels: torch.Tensor,
        sample_weight: Any = None,
        normalizer: Any = None,
    ) -> torch.Tensor:
        """The loss of hidden states (…, D) and class ids (…); `losslab.LinearCrossEntropy` says the rest."""
        value: torch.Tensor = self.loss(hidden, self.weight, labels, self.bias, sample_weight, normalizer)
        return value

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """What the softmax sees, (…, V), softcap and temperature applied: for prediction, where they are needed."""
        bias = None if self.bias is None else self.bias.to(hidden.dtype)
        logits = torch.nn.functional.linear(hidden, self.weight.to(hidden.dtype), bias)
        if self.loss.softcap is not None:
            logits = self.loss.softcap * torch.tanh(logits / self.loss.softcap)
        return logits / self.loss.temperature

    def extra_repr(self) -> str:
        classes, features = self.weight.shape
        return f"in_features={features}, out_features={classes}, bias={self.bias is not None}, loss={self.loss!r}"
