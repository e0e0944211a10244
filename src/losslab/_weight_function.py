"""WeightFunction: what regularizers and constraints share, a declared function of one array."""

import dataclasses
import sys
from typing import Any, ClassVar, dataclass_transform

from ._declared import Declared
from ._ops import Array, Ops, ops_for


@dataclass_transform(kw_only_default=False)
class WeightFunction(Declared):
    """A function of one array of weights, declared by its parameters and a `formula` in the array vocabulary.

    Its parameters may be given by position too: `L2(0.01)` is what people of Keras type.

    Attributes:
        source: author, year and equation, with a DOI or arXiv number.
        aliases: further names under which `register` makes it known.
    """

    source: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        for value in vars(cls).values():
            if isinstance(value, dataclasses.Field):
                value.kw_only = False  # before `Declared` makes all that is left open a keyword
        super().__init_subclass__()

    def formula(self, ops: Ops, x: Array) -> Array:
        """The function in the array vocabulary `ops`, of `x` in float32 or float64."""
        raise NotImplementedError(f"{type(self).__name__} declares no formula: define formula(self, ops, x)")

    def __call__(self, x: Any) -> Array:
        """The function of an array of any framework, a Keras variable or a list, computed in float32 or float64.

        Raises:
            TypeError: no real numbers.
            ValueError: a shape that it cannot take.
        """
        x = _array_of(x)
        ops = ops_for(x)
        return self._evaluated(ops, ops.convert(x))

    def _evaluated(self, ops: Ops, x: Array) -> Array:
        return self.formula(ops, ops.cast(x, ops.float_dtype(x)))


def _array_of(x: Any) -> Any:
    """The array inside a Keras variable, which is what Keras hands to the functions of a layer's weights."""
    keras = sys.modules.get("keras")  # where nobody has imported Keras, nothing is a variable of Keras
    return x.value if keras is not None and isinstance(x, keras.Variable) else x
