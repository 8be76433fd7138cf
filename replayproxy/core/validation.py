"""What is wrong with a message, told as the API tells it.

Rules:
1. One problem only, the first, in the order in which the API looks: beta header, content type, JSON, ids in the path,
   query, body.
2. Nothing that a client can send raises. A body that the parser cannot hold (nested too deep, lone surrogates, not
   UTF-8) is malformed JSON.
3. An empty body counts as an empty object, of whatever type it is said to be: many clients name a type for the
   nothing that they send. A body kept in a file is not looked into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

import orjson

from replayproxy.core.messages import FileBody, Request

if TYPE_CHECKING:
    from replayproxy.core.catalog import Operation, Resolved

__all__ = ["UNREAD", "Call", "Check", "Problem", "Unread", "checked_call", "problems"]


class Unread(Enum):
    """The type of `UNREAD`."""

    UNREAD = "unread"


#: Stands for a body that was not read as JSON.
UNREAD = Unread.UNREAD

_BETA = (
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: {beta}'."
)
_MALFORMED = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "
    "figuring out how to fix this, please contact us through our help center at help.openai.com.)"
)
_CONTENT_TYPE = (
    "Unsupported content type: '{given}'. This API method only accepts '{accepted}' requests, but you specified the "
    "header 'Content-Type: {given}'. Please try again with a supported content type."
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a message, in the fields of the API's error envelope.

    `param` is the path of what is wrong (`attachments[0].tools`) or None, `code` the API's error code or None.
    """

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400
    type: str = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class Call:
    """A request as an operation sees it: decoded path parameters and query, and the body read as JSON or UNREAD."""

    params: Mapping[str, str]
    query: tuple[tuple[str, str], ...] = ()
    body: object = UNREAD


class Check(Protocol):
    """Finds the first thing wrong with a call to one operation; must not raise for anything a client can send."""

    def __call__(self, call: Call) -> Problem | None: ...


def problems(request: Request, resolved: Resolved) -> tuple[Problem, ...]:
    """What is wrong with `request`, a call to `resolved`: one problem, the first, or none."""
    outcome = checked_call(request, resolved)
    return (outcome,) if isinstance(outcome, Problem) else ()


def checked_call(request: Request, resolved: Resolved) -> Call | Problem:
    """`request` as the call that `resolved` says it is, or the first thing wrong with it."""
    call = _read_call(request, resolved)
    check = resolved.operation.check
    if isinstance(call, Problem) or check is None:
        return call
    return check(call) or call


def _read_call(request: Request, resolved: Resolved) -> Call | Problem:
    operation = resolved.operation
    body: object = UNREAD
    header = _beta_problem(request, operation) or _content_type_problem(request, operation)
    if header:
        return header
    if operation.accepts == "application/json" and not isinstance(request.body, FileBody):
        try:
            body = orjson.loads(request.body or b"{}")
        except orjson.JSONDecodeError:
            return Problem(_MALFORMED)
    return Call(resolved.params, tuple(parse_qsl(request.query, keep_blank_values=True)), body)


def _beta_problem(request: Request, operation: Operation) -> Problem | None:
    given = {token.strip() for value in request.headers.all("openai-beta") for token in value.split(",")}
    if operation.beta and operation.beta not in given:
        return Problem(_BETA.format(beta=operation.beta), code="invalid_beta")
    return None


def _content_type_problem(request: Request, operation: Operation) -> Problem | None:
    given = request.headers.get("content-type")
    if (
        not operation.accepts
        or not given
        or not request.body
        or given.partition(";")[0].strip().lower() == operation.accepts
    ):
        return None
    return Problem(_CONTENT_TYPE.format(given=given, accepted=operation.accepts), code="unsupported_content_type")
