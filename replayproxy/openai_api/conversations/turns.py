"""The turns of one conversation, as one exchange after the other tells of them.

Rules:
1. A turn is shown once: it is known by its id, and one that came without an id takes the first that is told of a
   message of the same role and text.
2. An output of a tool belongs to the call of its id, whichever came first and from wherever.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from replayproxy.core.journal import Entry
from replayproxy.openai_api.conversations.said import Said
from replayproxy.openai_api.conversations.values import Call, Turn

__all__ = ["Turns"]


@dataclass(slots=True, eq=False)
class _Growing:
    turn: Turn
    calls: list[str] = field(default_factory=list)
    answered: bool = False
    #: The call whose output it is, until that call is told.
    waits_for: str = ""


class Turns:
    """Takes what is said, in the order in which it was said, and gives the turns."""

    def __init__(self) -> None:
        self._turns: list[_Growing] = []
        self._by_id: dict[str, _Growing] = {}
        self._without_id: dict[tuple[str, str], list[_Growing]] = {}
        self._calls: dict[str, Call] = {}
        self._outputs: dict[str, str] = {}

    def say(
        self, said: Said, entry: Entry, *, run: str = "", before: str = "", branch: int = 0, answered: bool = False
    ) -> None:
        """Takes a turn, unless it is known: at the end, or before the one with the id `before`.

        `answered`: the API said it; neighbours in one answer become one turn when one of them has calls.
        """
        for call, given in said.outputs:
            self.output(call, given, entry)
        known = self._by_id.get(said.id) or self._adopted(said)
        if known is not None:
            self._renew(known, said, run)
            return
        calls = [self._key(call) for call in said.calls if self._is_new(call)]
        if said.outputs or said.is_empty or (said.calls and not calls and not said.text):
            return
        turn = Turn(
            said.role, said.text, said.images, said.files, (), entry.number, entry.arrived, run, branch, said.id
        )
        self._place(_Growing(turn, calls, answered), before)

    def fail(self, message: str, entry: Entry) -> None:
        """Takes what the API refused an exchange with."""
        if message:
            self._turns.append(_Growing(Turn("error", message, exchange=entry.number, at=entry.arrived)))

    def output(self, call: str, given: str, entry: Entry) -> None:
        """Takes what a tool gave; it is a turn of its own as long as nobody tells of the call."""
        if call in self._outputs:
            return
        self._outputs[call] = given
        if call not in self._calls:
            turn = Turn("tool", given, exchange=entry.number, at=entry.arrived)
            self._turns.append(_Growing(turn, waits_for=call))

    def finished(self) -> tuple[Turn, ...]:
        """The turns."""
        shown = [each for each in self._turns if not each.waits_for or each.waits_for not in self._calls]
        return tuple([replace(each.turn, calls=tuple(map(self._call, each.calls))) for each in shown])

    def _call(self, key: str) -> Call:
        call = self._calls[key]
        given = self._outputs.get(key)
        return call if given is None else replace(call, output=given)

    def _key(self, call: Call) -> str:
        """Where a call is kept: by its id; one without is kept by its number."""
        key = call.id or f"\0{len(self._calls)}"
        self._calls[key] = call
        return key

    def _is_new(self, call: Call) -> bool:
        """Whether a call is unknown; what is now known of one that is known is kept."""
        known = self._calls.get(call.id)
        if known is None:
            return True
        arguments, output = call.arguments or known.arguments, call.output or known.output
        self._calls[call.id] = replace(known, arguments=arguments, output=output)
        return False

    def _adopted(self, said: Said) -> _Growing | None:
        waiting = self._without_id.get((said.role, said.text)) if said.id and said.text else None
        if not waiting:
            return None
        self._by_id[said.id] = found = waiting.pop(0)
        found.turn = replace(found.turn, id=said.id)
        return found

    def _renew(self, known: _Growing, said: Said, run: str) -> None:
        turn = known.turn
        known.turn = replace(
            turn, text=said.text or turn.text, images=max(said.images, turn.images), run=turn.run or run
        )
        known.calls += [self._key(call) for call in said.calls if self._is_new(call)]

    def _place(self, new: _Growing, before: str) -> None:
        later = self._by_id.get(before)
        if new.turn.id:
            self._by_id[new.turn.id] = new
        else:
            self._without_id.setdefault((new.turn.role, new.turn.text), []).append(new)
        if later is not None:
            self._turns.insert(self._turns.index(later), new)
        elif not self._joined(new):
            self._turns.append(new)

    def _joined(self, new: _Growing) -> bool:
        """Whether the last turn takes it in: calls that one answer makes beside each other, or behind its text."""
        last = self._turns[-1] if self._turns else None
        if last is None or not (new.answered and last.answered and new.calls) or new.turn.text:
            return False
        if (last.turn.exchange, last.turn.role) != (new.turn.exchange, new.turn.role):
            return False
        last.calls += new.calls
        if new.turn.id:
            self._by_id[new.turn.id] = last
        return True
