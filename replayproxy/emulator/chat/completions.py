"""The family of completions, which chat completions came after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import DONE, Answer, Event, Events, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain import Reply, Turn, Usage
from replayproxy.emulator.brain.words import StreamCut, cut, pieces
from replayproxy.emulator.chat.headers import model_headers
from replayproxy.emulator.chat.ids import numbered
from replayproxy.emulator.chat.logprobs import BEFORE, logprob, others
from replayproxy.emulator.chat.replies import options_of, reply_of, stopped
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES"]

#: Tokens of an answer of which nothing is said.
_LIMIT = 16
#: What a model goes on from when it is given nothing.
_START = "<|endoftext|>"


def _no_life(_: State, record: Record) -> None:
    """Nothing is kept of a completion, and none can be retrieved."""


_COMPLETION = Kind("completion", "cmpl-", _no_life, 29)
KINDS: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class _Choice:
    """A reply and the text that stands before it."""

    index: int
    before: str
    reply: Reply

    @property
    def tokens(self) -> tuple[str, ...]:
        """What is answered, the echo included."""
        return (*cut(self.before), *pieces(self.reply))


async def _create(state: State, asked: Asked) -> Answer:
    body = asked.body
    choices: list[_Choice] = []
    usage = Usage()
    for prompt in _prompts(body.get("prompt")):
        for number in range(body.get("n") or 1):
            reply = await reply_of(state, _turn(body, prompt, number))
            if isinstance(reply, Problem):
                return reply
            reply = stopped(reply, body.get("stop"))
            choices.append(_Choice(len(choices), prompt if body.get("echo") else "", reply))
            counted = 0 if number else reply.usage.prompt
            usage = Usage(usage.prompt + counted, usage.completion + reply.usage.completion)
    made = numbered(state, _COMPLETION, body)
    headers = model_headers(body["model"], usage.prompt)
    if body.get("stream"):
        return Events(_chunks(made, body, choices, usage), headers)
    answer = _head(made, body) | {"choices": [_choice(body, each) for each in choices], "usage": _usage(usage)}
    return Told(answer, headers=headers)


def _prompts(given: Any) -> list[str]:
    """The texts to go on from, of a text, texts, tokens or lists of tokens; tokens are named by their numbers."""
    if not given or isinstance(given, str):
        return [given or _START]
    if isinstance(given[0], int):
        return [_named(given)]
    return [each if isinstance(each, str) else _named(each) for each in given]


def _named(tokens: Sequence[int]) -> str:
    return " ".join(map(str, tokens))


def _turn(body: Json, prompt: str, choice: int) -> Turn:
    messages: list[Json] = [{"role": "user", "content": prompt}]
    if body.get("suffix"):
        messages.insert(0, {"role": "system", "content": f"What you write is followed by: {body['suffix']}"})
    limit = _LIMIT if body.get("max_tokens") is None else body["max_tokens"]
    options = options_of(body)
    return Turn(body["model"], tuple(messages), family="completions", choice=choice, limit=limit, options=options)


def _head(made: Record, body: Json) -> Json:
    return {"id": made.id, "object": "text_completion", "created": made.created_at, "model": body["model"]}


def _choice(body: Json, choice: _Choice) -> Json:
    return {
        "text": choice.before + choice.reply.text,
        "index": choice.index,
        "logprobs": _logprobs(body, choice.tokens),
        "finish_reason": _finish(choice.reply),
    }


def _finish(reply: Reply) -> str:
    return reply.finish if reply.finish in ("length", "content_filter") else "stop"


def _usage(usage: Usage) -> Json:
    return {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": usage.total}


def _logprobs(body: Json, tokens: Sequence[str]) -> Json | None:
    """The log probabilities of tokens; None when they were not asked for."""
    if body.get("logprobs") is None:
        return None
    chances = [logprob(token, tokens[max(0, place - BEFORE) : place]) for place, token in enumerate(tokens)]
    top = [dict(others(token, chance, body["logprobs"])) for token, chance in zip(tokens, chances, strict=True)]
    offsets = list(accumulate(map(len, tokens), initial=0))[: len(tokens)]
    return {"tokens": list(tokens), "token_logprobs": chances, "top_logprobs": top, "text_offset": offsets}


def _chunks(made: Record, body: Json, choices: Sequence[_Choice], usage: Usage) -> Iterator[Event]:
    """One chunk for each token, one for the end of each choice, and one for the usage when it is asked for.

    Breaks off where a reply is to be cut off.
    """
    counted = bool((body.get("stream_options") or {}).get("include_usage"))
    head, tail = _head(made, body), {"usage": None} if counted else {}
    for choice in choices:
        tokens, chances = choice.tokens, _logprobs(body, choice.tokens) or {}
        for place, token in enumerate(tokens[: choice.reply.cut]):
            own = {name: values[place : place + 1] for name, values in chances.items()} or None
            piece = {"text": token, "index": choice.index, "logprobs": own, "finish_reason": None}
            yield "", head | {"choices": [piece]} | tail
        if choice.reply.cut is not None:
            raise StreamCut
        end = {"text": "", "index": choice.index, "logprobs": None, "finish_reason": _finish(choice.reply)}
        yield "", head | {"choices": [end]} | tail
    if counted:
        yield "", head | {"choices": [], "usage": _usage(usage)}
    yield "", DONE


ROUTES: Routes = (("createCompletion", _create),)
