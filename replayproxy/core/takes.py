"""What of an earlier take is kept when a session is recorded again.

Rules:
1. An interaction that differs from an earlier one in nothing but volatile facts keeps the earlier document,
   renumbered. Its place in the take decides between several that are the same, then their order.
2. A head that differs in nothing but when and by what it was written keeps the earlier document too. A loopback
   upstream listens on another port each time, so the port does not count there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from replayproxy.core.cassette import Head, Interaction, exchange_key
from replayproxy.core.codec import renumber

__all__ = ["EarlierTake", "same_head"]


class EarlierTake:
    """The documents of an earlier take, each given out once."""

    def __init__(self, interactions: Sequence[Interaction]) -> None:
        self._texts = [renumber(interaction.text, number) for number, interaction in enumerate(interactions, 1)]
        self._keys = [exchange_key(interaction) for interaction in interactions]
        self._free = self._by_key()

    def take(self, key: bytes, number: int) -> str | None:
        """The document that stands for the exchange with that key as interaction `number`; None when none is left."""
        return self._take(self._free, key, number)

    def rearranged(self, keys: Sequence[bytes], texts: Sequence[str]) -> list[str]:
        """The documents of a whole take in its final order: the earlier ones where there are any, else `texts`."""
        free = self._by_key()
        # Those in their old places first, so that none of these is given away.
        order = sorted(range(len(keys)), key=lambda index: self._keys[index : index + 1] != [keys[index]])
        kept = {index: self._take(free, keys[index], index + 1) for index in order}
        return [kept[index] or renumber(text, index + 1) for index, text in enumerate(texts)]

    def is_same(self, texts: Sequence[str]) -> bool:
        """Whether a take with these documents is the earlier one."""
        return list(texts) == self._texts

    def _by_key(self) -> dict[bytes, list[int]]:
        found: dict[bytes, list[int]] = {}
        for index, key in enumerate(self._keys):
            found.setdefault(key, []).append(index)
        return found

    def _take(self, free: dict[bytes, list[int]], key: bytes, number: int) -> str | None:
        indices = free.get(key)
        if not indices:
            return None
        index = number - 1 if number - 1 in indices else indices[0]
        indices.remove(index)
        return renumber(self._texts[index], number)


def same_head(one: Head, other: Head) -> bool:
    """Whether two heads differ in nothing but volatile facts."""
    return _settled(one) == _settled(other)


def _settled(head: Head) -> Head:
    return replace(head, recorded="", by="", upstream=_without_loopback_port(head.upstream))


def _without_loopback_port(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.port is None or not (host in ("localhost", "::1") or host.startswith("127.")):
            return url
    except ValueError:  # no URL at all; then it is compared as it is
        return url
    return parts._replace(netloc=host).geturl()
