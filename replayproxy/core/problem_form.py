"""What the validator found, in an interaction's document: read with a line for every complaint, and written."""

from __future__ import annotations

from typing import Any, TypeVar

from replayproxy.core.fields import check_keys, check_status, get_text, line_of, sequence_in
from replayproxy.core.problem import Problem
from replayproxy.core.yaml_read import Mapping
from replayproxy.errors import CassetteError

__all__ = ["get_problems", "problem_fields"]

_T = TypeVar("_T", str, bool)

_PROBLEM = Problem("")
_KEYS = ("message", "param", "code", "status", "type", "warning", "side", "event")


def get_problems(mapping: Mapping) -> tuple[Problem, ...]:
    """The problems of an interaction."""
    items = sequence_in(mapping, "problems")
    return tuple(_problem(item, line) for item, line in zip(items, items.lines, strict=True))


def _problem(item: Any, line: int) -> Problem:
    if not isinstance(item, Mapping):
        raise CassetteError("a problem is not a mapping", line=line)
    check_keys(item, _KEYS, "a problem")
    param, code = (get_text(item, key) if key in item else None for key in ("param", "code"))
    answer = _one_of(item, "side", ("request", "response"), "request") == "response"
    return Problem(
        get_text(item, "message"),
        param,
        code,
        check_status(item.get("status", _PROBLEM.status), line_of(item, "status")),
        get_text(item, "type", _PROBLEM.type),
        warning=answer or _one_of(item, "warning", (True, False), False),
        side="response" if answer else "request",
        event=_event(item),
    )


def _one_of(item: Mapping, key: str, choices: tuple[_T, _T], otherwise: _T) -> _T:
    found: _T = item.get(key, otherwise)
    if found not in choices or type(found) is not type(otherwise):
        what = f"`{key}` of a problem is neither {choices[0]} nor {choices[1]}"
        raise CassetteError(what, line=line_of(item, key), cure="Remove it, or record again")
    return found


def _event(item: Mapping) -> int:
    number = item.get("event", 0)
    if type(number) is not int or number < 0:
        what = "`event` of a problem is not the number of an event"
        raise CassetteError(what, line=line_of(item, "event"), cure="Remove it, or record again")
    return number


def problem_fields(problem: Problem) -> dict[str, Any]:
    """The form of a problem in the file; what an answer has is a warning always, and not said to be one."""
    answer = problem.side == "response"
    fields: dict[str, Any] = {
        "side": problem.side if answer else None,
        "event": problem.event or None,
        "message": problem.message,
        "param": problem.param,
        "code": problem.code,
        "status": problem.status if problem.status != _PROBLEM.status else None,
        "type": problem.type if problem.type != _PROBLEM.type else None,
        "warning": True if problem.warning and not answer else None,
    }
    return {key: value for key, value in fields.items() if value is not None}
