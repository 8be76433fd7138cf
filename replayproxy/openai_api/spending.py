"""The tokens of a journal's exchanges by session and model: those that were sent upstream, and those that were played.

Rule: tokens count once. A run, a response or a batch tells them each time it is read or changed; they count when they
are first told, and again when a request makes the thing anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from replayproxy.core.journal import Entry
from replayproxy.core.messages import Response
from replayproxy.openai_api.usage import Usage, made_id, model_of, usage_of

__all__ = ["PLAYED", "Amount", "ModelSpending", "SessionSpending", "spending"]

#: Outcomes of exchanges that a recording answered.
PLAYED = frozenset({"played", "repeated"})


_NONE: Final = Usage()


@dataclass(frozen=True, slots=True)
class Amount:
    """How many exchanges told of tokens, and of which."""

    exchanges: int = 0
    usage: Usage = _NONE

    def plus(self, usage: Usage) -> Amount:
        """One exchange more."""
        return Amount(self.exchanges + 1, self.usage.plus(usage))


@dataclass(frozen=True, slots=True)
class ModelSpending:
    """What one model used: `sent` to the upstream, and `played`. `model` is "" where nobody named one."""

    model: str
    sent: Amount = Amount()
    played: Amount = Amount()


@dataclass(frozen=True, slots=True)
class SessionSpending:
    """What a session used: all its exchanges, those of them that were played, and how long playing them took.

    `recordings` are the cassettes and interactions that were played, one for each time.
    """

    session: str
    exchanges: int
    played: int
    played_seconds: float
    models: tuple[ModelSpending, ...]
    recordings: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Growing:
    exchanges: int = 0
    seconds: float = 0.0
    models: dict[str, ModelSpending] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    recordings: list[tuple[str, int]] = field(default_factory=list)


def spending(entries: Iterable[Entry]) -> tuple[SessionSpending, ...]:
    """What sessions used, in the order in which they began; `entries` are the oldest first."""
    sessions: dict[str, _Growing] = {}
    for entry in entries:
        session = sessions.setdefault(entry.session, _Growing())
        session.exchanges += 1
        if entry.outcome in PLAYED:
            session.seconds += entry.seconds
            session.recordings.append((entry.cassette, entry.interaction))
        if entry.response is not None:
            _count(session, entry, entry.response)
    return tuple([_finished(name, each) for name, each in sessions.items()])


def _count(session: _Growing, entry: Entry, response: Response) -> None:
    usage = usage_of(response)
    made = made_id(response)
    again = bool(made) and (entry.request.method == "GET" or made in entry.request.path)
    if made and not again:
        session.counted.discard(made)
    if usage is None or (again and made in session.counted):
        return
    if made:
        session.counted.add(made)
    model = model_of(entry.request, response)
    known = session.models.get(model) or ModelSpending(model)
    if entry.outcome in PLAYED:
        session.models[model] = replace(known, played=known.played.plus(usage))
    else:
        session.models[model] = replace(known, sent=known.sent.plus(usage))


def _finished(name: str, session: _Growing) -> SessionSpending:
    models = sorted(session.models.values(), key=lambda each: -(each.sent.usage.total + each.played.usage.total))
    return SessionSpending(
        name, session.exchanges, len(session.recordings), session.seconds, tuple(models), tuple(session.recordings)
    )
