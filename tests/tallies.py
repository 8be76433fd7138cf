"""A tally that several sessions of one process share, as those of several processes share theirs."""

from __future__ import annotations

from replayproxy.core.tally import Count, OwnTally

__all__ = ["CommonTally"]


class CommonTally(OwnTally):
    """Gives whoever asks for the turns of an identity the same counter."""

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[bytes, Count] = {}

    def turns(self, key: bytes) -> Count:
        """The counter of that identity."""
        return self._given.setdefault(key, Count())
