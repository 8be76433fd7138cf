"""What the validator found, in an interaction's document: read with a line for every complaint, and written."""

from __future__ import annotations

from typing import Any

from replayproxy.core.fields import check_keys, check_status, get_text, line_of, sequence_in
from replayproxy.core.validation import Problem
from replayproxy.core.yaml_read import Mapping
from replayproxy.errors import CassetteError

__all__ = ["get_problems", "problem_fields"]

_PROBLEM = Problem("")


def get_problems(mapping: Mapping) -> tuple[Problem, ...]:
    """The problems of an interaction."""
    found = list[Problem]()
    items = sequence_in(mapping, "problems")
    for item, line in zip(items, items.lines, strict=True):
        if not isinstance(item, Mapping):
            raise CassetteError("a problem is not a mapping", line=line)
        check_keys(item, ("message", "param", "code", "status", "type"), "a problem")
        param, code = (get_text(item, key) if key in item else None for key in ("param", "code"))
        status = check_status(item.get("status", _PROBLEM.status), line_of(item, "status"))
        found.append(Problem(get_text(item, "message"), param, code, status, get_text(item, "type", _PROBLEM.type)))
    return tuple(found)


def problem_fields(problem: Problem) -> dict[str, Any]:
    """The form of a problem in the file."""
    fields = {"message": problem.message, "param": problem.param, "code": problem.code}
    if problem.status != _PROBLEM.status:
        fields["status"] = problem.status  # type: ignore[assignment]
    if problem.type != _PROBLEM.type:
        fields["type"] = problem.type
    return {key: value for key, value in fields.items() if value is not None}
