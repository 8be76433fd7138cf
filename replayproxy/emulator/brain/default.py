"""The reply of a model that is none: sensible, and the same each time.

What is looked at, in order: the tools (tool_choice.py), the `response_format`, results of tools, passages found by file
search, and else the user's last message, which the reply quotes.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Final

from replayproxy.emulator.brain.citing import citations, marker
from replayproxy.emulator.brain.conversation import attachments, last_user_text, results_of, text_of
from replayproxy.emulator.brain.filling import example
from replayproxy.emulator.brain.tokens import count, count_messages
from replayproxy.emulator.brain.tool_choice import called
from replayproxy.emulator.brain.turns import Passage, Reply, Turn, Usage
from replayproxy.emulator.brain.words import cut

__all__ = ["DefaultBrain", "counted"]

#: Characters of what is quoted.
_QUOTED: Final = 200
#: How many passages an answer refers to.
_CITED: Final = 2
#: Tokens that a model which thinks before it answers spends on it.
_THOUGHT: Final = 64
_THINKS: Final = re.compile(r"(?:.*[/:])?(?:o\d|gpt-5(?!-chat))")
_SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]?")


class DefaultBrain:
    """Calls tools that are asked for, fills forms, cites what was found, and else says what it was asked."""

    async def reply(self, turn: Turn) -> Reply:
        """The reply to a turn, with its tokens counted."""
        calls = called(turn)
        if calls:
            return counted(turn, Reply(tool_calls=calls, finish="tool_calls"))
        text = _formed(turn)
        return counted(turn, _limited(turn, Reply(_told(turn) if text is None else text)))

    def reset(self) -> None:
        """There is nothing to forget."""

    async def close(self) -> None:
        """There is nothing to give back."""


def counted(turn: Turn, reply: Reply) -> Reply:
    """A reply with the tokens that it and its turn have."""
    if turn.family == "completions":
        prompt = sum(count(text_of(each.get("content")), turn.model) for each in turn.messages)
    else:
        prompt = count_messages(turn.messages, turn.tools, turn.model)
    prompt += sum(count(passage.text, turn.model) for passage in turn.passages)
    said = count(reply.text, turn.model) + count(reply.refusal or "", turn.model)
    said += sum(count(call.name, turn.model) + count(call.arguments, turn.model) for call in reply.tool_calls)
    room = _THOUGHT if turn.limit is None else max(0, turn.limit - said)
    thought = min(_THOUGHT, room) if _THINKS.match(turn.model) else 0
    return replace(reply, usage=Usage(prompt, said + thought, thought))


def _formed(turn: Turn) -> str | None:
    """JSON, where the turn asks for it."""
    form = turn.response_format or {}
    if form.get("type") == "json_object":
        made: Any = {"answer": _told(turn)}
    elif form.get("type") == "json_schema":
        inside = form.get("json_schema")
        schema = (inside if isinstance(inside, dict) else form).get("schema") or {"type": "object"}
        made = example(schema, last_user_text(turn), turn.choice)
    else:
        return None
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def _told(turn: Turn) -> str:
    """The answer in words."""
    results = results_of(turn)
    if results:
        told = "\n".join(f"{each.name or 'The tool'} gave: {_quoted(each.text)}" for each in results)
    elif turn.passages:
        told = _cited(turn)
    else:
        told = f"{_heard(turn)} This is an emulated answer of {turn.model}."
    return f"{told} (Answer {turn.choice + 1})" if turn.choice else told


def _heard(turn: Turn) -> str:
    asked, came = _quoted(last_user_text(turn)), " and ".join(attachments(turn))
    if asked:
        return f'You said "{asked}"' + (f" and sent {came}." if came else ".")
    return f"You sent {came}." if came else "You said nothing."


def _cited(turn: Turn) -> str:
    """What the passages say about it, each with its marker."""
    asked = last_user_text(turn)
    found = list(enumerate(turn.passages))[:_CITED]
    return "\n".join(
        f'{each.filename} says: "{_quoted(_sentence(each, asked))}"{marker(place, each)}' for place, each in found
    )


def _sentence(passage: Passage, asked: str) -> str:
    """The sentence of a passage that has most words in common with what was asked; the first of equals."""
    words = set(re.findall(r"\w+", asked.lower()))
    sentences = [each.strip() for each in _SENTENCE.findall(passage.text) if each.strip()]
    return max(sentences, key=lambda each: len(words & set(re.findall(r"\w+", each.lower()))), default=passage.text)


def _quoted(text: str) -> str:
    """A text on one line, in part when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED].rstrip()}…"


def _limited(turn: Turn, reply: Reply) -> Reply:
    """A reply with no more tokens than the turn allows, and the passages that its text still refers to."""
    text, finish = reply.text, reply.finish
    if turn.limit is not None and count(text, turn.model) > turn.limit:
        text, finish = _shortened(text, turn.limit, turn.model), "length"
    return replace(reply, text=text, finish=finish, cited=citations(text, turn.passages))


def _shortened(text: str, limit: int, model: str) -> str:
    """The first pieces of a text, as many as have room."""
    kept, room = [], limit
    for piece in cut(text):
        room -= count(piece, model)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept)
