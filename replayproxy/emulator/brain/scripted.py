"""Replies that a file says; for all that it does not say, another brain is asked.

Rules:
1. Limits come before rules; the first rule that fits and is not used up answers.
2. Counting is by order of arrival: requests that come at the same time share the counts as they come.
3. A request for several choices counts once; its further choices get what the first one got.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain.citing import citations
from replayproxy.emulator.brain.default import counted
from replayproxy.emulator.brain.failures import failure, rate_limited
from replayproxy.emulator.brain.replies import Answer, Call, Error, Script
from replayproxy.emulator.brain.templates import filled, filled_value
from replayproxy.emulator.brain.tool_choice import call_of, parameters_of, tool_name
from replayproxy.emulator.brain.turns import KeptBrain, Reply, ToolCall, Turn

__all__ = ["ScriptedBrain"]

_Values = Mapping[str, str]
#: Stands for an argument that is left out.
_NOTHING: Final = object()


class ScriptedBrain:
    """Answers by a script; `otherwise` answers what no rule does."""

    def __init__(self, script: Script, otherwise: KeptBrain) -> None:
        self._script, self._otherwise = script, otherwise
        self._used = Counter[int]()
        self._asked = Counter[tuple[int, str]]()
        self._last: tuple[int, Answer] | None = None
        self._refused: Problem | None = None

    async def reply(self, turn: Turn) -> Reply:
        """The reply to a turn."""
        if turn.choice == 0:
            self._refused = self._limited(turn)
        if self._refused is not None:
            return Reply(error=self._refused)
        chosen = self._chosen(turn)
        if chosen is None:
            return await self._otherwise.reply(turn)
        answer, values = chosen
        said = counted(turn, _said(answer, turn, values)) if answer.says else await self._otherwise.reply(turn)
        return _changed(answer, said)

    def reset(self) -> None:
        """Forgets what was asked: rules and limits begin anew."""
        self._used.clear()
        self._asked.clear()
        self._last = self._refused = None
        self._otherwise.reset()

    async def close(self) -> None:
        """Closes what answers otherwise."""
        await self._otherwise.close()

    def _chosen(self, turn: Turn) -> tuple[Answer, _Values] | None:
        """The answer of the rule that fits, and the values for its templates."""
        if turn.choice:
            if self._last is None:
                return None
            place, answer = self._last
            return answer, self._script.rules[place].when.found(turn) or {}
        self._last = None
        for place, rule in enumerate(self._script.rules):
            values, found = rule.when.found(turn), rule.answer(self._used[place])
            if values is not None and found is not None:
                self._used[place] += 1
                self._last = place, found
                return found, values
        return None

    def _limited(self, turn: Turn) -> Problem | None:
        """What a request is refused with that is one too many; all limits for its model count it."""
        refused = None
        for place, limit in enumerate(self._script.limits):
            if fnmatchcase(turn.model, limit.model):
                key = place, turn.model if limit.per_model else ""
                if limit.is_over(self._asked[key]):
                    refused = refused or rate_limited(turn.model, limit.requests, limit.retry_after)
                self._asked[key] += 1
        return refused


def _said(answer: Answer, turn: Turn, values: _Values) -> Reply:
    """What an answer says by itself."""
    told = tuple(filled(each, values) for each in answer.pieces)
    text = "".join(told) or filled(answer.text or "", values)
    return Reply(
        text,
        tuple(_call(call, turn, values) for call in answer.calls),
        None if answer.refusal is None else filled(answer.refusal, values),
        "tool_calls" if answer.calls else "stop",
        error=_error(answer.error, turn, values) if answer.error else None,
        cited=citations(text, turn.passages),
        run=answer.run,
        pieces=told,
        reason=answer.reason,
    )


def _changed(answer: Answer, reply: Reply) -> Reply:
    """A reply with what an answer says about how it is given."""
    return replace(
        reply,
        finish=answer.finish or reply.finish,
        usage=replace(reply.usage, **answer.usage),
        delay=reply.delay if answer.delay is None else answer.delay,
        cut=reply.cut if answer.cut is None else answer.cut,
    )


def _error(error: Error, turn: Turn, values: _Values) -> Problem:
    message = None if error.message is None else filled(error.message, values)
    return failure(
        error.status,
        turn.model,
        message=message,
        type_=error.type,
        code=error.code,
        param=error.param,
        headers=error.headers or None,
    )


def _call(call: Call, turn: Turn, values: _Values) -> ToolCall:
    name = filled(call.name, values)
    tool = next((each for each in turn.tools if tool_name(each) == name), None)
    if call.arguments is None:
        return call_of(tool, turn) if tool else ToolCall(name, "{}")
    kind: Any = "custom" if tool and tool.get("type") == "custom" else "function"
    if isinstance(call.arguments, str):
        return ToolCall(name, filled(call.arguments, values), kind)
    given = filled_value(call.arguments, values)
    fields = parameters_of(tool).get("properties") or {} if tool else {}
    fitted = {
        key: value if value == call.arguments[key] else _fitted(value, fields.get(key)) for key, value in given.items()
    }
    kept = {key: value for key, value in fitted.items() if value is not _NOTHING}
    return ToolCall(name, json.dumps(kept, ensure_ascii=False, separators=(",", ":")), kind)


def _fitted(value: Any, form: Any) -> Any:
    """A value that came out of a template, made a number or the like where the tool takes no text there."""
    kinds = form.get("type", "string") if isinstance(form, Mapping) else "string"
    if not isinstance(value, str) or "string" in kinds:
        return value
    try:
        return json.loads(value) if value else _NOTHING
    except ValueError:
        return value
