"""The interactions that a session plays from, read when they are first asked for.

Rules:
1. To know how many there are, and under which identity each stands, nothing has to be read but what was written beside
   them for this purpose.
2. What was written beside an interaction is believed only when it is proved to belong to the interaction as it is now.
"""

from __future__ import annotations

from typing import Protocol

from replayproxy.core.cassette import Interaction
from replayproxy.core.likeness import Directory, Look
from replayproxy.core.messages import Request

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

    def request(self, index: int) -> Request:
        """The request of the interaction, which may cost less than the whole of it."""

    def directory(self) -> Directory:
        """Where the requests go and how large their bodies are. What stands there is a hint and may be wrong."""

    def look(self, index: int) -> Look:
        """What the body of the request looks like; a hint as well."""

    def look_of(self, request: Request) -> Look:
        """What the body of a request would look like, were it recorded here; to be compared with `look`."""
