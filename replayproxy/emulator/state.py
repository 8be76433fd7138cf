"""What the emulator remembers. A family adds its record here, and its shelf to the record it hangs from or to `State`.

Records are frozen values; only shelves change. What a record looks like on the wire is its family's business.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from replayproxy.emulator.shelf import Shelf

__all__ = ["EmulatorSettings", "Json", "Message", "State", "Thread"]

#: A JSON object of an answer, its keys in the order of the API's.
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """What makes one emulator differ from another.

    `seed` decides the ids, `clock_start` (seconds since 1970, UTC) the time of the first object; no real clock is
    looked at. `api_keys` are the keys that are taken; none means that any is.
    """

    seed: str | int = 0
    clock_start: int = 1_704_067_200  # 2024-01-01T00:00:00Z
    api_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a thread; `content` and `attachments` as they are answered."""

    id: str
    created_at: int
    thread_id: str
    role: str
    content: tuple[Json, ...]
    attachments: tuple[Json, ...]
    metadata: dict[str, str]
    assistant_id: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread and what belongs to it."""

    id: str
    created_at: int
    metadata: dict[str, str]
    tool_resources: Json
    messages: Shelf[Message]


class State:
    """All that one emulator remembers."""

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.threads: Shelf[Thread] = Shelf("thread", settings.seed, "", settings.clock_start)
        self._requests = 0

    def messages_of(self, thread_id: str, created_at: int) -> Shelf[Message]:
        """An empty shelf for the messages of a thread."""
        return Shelf("msg", self.settings.seed, thread_id, created_at)

    def request_id(self) -> str:
        """The id of the next request: by order of arrival, so it is the one thing that concurrency can change."""
        self._requests += 1
        name = f"{self.settings.seed}\0{self._requests}".encode("utf-8", "surrogatepass")
        return f"req_{hashlib.blake2b(name, digest_size=16).hexdigest()}"
