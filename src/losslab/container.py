"""LossContainer: the losses of a model with several outputs."""

import math
import numbers
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ._declared import Declared
from ._frozen import FrozenDict
from ._loss import Loss
from ._ops import Array, ops_for
from ._registry import UnknownLossError, get, serialize
from ._structure import Path, about, is_structure, keys_of, listed, path_text, spread
from ._wrapper import LossFunctionWrapper


class Term(NamedTuple):
    """One loss on one output."""

    path: Path
    loss: Loss
    weight: float


class LossContainer(Declared):
    """The losses of a model with several outputs: their weighted sum, and each by itself.

    Args:
        loss: in the structure of the outputs: a list for a list, a dict for a dict, and so on inside; one loss stands
            for all outputs below. A loss is what `losslab.get` takes, a function, or a loss of `losslab.keras`; None
            leaves an output without one. A list of losses on one output is summed. A name that nobody has registered
            yet is looked up later.
        loss_weights: numbers in the same structure, one number for all below; 1 where none is given.

    A dict of losses names every output of a dict: one without a loss says so with None.

    Raises:
        TypeError, ValueError: a loss or a weight that is none.

    >>> container = losslab.LossContainer({"price": "mse", "size": "mae"}, loss_weights={"size": 0.5})
    >>> y_true = {"price": np.array([[1.0]]), "size": np.array([[1.0]])}
    >>> y_pred = {"price": np.array([[3.0]]), "size": np.array([[2.0]])}
    >>> container(y_true, y_pred)
    np.float64(4.5)
    >>> container.with_parts(y_true, y_pred)
    (np.float64(4.5), {'price': np.float64(4.0), 'size': np.float64(1.0)})
    """

    def __init__(self, loss: Any, loss_weights: Any = None) -> None:
        self.loss = _mapped(_known, loss)
        self.loss_weights = _mapped(_number, loss_weights)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Array:
        """The sum of the losses, each times its weight.

        Args:
            y_true: labels, in the structure of the outputs; None, or absent from a dict, where there is no loss.
            y_pred: the outputs: arrays in dicts and lists. A list of numbers is an array; where it could be an output
                for each of several losses as well, it is refused.
            sample_weight: as a loss takes it: one for all outputs, or in their structure.
            mask: likewise.

        Raises:
            UnknownLossError: a name that no loss has.
            ValueError: structures that do not fit each other, or what a loss refuses.
        """
        return self.with_parts(y_true, y_pred, sample_weight, mask)[0]

    def with_parts(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> tuple[Array, dict[str, Array]]:
        """The sum, and every loss before its weight by the path of its output ("head/price"), for logs.

        Several losses on one output have their own names after its path; the loss of an only output has its own name.

        Args, Raises: as for a call.
        """
        terms = list(_terms(self.loss, self.loss_weights, y_pred, ()))
        values = [_value(term, y_true, y_pred, sample_weight, mask) for term in terms]
        weighted = [value * term.weight for value, term in zip(values, terms, strict=True) if term.weight]
        if not weighted:
            raise ValueError("nothing to train: every output has the loss None or the weight 0")
        return total(weighted), dict(zip(_names(terms), values, strict=True))

    def _parameters(self) -> dict[str, Any]:
        return {"loss": self.loss, "loss_weights": self.loss_weights}

    def get_config(self) -> dict[str, Any]:
        """All parameters as values that JSON can hold; `from_config` gives an equal object.

        Raises:
            ValueError: a loss that no config can name: a function or class that is not registered.
        """
        return {name: _mapped(_config, value, list, dict) for name, value in self._parameters().items()}


def total(terms: Sequence[Any]) -> Array:
    """The sum of numbers of one framework, in float64 if one of them is: TensorFlow alone would refuse to mix."""
    ops = ops_for(*terms)
    arrays = [ops.convert(term, like=terms[0]) for term in terms]
    widths = [ops.float_dtype(array) for array in arrays]
    width = next((dtype for dtype in widths if dtype != ops.float32), ops.float32)
    return sum(ops.cast(array, width) for array in arrays)


# The structure that losses and their weights are given in


def _is_leaf(structure: Any) -> bool:
    """A loss, a weight or None; a dict with a class name is the config of a loss."""
    return "class_name" in structure if isinstance(structure, dict) else not isinstance(structure, list | tuple)


def _mapped(function: Callable[[Any], Any], structure: Any, sequence: Any = tuple, mapping: Any = FrozenDict) -> Any:
    """The function of every leaf, in lists and dicts that nobody can change."""
    if _is_leaf(structure):
        return function(structure)
    if isinstance(structure, dict):
        return mapping({key: _mapped(function, inner, sequence, mapping) for key, inner in structure.items()})
    return sequence(_mapped(function, inner, sequence, mapping) for inner in structure)


def _known(identifier: Any) -> Any:
    """A loss or None; a name that nobody has registered stays a name."""
    try:
        loss = get(identifier)
    except UnknownLossError:
        return identifier
    if loss is None or isinstance(loss, Loss):
        return loss
    core = getattr(loss, "core", None)  # what computes in a loss of losslab.keras
    return core if isinstance(core, getattr(loss, "core_class", ())) else LossFunctionWrapper(loss)


def _config(loss: Any) -> Any:
    return serialize(loss) if isinstance(loss, Loss) else loss


def _number(weight: Any) -> float | None:
    if weight is None:
        return None
    if not isinstance(weight, numbers.Real) or isinstance(weight, bool) or not math.isfinite(weight):
        raise TypeError(f"the weight of a loss is a finite number, got {weight!r}")
    return float(weight)


# Losses, outputs, labels and weights, paired


def _terms(loss: Any, weight: Any, y_pred: Any, path: Path) -> Iterator[Term]:
    """Every loss with the path of its output and its weight."""
    if loss is None:
        return
    if _is_leaf(loss) and not is_structure(y_pred):
        if not _is_leaf(weight):
            raise ValueError(f"{about(path)}several loss_weights for one loss on one output: give one number")
        yield Term(path, _resolved(loss, path), 1.0 if weight is None else weight)
        return
    pairs = _pairs(loss, y_pred, path)
    holder = y_pred if is_structure(y_pred) else loss
    weights = dict.fromkeys(pairs, weight) if _is_leaf(weight) else spread(weight, holder, "loss_weights", path)
    for key, (each, output, place) in pairs.items():
        yield from _terms(each, weights[key], output, place)


def _pairs(loss: Any, y_pred: Any, path: Path) -> dict[Any, tuple[Any, Any, Path]]:
    """Key -> a loss, its output and the output's path, one level down."""
    if not is_structure(y_pred):
        if isinstance(loss, dict):
            raise ValueError(f"{about(path)}a dict of losses ({listed(loss)}), but the output is one array")
        _check_one_output(loss, y_pred, path)
        return {index: (each, y_pred, path) for index, each in enumerate(loss)}
    losses = dict.fromkeys(keys_of(y_pred), loss) if _is_leaf(loss) else spread(loss, y_pred, "loss", path)
    missing = [key for key in losses if isinstance(loss, dict) and key not in loss]
    if missing:
        raise ValueError(
            f"{about(path)}no loss for {listed(missing)}: give one, or None to leave an output without a loss"
        )
    return {key: (losses[key], y_pred[key], (*path, key)) for key in losses}


def _check_one_output(losses: tuple[Any, ...], y_pred: Any, path: Path) -> None:
    """Refuse [[1.0], [2.0]] for two losses: one output of two samples, or two outputs of one?"""
    if not isinstance(y_pred, list | tuple) or len(y_pred) != len(losses):
        return
    if all(isinstance(each, list | tuple) for each in y_pred):
        raise ValueError(
            f"{about(path)}y_pred is a list of {len(y_pred)} lists for {len(losses)} losses, which is one output or "
            f"{len(y_pred)}: give np.asarray(y_pred) for one output, or a list of arrays for an output each"
        )


def _resolved(identifier: Any, path: Path) -> Loss:
    if isinstance(identifier, Loss):
        return identifier
    try:
        loss: Loss = get(identifier)
    except UnknownLossError as error:
        raise UnknownLossError(f"{about(path)}{error}", error.suggestions) from None
    return loss


def _value(term: Term, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> Array:
    labels = _at(y_true, y_pred, term.path, "y_true")
    if labels is None:
        raise ValueError(f"{about(term.path)}no label in y_true: give one, or the loss None")
    weight, kept = (
        _at(given, y_pred, term.path, what) for given, what in ((sample_weight, "sample_weight"), (mask, "mask"))
    )
    for key in term.path:
        y_pred = y_pred[key]
    try:
        value = term.loss(labels, y_pred, sample_weight=weight, mask=kept)
    except (TypeError, ValueError) as error:
        if term.path:
            error.add_note(f"in the loss of the output {path_text(term.path)!r}")
        raise
    shape = tuple(ops_for(value).shape(value))
    if shape:
        raise ValueError(
            f"{about(term.path)}{term.loss.name} gives values of shape {shape}, but losses are summed as one number "
            f"each: give it another reduction than {term.loss.reduction!r}"
        )
    return value


def _at(given: Any, y_pred: Any, path: Path, what: str) -> Any:
    """The labels, weights or mask of the output at `path`; one weight or mask is for all outputs."""
    for depth, key in enumerate(path):
        if is_structure(given):
            given = spread(given, y_pred, what, path[:depth])[key]
        elif what == "y_true" and given is not None:
            raise ValueError(f"{about(path[:depth])}y_true is one array, but the outputs are {listed(keys_of(y_pred))}")
        y_pred = y_pred[key]
    if is_structure(given):
        raise ValueError(f"{about(path)}{what} has {listed(keys_of(given))} inside, but the output is one array")
    return given


def _names(terms: list[Term]) -> list[str]:
    """A name for each: the path of its output, its own name where that is not enough, a number where that is not."""
    paths = [term.path for term in terms]
    names: list[str] = []
    for path, loss, _ in terms:
        base = name = path_text(path if path and paths.count(path) == 1 else (*path, loss.name))
        number = 1
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names
