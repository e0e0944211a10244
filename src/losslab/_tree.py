"""Trees of parameters: every array in a dict, list, JAX pytree, Keras model or PyTorch module has a path."""

import copy
import difflib
import numbers
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ._ops import Array


class Node(NamedTuple):
    """What a container holds, and how to make one that holds something else."""

    names: list[str]
    children: list[Any]
    rebuild: Callable[[list[Any]], Any]


def leaves(tree: Any) -> dict[str, Array]:
    """Path -> array: "dense/kernel" for {"dense": {"kernel": …}}, for a layer of a Keras model, and for "dense.kernel".

    Of a model only what trains; its own name is left out of the paths. A list of numbers is an array.

    Raises:
        TypeError: no tree.
        ValueError: two arrays of one path.
    """
    found: dict[str, Array] = {}
    _collect(tree, "", found)
    if "" in found and not hasattr(tree, "shape") and not _is_numbers(tree):
        raise TypeError(
            f"{type(tree).__name__} is no tree of arrays: give a dict or list of them, a JAX pytree, a Keras model or "
            f"a PyTorch module"
        )
    return found


def mapped(function: Callable[[str, Array], Array], tree: Any, path: str = "") -> Any:
    """The tree with `function(path, array)` in place of each array; a Keras model or PyTorch module itself."""
    node = _opened(tree)
    if node is None:
        return function(path, tree)
    pairs = zip(node.names, node.children, strict=True)
    return node.rebuild([mapped(function, child, _joined(path, name)) for name, child in pairs])


def rules_of(given: Any, get: Callable[[Any], Any], kind: str) -> dict[str, Any]:
    """Path -> what `get` makes of it.

    Raises:
        TypeError: no dict of paths, or None for one of them.
    """
    if not isinstance(given, Mapping):
        raise TypeError(
            f"a dict of path -> {kind} is needed, got {given!r}: say where, such as {{'*kernel': {given!r}}} for all "
            f"kernels, or {{'*': {given!r}}} for everything, biases too"
        )
    for path, each in given.items():
        if not isinstance(path, str):
            raise TypeError(f"a path is a text such as 'dense/kernel', got {path!r}")
        if each is None:
            raise TypeError(
                f"None for the path {path!r} is no {kind}: leave the path out; it takes nothing from others"
            )
    return {path: get(each) for path, each in given.items()}


def matching(pattern: str, paths: Sequence[str]) -> list[str]:
    """The paths that a pattern means; "*" stands for any characters, "/" among them.

    Raises:
        ValueError: none; the message names the nearest.
    """
    wanted = pattern.replace(".", "/")
    found = [path for path in paths if _fits(wanted, path)]
    if not found:
        near = difflib.get_close_matches(wanted, paths, n=3, cutoff=0.3) or list(paths)[:3]
        raise ValueError(f"nothing has the path {pattern!r}: the nearest are {', '.join(map(repr, near))}")
    return found


def _fits(pattern: str, path: str) -> bool:
    """As `fnmatch`, of which torch.compile can follow nothing."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == path
    return path.startswith(head) and any(_fits(tail, path[start:]) for start in range(len(head), len(path) + 1))


def _collect(tree: Any, path: str, found: dict[str, Array]) -> None:
    node = _opened(tree)
    if node is not None:
        for name, child in zip(node.names, node.children, strict=True):
            _collect(child, _joined(path, name), found)
    elif path in found:
        raise ValueError(f"two parameters have the path {path!r}: give one of them another name")
    elif tree is not None:
        found[path] = tree


def _joined(path: str, name: str) -> str:
    name = name.replace(".", "/")
    return f"{path}/{name}" if path else name


def _opened(tree: Any) -> Node | None:
    """A container with its contents; None for an array, and for None."""
    if tree is None or _is_numbers(tree):
        return None
    if isinstance(tree, dict):
        return Node([str(key) for key in tree], list(tree.values()), lambda new: _dict_like(tree, new))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return Node(list(tree._fields), list(tree), lambda new: type(tree)(*new))
    if isinstance(tree, list | tuple):
        return Node([str(index) for index in range(len(tree))], list(tree), lambda new: type(tree)(new))
    return _keras_model(tree) or _torch_module(tree) or (None if hasattr(tree, "shape") else _jax_pytree(tree))


def _is_numbers(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return bool(x) and all(map(_is_numbers, x))
    return isinstance(x, numbers.Number)


def _dict_like(tree: dict[Any, Any], new: list[Any]) -> dict[Any, Any]:
    other = copy.copy(tree)
    other.update(zip(tree, new, strict=True))
    return other


# The three below look at a framework only if the caller has imported it: an object of its own cannot exist before.


def _keras_model(model: Any) -> Node | None:
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(model, keras.Layer):
        return None
    variables = list(model.trainable_variables)

    def assign(new: list[Any]) -> Any:
        for variable, value in zip(variables, new, strict=True):
            if value is not variable:
                variable.assign(value)
        return model

    return Node([each.path.removeprefix(f"{model.name}/") for each in variables], variables, assign)


def _torch_module(module: Any) -> Node | None:
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(module, torch.nn.Module):
        return None
    named = dict(module.named_parameters())

    def copy_in(new: list[Any]) -> Any:
        for parameter, value in zip(named.values(), new, strict=True):
            if value is not parameter:
                parameter.detach().copy_(value.detach())
        return module

    return Node(list(named), list(named.values()), copy_in)


def _jax_pytree(tree: Any) -> Node | None:
    """One level of a pytree of a kind that only JAX knows: Flax's, Equinox', the user's own."""
    jax = sys.modules.get("jax")
    if jax is None:
        return None
    pairs, structure = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda inner: inner is not tree)
    if structure == jax.tree_util.tree_structure(0):
        return None
    names = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in pairs]
    return Node(names, [child for _, child in pairs], structure.unflatten)
