"""Python's operators for classes that stand in for arrays while a formula runs."""

from collections.abc import Iterator
from typing import Any


class Operators:
    """Forwards every operator to `_apply`: `a + b` is `a._apply("add", a, b)`, and `1 - a` is `a._apply("sub", 1, a)`.

    The names are those of the `operator` module, so that `getattr(operator, name)(*args)` is the same on plain arrays.
    """

    __array_ufunc__ = None  # array + stand-in: NumPy leaves it to the stand-in instead of looping over its elements

    def _apply(self, name: str, *args: Any) -> Any:
        """The result of an operator; one of `args` is this object, the others may be arrays, numbers or slices."""
        raise NotImplementedError

    def __bool__(self) -> bool:
        """Every object is true unless its class says otherwise: a formula that branches would go one way, silently."""
        raise TypeError(f"a {type(self).__name__} has no value to decide by")

    def __len__(self) -> int:
        raise TypeError(f"a {type(self).__name__} has no length")

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __array__(self, *_: Any, **__: Any) -> Any:
        """NumPy would take the stand-in for one number."""
        raise TypeError(f"a {type(self).__name__} is no array of NumPy: use operators and the functions of the formula")

    def __add__(self, other: Any) -> Any:
        return self._apply("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._apply("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._apply("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._apply("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._apply("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._apply("mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._apply("truediv", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._apply("truediv", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._apply("pow", self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._apply("pow", other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._apply("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._apply("matmul", other, self)

    def __neg__(self) -> Any:
        return self._apply("neg", self)

    def __abs__(self) -> Any:
        return self._apply("abs", self)

    def __lt__(self, other: Any) -> Any:
        return self._apply("lt", self, other)

    def __le__(self, other: Any) -> Any:
        return self._apply("le", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._apply("gt", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._apply("ge", self, other)

    def __eq__(self, other: object) -> Any:
        return self._apply("eq", self, other)

    def __ne__(self, other: object) -> Any:
        return self._apply("ne", self, other)

    def __and__(self, other: Any) -> Any:
        return self._apply("and_", self, other)

    def __rand__(self, other: Any) -> Any:
        return self._apply("and_", other, self)

    def __or__(self, other: Any) -> Any:
        return self._apply("or_", self, other)

    def __ror__(self, other: Any) -> Any:
        return self._apply("or_", other, self)

    def __invert__(self) -> Any:
        return self._apply("invert", self)

    def __getitem__(self, index: Any) -> Any:
        return self._apply("getitem", self, index)

    __hash__ = object.__hash__  # by identity: what __eq__ gives is an array
