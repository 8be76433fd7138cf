"""Where the interactions of a cassette stand: their numbers, by the identities of their requests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from replayproxy.core.fault_kinds import ALWAYS
from replayproxy.core.messages import Request
from replayproxy.core.polls import folded
from replayproxy.core.recordings import Recordings

__all__ = ["Places"]


class Places:
    """The numbers (from 1) of interactions, under the key that `identity` makes of their requests.

    Those are read that do not say their key under `scheme`. With `collapse_polls` polls that follow each other are
    folded to the last, and no more than the `first` recordings count.
    """

    def __init__(
        self,
        recordings: Recordings,
        scheme: str,
        identity: Callable[[Request], bytes],
        *,
        collapse_polls: bool = False,
        first: int | None = None,
    ) -> None:
        self._recordings, self._scheme = recordings, scheme
        played = range(len(recordings))[:first]
        keys = [recordings.key(at, scheme) or identity(recordings.request(at)) for at in played]
        #: The numbers of earlier polls, by that of the one they are folded to.
        self.earlier: Mapping[int, Collection[int]] = (
            folded((key, recordings[at]) for at, key in enumerate(keys)) if collapse_polls else {}
        )
        unheard = {number for numbers in self.earlier.values() for number in numbers}
        # Most requests have one answer: a number alone takes a tenth of the room of a list with it.
        self._numbers: dict[bytes, int | list[int]] = {}
        for number, key in enumerate(keys, 1):
            if number not in unheard:
                there = self._numbers.setdefault(key, number)
                if isinstance(there, list):
                    there.append(number)
                elif there != number:
                    self._numbers[key] = [there, number]

    def __contains__(self, key: bytes) -> bool:
        return key in self._numbers

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._numbers)

    def under(self, key: bytes) -> list[int]:
        """The numbers of the interactions with that identity, in recorded order. KeyError when there are none."""
        there = self._numbers[key]
        return there if isinstance(there, list) else [there]

    def failing(self, numbers: Collection[int]) -> dict[int, int]:
        """How often each of these interactions fails before it answers, for those that do.

        Only somebody's hand limits a fault (`fault_kinds.Fault`), so those that were proved to be as they were written
        need not be read for this.
        """
        found = dict[int, int]()
        for number in numbers:
            if self._recordings.key(number - 1, self._scheme) is None:
                fault = self._recordings[number - 1].fault
                if fault is not None and not fault.of_upstream and fault.times != ALWAYS:
                    found[number] = fault.times
        return found
