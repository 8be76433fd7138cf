"""Which requests were recorded in a session, by whoever serves it."""

from __future__ import annotations

from replayproxy.core.tally import Counter, Tally

__all__ = ["Live"]


class Live:
    """Identities of requests whose answers were recorded: counted in the tally, beside their turns."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._counters: dict[bytes, Counter] = {}

    def add(self, key: bytes) -> None:
        """Takes note of an identity (16 bytes)."""
        self._counter(key).add()

    def __contains__(self, key: bytes) -> bool:
        return self._counter(key).value > 0

    def _counter(self, key: bytes) -> Counter:
        counter = self._counters.get(key)
        if counter is None:
            # The turns of an identity that is no request's: one bit apart from this one's.
            beside = bytes([key[0] ^ 1]) + key[1:]
            counter = self._counters[key] = self._tally.turns(beside)
        return counter
