"""What every kind of conversation gathers as its exchanges come."""

from __future__ import annotations

from replayproxy.core.journal import Entry
from replayproxy.core.messages import plain
from replayproxy.openai_api.conversations.turns import Turns
from replayproxy.openai_api.conversations.values import Conversation, Turn
from replayproxy.openai_api.usage import Usage

__all__ = ["Gathered"]

_TITLE = 100


class Gathered:
    """A conversation as it grows; `own` is its id within the session."""

    def __init__(self, kind: str, session: str, own: str) -> None:
        self.kind, self.session, self.own = kind, session, own
        self.turns = Turns()
        self._first = self._last = ""
        self._exchanges: dict[int, None] = {}
        self._used: dict[object, Usage] = {}

    @property
    def latest(self) -> int:
        """The number of its last exchange, 0 when there is none."""
        return next(reversed(self._exchanges), 0)

    @property
    def usage(self) -> Usage | None:
        """All tokens that were counted."""
        total = Usage()
        for each in self._used.values():
            total = total.plus(each)
        return total if self._used else None

    def took(self, entry: Entry) -> None:
        """Counts an exchange in."""
        self._first = self._first or entry.arrived
        self._last = entry.arrived
        self._exchanges[entry.number] = None

    def count(self, of: object, usage: Usage | None) -> None:
        """Counts tokens; those that are told again `of` the same thing count once."""
        if usage is not None:
            self._used[of] = usage

    def finished(self) -> Conversation:
        """The conversation as far as it has come."""
        turns = self.turns.finished()
        return Conversation(
            plain(f"{self.session}~{self.own}"),
            self.kind,
            _title(turns),
            self.session,
            self._first,
            self._last,
            tuple(self._exchanges),
            turns,
            (),
            self.usage,
        )


def _title(turns: tuple[Turn, ...]) -> str:
    """What the user said first, else what anybody did, in one line."""
    said = [turn.text for turn in turns if turn.role == "user" and turn.text] or [t.text for t in turns if t.text]
    line = " ".join(said[0][: 4 * _TITLE].split()) if said else ""
    return line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"
