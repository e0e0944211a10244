"""Named: a declared object with a name for logs."""

from typing import Any

from ._declared import Declared
from ._param import param
from ._registry import snake_case


class Named(Declared):
    """What losses and metrics share: a name, its class's own in snake_case where none is given."""

    name: str = param("", doc="a name for logs; its own where none is given")

    def _settle(self) -> None:
        self.name = self.name or self._own_name()
        super()._settle()

    def _own_name(self) -> str:
        return snake_case(type(self).__name__)

    def _defaults(self) -> dict[str, Any]:
        return {**super()._defaults(), "name": self._own_name()}
