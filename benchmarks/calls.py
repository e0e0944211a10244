"""How a loss and its gradients are called on each framework, in the way that its users call them.

Each function here makes the `build` of a contender. `make()` imports what it needs and gives the loss, a function of
the case's arrays by name; `wrt` names those whose gradient is wanted.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from case import Arrays, Build, Call

Make = Callable[[], Callable[..., Any]]


def on_numpy(make: Make, wrt: str | None = None) -> Build:
    """`make()` gives the value, or value and gradient where `wrt` names an input."""

    def build(arrays: Arrays) -> Call:
        function = make()
        if wrt is None:
            return Call(lambda: {"value": function(**arrays)})
        return Call(lambda: dict(zip(("value", wrt), function(**arrays), strict=True)))

    return build


def on_torch(make: Make, *wrt: str) -> Build:
    """Eager."""

    def build(arrays: Arrays) -> Call:
        import torch

        function = make()
        tensors = {name: torch.tensor(array, requires_grad=name in wrt) for name, array in arrays.items()}

        def run() -> dict[str, Any]:
            value = function(**tensors)
            value.backward()
            results = {"value": value.detach()}
            for name in wrt:
                results[name], tensors[name].grad = tensors[name].grad, None  # as zero_grad does between two steps
            return results

        return Call(run)

    return build


def on_torch_compiled(make: Make, *wrt: str) -> Build:
    def compiled() -> Callable[..., Any]:
        import torch

        return torch.compile(make(), fullgraph=True, dynamic=False)

    return on_torch(compiled, *wrt)


def on_jax(make: Make, *wrt: str) -> Build:
    """Under `jax.jit`; the arrays are arguments, because constants would be folded while compiling."""

    def build(arrays: Arrays) -> Call:
        import jax

        function = make()
        step = jax.jit(jax.value_and_grad(lambda inputs, rest: function(**inputs, **rest)))
        inputs = _on_device(arrays, wrt)
        rest = _on_device(arrays, arrays.keys() - wrt)

        def run() -> dict[str, Any]:
            value, gradients = jax.block_until_ready(step(inputs, rest))
            return {"value": value, **gradients}

        def planned_bytes() -> int:
            plan = step.lower(inputs, rest).compile().memory_analysis()
            return int(plan.temp_size_in_bytes + plan.output_size_in_bytes)

        return Call(run, planned_bytes)

    return build


def on_jax_eager(make: Make, wrt: str) -> Build:
    """`make()` gives value and gradient of jax arrays."""

    def build(arrays: Arrays) -> Call:
        import jax

        function, given = make(), _on_device(arrays, arrays)
        return Call(lambda: dict(zip(("value", wrt), jax.block_until_ready(function(**given)), strict=True)))

    return build


def on_tensorflow(make: Make, wrt: str) -> Build:
    """Eager, under a GradientTape."""

    def taped() -> Callable[..., Any]:
        import tensorflow as tf

        function = make()

        def step(**given: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(given[wrt])
                value = function(**given)
            return value, tape.gradient(value, given[wrt])

        return step

    return on_tensorflow_eager(taped, wrt)


def on_tensorflow_eager(make: Make, wrt: str) -> Build:
    """`make()` gives value and gradient of TensorFlow tensors."""

    def build(arrays: Arrays) -> Call:
        import tensorflow as tf

        function, given = make(), {name: tf.constant(array) for name, array in arrays.items()}

        def run() -> dict[str, Any]:
            value, gradient = function(**given)
            return {"value": value.numpy(), wrt: gradient.numpy()}

        return Call(run)

    return build


def _on_device(arrays: Arrays, names: Iterable[str]) -> Mapping[str, Any]:
    import jax.numpy as jnp

    return {name: jnp.asarray(arrays[name]) for name in names}
