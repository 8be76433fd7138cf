"""Results that may be asked for again, kept in bounded memory."""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Memo"]

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """The results of a pure function: at most `entries` of them, and no more than `size` bytes of what they are for.

    When there is no more room all of them go: those in use are back at once, and nobody has to keep an order.
    """

    __slots__ = ("_entries", "_known", "_limit", "_size")

    def __init__(self, entries: int, size: int) -> None:
        self._known: dict[K, V] = {}
        self._entries, self._limit, self._size = entries, size, 0

    def get(self, key: K) -> V | None:
        """The result for `key`, None when it is not known."""
        return self._known.get(key)

    def put(self, key: K, value: V, size: int) -> V:
        """Remembers a result, which is not None, for a key of about `size` bytes; gives it back.

        What would take more than a tenth of the room is not remembered.
        """
        if size * 10 <= self._limit:
            if len(self._known) >= self._entries or self._size + size > self._limit:
                self._known.clear()
                self._size = 0
            self._known[key] = value
            self._size += size
        return value
