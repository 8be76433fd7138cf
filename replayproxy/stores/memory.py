"""A cassette in memory: the double for tests, with the contract of the real thing."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.codec import encode
from replayproxy.core.messages import FileBody
from replayproxy.errors import CassetteError
from replayproxy.stores.contract import Unsaved

__all__ = ["MemoryRecorder", "MemorySpool", "MemoryStore"]


class MemoryStore:
    """One cassette, None until something is recorded, and its large bodies by name."""

    def __init__(self, cassette: Cassette | None = None) -> None:
        self.cassette = cassette
        self.bodies: dict[str, bytes] = {}
        self.recorded_into = False

    @property
    def torn(self) -> str:
        """Always empty: memory does not tear."""
        return ""

    def exists(self) -> bool:
        """Whether there is a cassette."""
        return self.cassette is not None

    def load(self) -> Cassette:
        """The cassette."""
        if self.cassette is None:
            raise CassetteError("there is no cassette")
        return self.cassette

    def open_body(self, body: FileBody) -> BinaryIO:
        """The content of a large body."""
        if body.name not in self.bodies:
            raise CassetteError(f"there is no body {body.name}")
        return BytesIO(self.bodies[body.name])

    def append_to(self, head: Head) -> MemoryRecorder:
        """A recorder that adds to the cassette, or begins one."""
        return MemoryRecorder(self, self.cassette if self.cassette is not None else Cassette(head))

    def replace_take(self, head: Head) -> MemoryRecorder:
        """A recorder whose first interaction begins the cassette anew."""
        return MemoryRecorder(self, Cassette(head))


class MemoryRecorder:
    """One recording into a cassette in memory."""

    def __init__(self, store: MemoryStore, begun: Cassette) -> None:
        if store.recorded_into:
            raise CassetteError("another replayproxy records into it")
        store.recorded_into = True
        self._store, self._begun, self._closed = store, begun, False
        self._saved: list[tuple[int, Interaction]] = []

    def append(self, interaction: Interaction, arrival: int) -> None:
        """Saves an interaction, if it could be written."""
        error = self.append_all([Unsaved(interaction, arrival)])[0]
        if error is not None:
            raise error

    def append_all(self, batch: Sequence[Unsaved]) -> list[CassetteError | None]:
        """Saves those that could be written."""
        errors = [self._add(unsaved) for unsaved in batch]
        if self._saved and not self._closed:
            self._put([interaction for _, interaction in self._saved])
        return errors

    def sync(self) -> None:
        """Does nothing: no memory outlasts a loss of power."""

    def spool(self) -> MemorySpool:
        """A new place for a large body."""
        return MemorySpool(self._store)

    def close(self) -> None:
        """Puts the interactions in order."""
        if not self._closed:
            self._closed, self._store.recorded_into = True, False
            if self._saved:
                self._put([interaction for _, interaction in sorted(self._saved, key=lambda saved: saved[0])])

    def _add(self, unsaved: Unsaved) -> CassetteError | None:
        if self._closed:
            return CassetteError("the recording has ended")
        try:
            encode(unsaved.interaction, len(self._saved) + 1)
        except CassetteError as error:
            return error
        self._saved.append((unsaved.arrival, unsaved.interaction))
        return None

    def _put(self, interactions: list[Interaction]) -> None:
        self._store.cassette = Cassette(self._begun.head, (*self._begun.interactions, *interactions))


class MemorySpool:
    """A body on its way into memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store, self._content = store, bytearray()

    def write(self, data: bytes) -> None:
        """Takes in the next piece."""
        self._content += data

    def adopt(self, sha256: str, extension: str) -> str:
        """Keeps it under the name of its content."""
        name = sha256[:32] + extension
        self._store.bodies[name] = bytes(self._content)
        return name

    def discard(self) -> None:
        """Throws it away."""
        self._content.clear()
