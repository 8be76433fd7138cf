"""How strictly requests are checked, operation by operation.

Rule: what is said of an operation goes before what is said of its family, and that before what is said of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from replayproxy.core.catalog import Operation  # a start that only tells its options need not pay for it

__all__ = ["LEVELS", "Level", "Levels"]

#: `off`: requests are not checked. `warn`: what is wrong is noted. `enforce`: and answered as the API would.
Level = Literal["off", "warn", "enforce"]
LEVELS: Final[tuple[Level, ...]] = ("off", "warn", "enforce")


@dataclass(frozen=True, slots=True)
class Levels:
    """The level of every operation: that of its id or of its family in `by`, else `default`."""

    default: Level
    by: tuple[tuple[str, Level], ...] = ()
    _by_name: Mapping[str, Level] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", dict(self.by))

    def of(self, operation: Operation | None) -> Level:
        """The level of `operation`; None stands for a request that is none of the API's."""
        if operation is None or not self.by:
            return self.default
        return self._by_name.get(operation.id) or self._by_name.get(operation.family) or self.default
