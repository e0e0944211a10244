"""The vocabulary on PyTorch."""

from typing import Any

import numpy as np
import torch

from ._base import Array, Axis, Ops
from ._numpy import numpy_array


class TorchOps(Ops):
    name = "torch"
    float32 = torch.float32

    def convert(self, x: Any, like: Array = None) -> Array:
        device = None if like is None else like.device
        if isinstance(x, torch.Tensor):
            if x.is_complex():
                raise TypeError(f"a tensor of dtype {x.dtype} holds no real numbers: give its real part or its modulus")
            return x if device is None or x.device == device else x.to(device)
        if torch.compiler.is_compiling():
            return _traced(x, device)
        tensor = torch.as_tensor(numpy_array(x, portable=True))
        if device is not None and device.type == "mps" and tensor.dtype == torch.float64:
            tensor = tensor.float()  # Apple's GPUs have no float64
        return tensor.to(device)

    def constant(self, numbers: tuple[float, ...], like: Array) -> Array:
        return torch.tensor(numbers, dtype=like.dtype, device=like.device)

    def ids(self, x: Array) -> Array:
        return x.long()

    def cast(self, x: Array, dtype: Any) -> Array:
        return x.to(dtype)

    def float_dtype(self, x: Array) -> Any:
        if not x.dtype.is_floating_point:
            return torch.promote_types(torch.get_default_dtype(), torch.float32)
        return torch.float64 if x.dtype == torch.float64 else torch.float32

    def kind(self, x: Array) -> str:
        if x.dtype == torch.bool:
            return "b"
        return "f" if x.dtype.is_floating_point else "i"

    def look(self, x: Array) -> np.ndarray[Any, Any] | None:
        if torch.compiler.is_compiling() or x.device.type != "cpu":
            return None
        try:
            values: np.ndarray[Any, Any] = x.detach().numpy()
        except (RuntimeError, TypeError):  # inside vmap and other transforms a tensor has no values of its own
            return None
        return values

    def tiny(self, x: Array) -> float:
        return torch.finfo(x.dtype).tiny

    def stop_gradient(self, x: Array) -> Array:
        return x.detach()

    def abs(self, x: Array) -> Array:
        return torch.abs(x)

    def sign(self, x: Array) -> Array:
        return torch.sign(x)

    def sqrt(self, x: Array) -> Array:
        return torch.sqrt(x)

    def exp(self, x: Array) -> Array:
        return torch.exp(x)

    def expm1(self, x: Array) -> Array:
        return torch.expm1(x)

    def log(self, x: Array) -> Array:
        return torch.log(x)

    def log1p(self, x: Array) -> Array:
        return torch.log1p(x)

    def tanh(self, x: Array) -> Array:
        return torch.tanh(x)

    def erf(self, x: Array) -> Array:
        return torch.erf(x)

    def lgamma(self, x: Array) -> Array:
        return torch.lgamma(x)

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        return torch.where(condition, x, y)

    def sigmoid(self, x: Array) -> Array:
        return torch.sigmoid(x)

    def log_sigmoid(self, x: Array) -> Array:
        return torch.nn.functional.logsigmoid(x)

    def softmax(self, x: Array) -> Array:
        return torch.softmax(x, dim=-1)

    def log_softmax(self, x: Array) -> Array:
        return torch.log_softmax(x, dim=-1)

    def logsumexp(self, x: Array) -> Array:
        return torch.logsumexp(x, dim=-1)

    def sum(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return torch.sum(x, dim=axis, keepdim=keepdims)

    def mean(self, x: Array, axis: Axis = -1, keepdims: bool = False) -> Array:
        return torch.mean(x, dim=axis, keepdim=keepdims)

    def max(self, x: Array, axis: int = -1, keepdims: bool = False) -> Array:
        return torch.amax(x, dim=axis, keepdim=keepdims)  # amax shares the gradient between ties, as JAX and TF do

    def argmax(self, x: Array, axis: int = -1) -> Array:
        return torch.argmax(x, dim=axis)

    def cumsum(self, x: Array, axis: int = -1) -> Array:
        return torch.cumsum(x, dim=axis)

    def expand_dims(self, x: Array, axis: int = -1) -> Array:
        return torch.unsqueeze(x, axis)

    def squeeze(self, x: Array, axis: int = -1) -> Array:
        return torch.squeeze(x, axis)

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        return torch.movedim(x, source, destination)

    def concatenate(self, arrays: list[Array], axis: int = -1) -> Array:
        return torch.cat(arrays, dim=axis)

    def sort(self, x: Array, axis: int = -1) -> Array:
        return torch.sort(x, dim=axis).values

    def gather(self, x: Array, ids: Array) -> Array:
        return torch.gather(x, -1, ids)  # not take_along_dim, which wraps an id out of range without a word

    def one_hot(self, ids: Array, classes: int, dtype: Any) -> Array:
        return (ids.unsqueeze(-1) == torch.arange(classes, device=ids.device)).to(dtype)

    def zeros_like(self, x: Array) -> Array:
        return torch.zeros_like(x)

    def ones_like(self, x: Array) -> Array:
        return torch.ones_like(x)


def _traced(x: Any, device: Any) -> Array:
    """Numbers, lists and NumPy arrays inside torch.compile, which cannot follow an inspection by NumPy."""
    tensor = torch.as_tensor(x, device=device)
    exact = isinstance(x, np.ndarray) or not tensor.is_floating_point()
    return tensor if exact else torch.as_tensor(x, dtype=torch.float64, device=device)  # not the default float32


TORCH = TorchOps()

# Known beforehand: torch.compile cannot follow a walk along the base classes of Parameter.
TYPES = (torch.Tensor, torch.nn.Parameter)


def transforms_are_active() -> bool:
    """Whether a function transform of torch.func is at work."""
    active: bool = torch._C._are_functorch_transforms_active()
    return active


def is_batched(upstream: torch.Tensor) -> bool:
    """Whether an upstream gradient is several, as `is_grads_batched=True` gives them: it has no value of its own."""
    legacy: bool = torch._C._functorch.is_legacy_batchedtensor(upstream)
    return legacy or transforms_are_active()
