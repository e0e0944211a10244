"""The full docstring of a loss: what its author wrote, and what follows from its declaration."""

import dataclasses
import inspect
from typing import Any

from ._domain import Domain
from ._param import requirements

_SHAPES = """\
Args of the loss object and of the function form:
    y_true: {targets}.
    y_pred: {outputs}.
        {shapes}

Returns:
    The function form: one value per {unit}. The object: those values reduced.

Raises:
    TypeError: tensors of two frameworks, or no real numbers.
    ValueError: shapes that do not agree, a class id or a parameter out of range."""


def documentation(cls: Any) -> str:
    """The docstring of a loss class, with its parameters, shapes, source, aliases and peers; a full one as it is."""
    if _SHAPES.partition("\n")[0] in cls.__doc__:
        return str(cls.__doc__)
    parts = [inspect.cleandoc(cls.__doc__)]
    own = {name: wanted for name, wanted in requirements(cls).items() if name not in ("reduction", "name")}
    if own:
        fields = {field.name: field for field in dataclasses.fields(cls)}
        lines = [
            f"    {name} = {fields[name].default!r}: {wanted}; {fields[name].metadata.get('doc', '')}"
            for name, wanted in own.items()
        ]
        parts.append("\n".join(["Parameters:", *lines]))
    targets, outputs = _meaning(cls.targets), _meaning(cls.outputs)
    parts.append(_SHAPES.format(targets=targets, outputs=outputs, shapes=cls.shapes, unit=cls.unit))
    if cls.source:
        parts.append(f"Source: {cls.source}")
    if cls.aliases:
        parts.append(f"Aliases: {', '.join(cls.aliases)}")
    if cls.same_as:
        parts.append(f"Compared in the tests with: {', '.join(cls.same_as)}")
    return "\n\n".join(parts) + "\n"


def _meaning(domain: Any) -> str:
    """A domain in words; where it depends on a parameter, what its property says."""
    return domain.meaning if isinstance(domain, Domain) else inspect.cleandoc(domain.__doc__ or "")
