"""Conversations that requests carry along themselves: chat completions, and responses with all their input.

Rules:
1. A request whose messages begin with an earlier request's messages, and with its answer if they go further, continues
   that one. The longest such beginning wins; where two are equal, the later one.
2. Who asks the first question of a conversation again, and is answered otherwise, begins another one.
3. Every message is looked at once: beginnings are known by a hash that goes on with each message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from replayproxy.core.journal import Entry
from replayproxy.openai_api.conversations.gathering import Gathered
from replayproxy.openai_api.conversations.said import Said

__all__ = ["Chain", "Chains"]


class Chain(Gathered):
    """One conversation of this kind; `instructions` are those that were shown last, `begun` is what it began with."""

    instructions: str = ""
    begun: int = 0
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class _Tip:
    chain: Chain
    exchange: int


class Chains:
    """Finds the chain that a request continues."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._tips: dict[int, _Tip] = {}

    def take(self, entry: Entry, asked: Sequence[Said], answers: Sequence[Said], refused: str) -> Chain:
        """Takes an exchange: what was asked, the answer's choices (one goes on), why it was refused."""
        seed = hash((self._kind, entry.session))
        hashes = list(_hashes(seed, asked))
        begun = hashes[-1] if hashes else seed
        afters = [hash((begun, said.likeness)) for said in answers]
        known, tip = self._longest(hashes)
        if tip is None or self._begins_anew(tip, begun, afters):
            known, tip = 0, _Tip(Chain(self._kind, entry.session, f"{self._kind}.{entry.number}"), 0)
            tip.chain.begun = begun
        chain = tip.chain
        branch = tip.exchange if tip.exchange != chain.latest else 0
        chain.took(entry)
        chain.is_answered = chain.is_answered or bool(answers)
        said_now = [(said, False) for said in asked[known:]]
        said_now += [(said, True) for said, after in zip(answers, afters, strict=True) if after not in self._tips]
        for said, answered in said_now:
            chain.turns.say(said, entry, branch=branch, answered=answered)
            branch = 0
        self._tips |= dict.fromkeys([*hashes[-1:], *afters], _Tip(chain, entry.number))
        chain.turns.fail(refused, entry)
        return chain

    def _longest(self, hashes: list[int]) -> tuple[int, _Tip | None]:
        for place in range(len(hashes), 0, -1):
            if tip := self._tips.get(hashes[place - 1]):
                return place, tip
        return 0, None

    def _begins_anew(self, tip: _Tip, begun: int, afters: list[int]) -> bool:
        same = tip.chain.begun == begun and tip.chain.is_answered
        return same and bool(afters) and not any(after in self._tips for after in afters)


def _hashes(seed: int, said: Iterable[Said]) -> Iterator[int]:
    for each in said:
        seed = hash((seed, each.likeness))
        yield seed
