"""The interactions that a session plays from, read when they are first asked for.

Rules:
1. To know how many there are, and under which identity each stands, nothing has to be read but what was written beside
   them for this purpose.
2. What was written beside an interaction is believed only when it is proved to belong to the interaction as it is now.
"""

from __future__ import annotations

from typing import Protocol

from replayproxy.core.cassette import Interaction

__all__ = ["Recordings"]


class Recordings(Protocol):
    """Interactions in the order of the cassette; interaction number N has index N - 1. A `Cassette` is one kind."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int) -> Interaction:
        """The interaction; CassetteError when it cannot be read (any more)."""

    def key(self, index: int, scheme: str) -> bytes | None:
        """The identity of the interaction's request under a scheme of matching (`matching.scheme_of`); None when nobody
        wrote it down, or not for this scheme, or not for the interaction as it is now."""
