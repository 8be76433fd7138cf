"""Conversations by chat completions: every request carries all that was said before."""

from __future__ import annotations

from collections.abc import Iterator

from replayproxy.core.journal import Entry
from replayproxy.openai_api.conversations.answers import Answer
from replayproxy.openai_api.conversations.chains import Chain, Chains
from replayproxy.openai_api.conversations.said import message
from replayproxy.openai_api.conversations.shapes import listed, parsed, text
from replayproxy.openai_api.conversations.values import Conversation
from replayproxy.openai_api.usage import usage_of

__all__ = ["Chats"]


class Chats:
    """Takes exchanges whose path ends in `chat/completions`, and those that read a stored completion."""

    def __init__(self) -> None:
        self._chains = Chains("chat")
        self._found: dict[int, Chain] = {}
        self._stored: dict[tuple[str, str], Chain] = {}

    def take(self, entry: Entry, rest: tuple[str, ...]) -> None:
        """Takes an exchange; `rest` are the segments of its path behind `chat/completions`."""
        if rest:
            if chain := self._stored.get((entry.session, rest[0])):
                chain.took(entry)
            return
        body = parsed(entry.request.body)
        asked = [message(each) for each in listed(body, "messages")]
        if entry.request.method != "POST" or not asked:
            return
        answer = Answer(entry)
        answers = [] if entry.status >= 400 else list(answer.chat_messages())
        chain = self._chains.take(entry, asked, answers, answer.refusal)
        chain.count(entry.number, usage_of(entry.response) if entry.response is not None else None)
        self._found[id(chain)] = chain
        self._stored[(entry.session, text(answer.value, "id"))] = chain

    def finished(self) -> Iterator[Conversation]:
        """The conversations."""
        return (chain.finished() for chain in self._found.values())
