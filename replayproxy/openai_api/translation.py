"""pydantic's errors as the API's one problem.

Which of several problems is the first? The API's own order is not known in full; ours is fixed: in each object, a
parameter it does not know goes first (in the body's order), then its declared parameters in their declared order, each
with all that is inside it. Models say what pydantic cannot by raising `fault`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from replayproxy.core import wording
from replayproxy.core.problem import Problem

if TYPE_CHECKING:
    from replayproxy.openai_api.models.objects import ApiObject

__all__ = ["fault", "first_problem", "tag"]

_EXPECTED = {"string_type": "a string", "int_type": "an integer", "bool_type": "a boolean"}


def fault(say: Callable[[str], Problem], *inside: str) -> PydanticCustomError:
    """An error for a validator to raise; `say` tells the problem given its path, `inside` is the end of that path."""
    return PydanticCustomError("api", "not as the API wants it", {"say": say, "inside": inside})


def tag(name: str) -> str:
    """A union's tag for its branch `name`; told from parameters in an error's place by its brackets."""
    return f"<{name}>"


def first_problem(model: type[ApiObject], body: object) -> Problem | None:
    """The first thing wrong with `body`, a parsed JSON value, by `model`; None when it is right."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        return _problem(error.errors(include_url=False)[0])
    return None


def _problem(error: ErrorDetails) -> Problem:
    context = error.get("ctx", {})
    if error["type"] == "api":
        say: Callable[[str], Problem] = context["say"]
        return say(_path((*error["loc"], *context["inside"])))
    return _standard(error["type"], _path(error["loc"]), error["input"], context)


def _standard(kind: str, path: str, value: Any, context: dict[str, Any]) -> Problem:
    if kind == "missing":
        return wording.missing(path)
    if kind == "literal_error":
        return _enumeration(path, value, re.findall("'([^']*)'", str(context["expected"])))
    if kind in _EXPECTED:
        return wording.wrong_type(path, _EXPECTED[kind], value)
    if kind == "string_too_long":
        return wording.string_too_long(path, context["max_length"], len(value))
    if kind == "greater_than_equal":
        return wording.below_minimum(path, context["ge"], value)
    if kind == "less_than_equal":
        return wording.above_maximum(path, context["le"], value)
    return wording.invalid(path)


def _enumeration(path: str, value: object, supported: list[str]) -> Problem:
    if isinstance(value, str):
        return wording.unsupported_value(path, value, supported)
    return wording.wrong_type(path, wording.one_of(supported), value)


def _path(place: Sequence[int | str]) -> str:
    """`("attachments", 0, "tools")` as `attachments[0].tools`, without the tags of unions."""
    path = ""
    for step in place:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not step.startswith("<"):
            path += f".{step}" if path else step
    return path
