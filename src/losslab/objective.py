"""Objective: a loss, what parameters and activations cost, and their sum."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from . import regularizers
from ._declared import Declared
from ._frozen import FrozenDict
from ._ops import Array, ops_for
from ._tree import leaves, matching, rules_of
from .container import LossContainer, total


class Objective(Declared):
    """What is minimised: a loss plus penalties on parameters and activations.

    Args:
        loss: what `losslab.LossContainer` takes, or a container.
        penalties: path -> regularizer, or what `losslab.regularizers.get` takes. "dense/kernel" is one parameter,
            "*/kernel" all whose paths end so ("*" stands for any characters); "." reads as "/". Where two meet, both
            are added.
        activity: the same for activations; or one regularizer for all of them. As in Keras, each penalty is
            divided by the number of samples.

    Raises:
        UnknownNameError: a name that no loss or regularizer has.
        TypeError: penalties that are no dict of paths, or None for one of them.

    >>> objective = losslab.Objective("mse", {"dense/kernel": losslab.regularizers.l2(0.01)})
    >>> params = {"dense": {"kernel": np.array([[10.0]]), "bias": np.array([0.0])}}
    >>> objective([[1.0]], [[3.0]], params)
    np.float64(5.0)
    >>> objective.with_parts([[1.0]], [[3.0]], params)
    (np.float64(5.0), {'loss': np.float64(4.0), 'dense/kernel': np.float64(1.0)})
    """

    def __init__(self, loss: Any, penalties: Mapping[str, Any] | None = None, activity: Any = None) -> None:
        self.loss = loss if isinstance(loss, LossContainer) else LossContainer(loss)
        self.penalties = _regularizers({} if penalties is None else penalties)
        self.activity = _regularizers(activity if isinstance(activity, Mapping) else _everywhere(activity))

    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        params: Any = None,
        *,
        sample_weight: Any = None,
        mask: Any = None,
        activities: Any = None,
    ) -> Array:
        """The loss plus all penalties.

        Args:
            y_true, y_pred, sample_weight, mask: as `LossContainer` takes them.
            params: a dict or list of arrays, nested or not, any JAX pytree, a Keras model or a PyTorch module; of the
                last two what trains.
            activities: an array with the samples along its first axis, or dicts and lists of such.

        Raises:
            ValueError: a path that nothing has (the message names the nearest); what the loss refuses.
        """
        return self.with_parts(y_true, y_pred, params, sample_weight=sample_weight, mask=mask, activities=activities)[0]

    def with_parts(
        self,
        y_true: Any,
        y_pred: Any,
        params: Any = None,
        *,
        sample_weight: Any = None,
        mask: Any = None,
        activities: Any = None,
    ) -> tuple[Array, dict[str, Array]]:
        """The sum and its terms: "loss", every penalty by the path of its parameter, "activity/" and the path of one.

        Args, Raises: as for a call.
        """
        parts = {"loss": self.loss(y_true, y_pred, sample_weight, mask)}
        parts.update(_penalties(self.penalties, params, "params"))
        for path, penalty in _penalties(self.activity, activities, "activities", _per_sample).items():
            parts[f"activity/{path}" if path else "activity"] = penalty
        return total(list(parts.values())), parts

    def _parameters(self) -> dict[str, Any]:
        return {"loss": self.loss, "penalties": self.penalties, "activity": self.activity}

    def get_config(self) -> dict[str, Any]:
        """All parameters as values that JSON can hold; `from_config` gives an equal object.

        Raises:
            TypeError, ValueError: a loss or regularizer that no config can name.
        """
        penalties, activity = (
            {path: regularizers.serialize(each) for path, each in rules.items()}
            for rules in (self.penalties, self.activity)
        )
        return {"loss": self.loss.get_config(), "penalties": penalties, "activity": activity}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        loss = config["loss"]
        return cls(**{**config, "loss": loss if isinstance(loss, LossContainer) else LossContainer.from_config(loss)})


def _everywhere(regularizer: Any) -> dict[str, Any]:
    return {} if regularizer is None else {"*": regularizer}


def _regularizers(rules: Any) -> dict[str, Any]:
    return FrozenDict(rules_of(rules, regularizers.get, "regularizer"))


def _penalties(
    rules: dict[str, Any], tree: Any, what: str, per: Callable[[Any, Any], Any] = lambda value, _: value
) -> dict[str, Any]:
    """Path -> penalty, of the arrays in the tree that the rules name."""
    found = leaves(tree)
    if rules and not found:
        raise ValueError(f"penalties on {', '.join(map(repr, rules))} but no {what} to look at: give {what}=")
    parts: dict[str, Any] = {}
    for pattern, regularizer in rules.items():
        for path in matching(pattern, list(found)):
            penalty = per(regularizer(found[path]), found[path])
            parts[path] = parts[path] + penalty if path in parts else penalty
    return parts


def _per_sample(penalty: Any, x: Any) -> Any:
    """A penalty on activations, divided by the number of samples."""
    ops = ops_for(penalty, x)
    x = ops.convert(x)
    if not ops.shape(x):
        return penalty
    samples = ops.length(ops.moveaxis(x, 0, -1))
    if isinstance(samples, int):
        return penalty / max(samples, 1)
    return penalty / ops.maximum(ops.cast(samples, penalty.dtype), 1.0)
