"""A chat completion before it has a form: who asked for what, and what the model says, choice by choice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Reply, Turn, Usage
from replayproxy.emulator.records import Json
from replayproxy.emulator.state import State

__all__ = ["Completion", "ask", "options_of", "reply_of", "stopped"]

_OPTIONS = (
    *("temperature", "top_p", "frequency_penalty", "presence_penalty", "stop", "seed", "logit_bias"),
    *("reasoning_effort", "verbosity", "prediction", "web_search_options", "user"),
)


@dataclass(frozen=True, slots=True)
class Completion:
    """A request (`body`) and its answer: `replies` in the order of the choices; `model` as the answer names it."""

    id: str
    created: int
    model: str
    body: Json
    replies: tuple[Reply, ...]
    seed: str | int = 0

    @property
    def usage(self) -> Usage:
        """Tokens of all choices; the prompt counts once."""
        first = self.replies[0].usage
        return replace(
            first,
            completion=sum(reply.usage.completion for reply in self.replies),
            reasoning=sum(reply.usage.reasoning for reply in self.replies),
        )

    @property
    def legacy(self) -> bool:
        """Whether it was asked with `functions`, which came before tools."""
        return bool(self.body.get("functions"))


async def ask(state: State, body: Json) -> tuple[Reply, ...] | Problem:
    """What the model says to a valid request for a chat completion, as often as it is asked; or what went wrong."""
    replies = []
    for choice in range(body.get("n") or 1):
        reply = await reply_of(state, _turn(body, choice))
        if isinstance(reply, Problem):
            return reply
        replies.append(stopped(reply, body.get("stop")))
    return tuple(replies)


async def reply_of(state: State, turn: Turn) -> Reply | Problem:
    """The reply to a turn, once it is due; or the error that it is."""
    reply = await state.brain.reply(turn)
    if reply.delay:
        await asyncio.sleep(reply.delay)
    return reply if reply.error is None else reply.error


def stopped(reply: Reply, stop: str | list[str] | None) -> Reply:
    """A reply that ends before the first of the texts in `stop`."""
    marks = [stop] if isinstance(stop, str) else stop or []
    places = [place for place in (reply.text.find(mark) for mark in marks if mark) if place >= 0]
    return replace(reply, text=reply.text[: min(places)], pieces=(), finish="stop") if places else reply


def _turn(body: Json, choice: int) -> Turn:
    tools = tuple(body.get("tools") or ()) or tuple(
        {"type": "function", "function": function} for function in body.get("functions") or ()
    )
    tool_choice = body.get("tool_choice") or body.get("function_call")
    if isinstance(tool_choice, dict) and "type" not in tool_choice:
        tool_choice = {"type": "function", "function": tool_choice}
    return Turn(
        body["model"],
        tuple(body["messages"]),
        tools,
        tool_choice,
        body.get("response_format"),
        choice=choice,
        limit=body.get("max_completion_tokens") or body.get("max_tokens"),
        parallel=body.get("parallel_tool_calls") is not False,
        options=options_of(body),
    )


def options_of(body: Json) -> Json:
    """What else a request says to a model."""
    return {name: body[name] for name in _OPTIONS if body.get(name) is not None}
