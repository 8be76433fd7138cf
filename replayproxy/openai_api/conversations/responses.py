"""Conversations by responses: chained by `previous_response_id`, by a conversation, or by carrying all input along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from replayproxy.core.journal import Entry
from replayproxy.openai_api.conversations.answers import Answer
from replayproxy.openai_api.conversations.chains import Chain, Chains
from replayproxy.openai_api.conversations.said import Said, item
from replayproxy.openai_api.conversations.shapes import listed, mapping, parsed, text
from replayproxy.openai_api.conversations.values import Conversation
from replayproxy.openai_api.usage import Usage

__all__ = ["Responses"]

_Key = tuple[str, str]


class Responses:
    """Takes exchanges whose path has `responses` or `conversations` in it."""

    def __init__(self) -> None:
        self._chains = Chains("responses")
        self._found: dict[int, Chain] = {}
        #: By session and id: the chain, and the exchange that made the response.
        self._made: dict[_Key, tuple[Chain, int]] = {}
        self._named: dict[_Key, Chain] = {}

    def finished(self) -> Iterator[Conversation]:
        """The conversations."""
        return (chain.finished() for chain in self._found.values())

    def take_response(self, entry: Entry, rest: tuple[str, ...]) -> None:
        """Takes an exchange; `rest` are the segments of its path behind `responses`."""
        answer = Answer(entry)
        value = _response(answer)
        if rest:
            self._reread(entry, rest, value)
            return
        body = parsed(entry.request.body)
        if entry.request.method != "POST" or not isinstance(body, dict):
            return
        own = text(value, "id")
        known = self._made.get((entry.session, own)) if own else None
        if known is not None:
            known[0].took(entry)
            return
        chain = self._asked(entry, body, value, answer)
        chain.count(own or entry.number, Usage.read(value.get("usage")))
        self._found[id(chain)] = chain
        if own:
            self._made[entry.session, own] = chain, entry.number

    def take_conversation(self, entry: Entry, rest: tuple[str, ...]) -> None:
        """Takes an exchange; `rest` are the segments of its path behind `conversations`."""
        answer = Answer(entry)
        value = answer.value
        own = rest[0] if rest else text(value, "id")
        if not own or (entry.status >= 400 and not rest):
            return
        chain = self._conversation(entry.session, own)
        chain.took(entry)
        if refused := answer.refusal:
            chain.turns.fail(refused, entry)
            return
        if not rest:
            for each in _items(listed(parsed(entry.request.body), "items")):
                chain.turns.say(each, entry)
        elif rest[1:2] == ("items",):
            _read_items(chain, entry, value, newest_first=entry.request.method == "GET")

    def _asked(self, entry: Entry, body: dict[str, Any], value: dict[str, Any], answer: Answer) -> Chain:
        asked = _input(body)
        answers = [] if entry.status >= 400 else _output(value, answer)
        previous = text(body, "previous_response_id")
        named = text(body, "conversation") or text(mapping(body, "conversation"), "id")
        instructions = text(body, "instructions")
        if not (previous or named):
            begun = [Said("system", instructions), *asked] if instructions else asked
            chain = self._chains.take(entry, begun, answers, answer.refusal)
            chain.instructions = instructions
            return chain
        chain, branch = self._conversation(entry.session, named), 0
        if not named:
            chain, made = self._previous(entry, previous)
            branch = made if made != chain.latest else 0
        chain.took(entry)
        if instructions and instructions != chain.instructions:
            asked = [Said("system", instructions), *asked]
            chain.instructions = instructions
        for said in asked:
            chain.turns.say(said, entry, branch=branch)
            branch = 0
        for said in answers:
            chain.turns.say(said, entry, answered=True)
        chain.turns.fail(answer.refusal, entry)
        return chain

    def _previous(self, entry: Entry, previous: str) -> tuple[Chain, int]:
        """The chain of an earlier response; one that nobody saw is the beginning of a chain."""
        key = entry.session, previous
        if key not in self._made:
            self._made[key] = Chain("responses", entry.session, f"responses.{entry.number}"), 0
        return self._made[key]

    def _conversation(self, session: str, own: str) -> Chain:
        chain = self._named.setdefault((session, own), Chain("conversation", session, own))
        if own:
            self._found[id(chain)] = chain
        return chain

    def _reread(self, entry: Entry, rest: tuple[str, ...], value: dict[str, Any]) -> None:
        """A response that is asked for again: in the background it is answered only then."""
        key = entry.session, rest[0]
        if key not in self._made:
            if text(value, "object") != "response" or rest[1:]:
                return
            chain = Chain("responses", entry.session, f"responses.{entry.number}")
            self._made[key], self._found[id(chain)] = (chain, entry.number), chain
        chain, _ = self._made[key]
        chain.took(entry)
        if text(value, "object") == "response":
            for said in _items(listed(value, "output")):
                if said.id:
                    chain.turns.say(said, entry, answered=True)
            chain.count(rest[0], Usage.read(value.get("usage")))


def _response(answer: Answer) -> dict[str, Any]:
    """The response of an answer; of a stream, as its last event has it."""
    if not answer.is_stream:
        return answer.value
    told = [mapping(each.value, "response") for each in answer.objects if isinstance(each.value.get("response"), dict)]
    return told[-1] if told else {}


def _input(body: dict[str, Any]) -> list[Said]:
    given = body.get("input")
    return [Said("user", given)] if isinstance(given, str) else list(_items(listed(body, "input")))


def _output(value: dict[str, Any], answer: Answer) -> list[Said]:
    """What was answered; of a stream that broke off, the items that were completed and the text of the last one."""
    if not answer.is_stream or listed(value, "output"):
        return list(_items(listed(value, "output")))
    done = [mapping(each.value, "item") for each in answer.objects if each.event == "response.output_item.done"]
    said = list(_items(done))
    known = {each.id for each in said}
    return said + [each for each in answer.said_so_far() if each.id not in known]


def _items(items: list[dict[str, Any]]) -> Iterator[Said]:
    return (said for each in items if (said := item(each)) is not None)


def _read_items(chain: Chain, entry: Entry, value: dict[str, Any], *, newest_first: bool) -> None:
    """A list of items, or one; each goes before the next one when that is known."""
    items = listed(value, "data") or [value]
    if not newest_first or "order=asc" in entry.request.query:
        items.reverse()
    later = ""
    for said in _items(items):
        if said.id and (said.text or said.calls or said.outputs or said.images):
            chain.turns.say(said, entry, before=later)
            later = said.id
