"""Conversations out of a journal.

Rules:
1. Nothing raises, whatever bodies hold; one that is larger than `shapes.LARGEST` is not looked into.
2. What it costs grows with the size of what is read, and not with the number of conversations.
3. Sessions are kept apart: the same thread played in two of them is two conversations.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from replayproxy.core.journal import Entry
from replayproxy.openai_api.conversations.chats import Chats
from replayproxy.openai_api.conversations.responses import Responses
from replayproxy.openai_api.conversations.threads import Threads
from replayproxy.openai_api.conversations.values import Conversation

__all__ = ["conversations"]

_THREADS, _CHAT, _RESPONSES, _CONVERSATIONS = "threads", "completions", "responses", "conversations"


def conversations(entries: Iterable[Entry]) -> tuple[Conversation, ...]:
    """The conversations that exchanges, the oldest first, belong to; the one that went on last is the first."""
    threads, chats, responses = Threads(), Chats(), Responses()
    for entry in entries:
        segments = tuple(map(unquote, entry.request.path.split("/")))
        at = next((place for place, name in enumerate(segments) if name in _PLACES), -1)
        if at < 0:
            continue
        name, rest = segments[at], segments[at + 1 :]
        if name == _THREADS:
            threads.take(entry, rest)
        elif name == _RESPONSES:
            responses.take_response(entry, rest)
        elif name == _CONVERSATIONS:
            responses.take_conversation(entry, rest)
        elif segments[at - 1] == "chat":
            chats.take(entry, rest)
    found = [*threads.finished(), *chats.finished(), *responses.finished()]
    return tuple(sorted(found, key=lambda each: each.exchanges[-1] if each.exchanges else 0, reverse=True))


_PLACES = frozenset({_THREADS, _CHAT, _RESPONSES, _CONVERSATIONS})
