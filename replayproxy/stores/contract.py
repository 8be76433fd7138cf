"""What a place for cassettes must do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.messages import FileBody
from replayproxy.errors import CassetteError

__all__ = ["CassetteStore", "Recorder", "Spool", "Unsaved"]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """An interaction to be saved; `arrival` tells the order in which the requests of a recording arrived."""

    interaction: Interaction
    arrival: int


class Spool(Protocol):
    """A body on its way into a file; it must be adopted or discarded."""

    def write(self, data: bytes) -> None:
        """Takes in the next piece; CassetteError when it cannot be kept."""

    def adopt(self, sha256: str, extension: str) -> str:
        """Makes it a body's file, named by the SHA-256 of its content (hex), and gives that name."""

    def discard(self) -> None:
        """Throws it away. Does nothing when it is adopted or discarded already."""


class Recorder(Protocol):
    """One recording into one cassette; the only one at a time.

    It is for one thread at a time, but for `spool`, which does not mind what another thread does.
    """

    def append(self, interaction: Interaction, arrival: int) -> None:
        """Saves an interaction whole, or raises CassetteError and leaves what was saved before as it is.

        `arrival` tells the order in which the requests of this recording arrived.
        """

    def append_all(self, batch: Sequence[Unsaved]) -> list[CassetteError | None]:
        """Saves interactions in this order, each for itself, and tells of each what kept it from being saved."""

    def sync(self) -> None:
        """Makes what was saved outlast a loss of power; CassetteError when the system cannot."""

    def spool(self) -> Spool:
        """A new file for a large body."""

    def close(self) -> None:
        """Puts interactions into the order of arrival and ends the recording; further calls do nothing."""


class CassetteStore(Protocol):
    """A place for one cassette."""

    @property
    def torn(self) -> str:
        """What the last `load` left out because its writer died over it; empty when nothing."""

    def exists(self) -> bool:
        """Whether there is a cassette."""

    def load(self) -> Cassette:
        """The cassette; CassetteError names file, line and cure."""

    def open_body(self, body: FileBody) -> BinaryIO:
        """The content of a large body, for reading."""

    def append_to(self, head: Head) -> Recorder:
        """A recorder that adds to the cassette, or begins one with `head` when there is none."""

    def replace_take(self, head: Head) -> Recorder:
        """A recorder whose first interaction begins the cassette anew; until then nothing changes."""
