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

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson

from replayproxy.core.bodies import parse_form
from replayproxy.core.media_types import essence, media_type
from replayproxy.core.messages import FileBody, Request
from replayproxy.core.multipart import Part, parse_multipart
from replayproxy.core.parameters import header_problem, path_problem, query_problem
from replayproxy.core.problem import UNREAD, Call, Problem
from replayproxy.core.text_values import structure, typed

if TYPE_CHECKING:
    from replayproxy.core.catalog import Operation, Resolved
    from replayproxy.core.schemas import Schema

__all__ = ["checked_call", "problems"]


_JSON = "application/json"
_NO_PARTS = "Could not parse the multipart body of your request: no boundary in its content type, or no end."
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


def problems(request: Request, resolved: Resolved) -> tuple[Problem, ...]:
    """What is wrong with `request`, a call to `resolved`: one problem, the first, or none. It may be a warning."""
    call = _read_call(request, resolved)
    found = call if isinstance(call, Problem) else _checked(call, request, resolved)
    return (found,) if found else ()


def checked_call(request: Request, resolved: Resolved) -> Call | Problem:
    """`request` as the call that `resolved` says it is, or the first thing wrong with it, warnings left out."""
    call = _read_call(request, resolved)
    if isinstance(call, Problem):
        return call
    found = _checked(call, request, resolved)
    return call if found is None or found.warning else found


def _checked(call: Call, request: Request, resolved: Resolved) -> Problem | None:
    operation = resolved.operation
    query = query_problem(call, operation, resolved.base.query)
    problem = path_problem(call, operation) or header_problem(request, operation)
    if problem or (query and not query.warning):
        return problem or query
    return _body_problem(call, request, operation) or query


def _body_problem(call: Call, request: Request, operation: Operation) -> Problem | None:
    if operation.check is not None:
        return operation.check(call)
    if call.body is UNREAD or not (request.body or operation.body_required):
        return None
    schema = operation.bodies[_media_of(request) or _JSON]
    return schema.request_problem(call.body, frozen=operation.frozen)


def _media_of(request: Request) -> str:
    """The media type that a request says its body has; "" when it says none, or has no body."""
    given = request.headers.get("content-type") if request.body else None
    return given if given == _JSON else essence(given or "")


def _read_call(request: Request, resolved: Resolved) -> Call | Problem:
    operation = resolved.operation
    if operation.beta and not resolved.base.query:  # who names the version in the query needs no header for it
        beta = _beta_problem(request, operation)
        if beta:
            return beta
    body = _read_body(request, operation) if operation.bodies else UNREAD
    if isinstance(body, Problem):
        return body
    if resolved.implied and isinstance(body, dict):
        body = {**resolved.implied, **body}
    query = tuple(parse_qsl(request.query, keep_blank_values=True)) if "?" in request.target else ()
    return Call(resolved.params, query, body)


def _read_body(request: Request, operation: Operation) -> object:
    """The body as JSON has it, UNREAD when it is nothing of the kind, a problem when it should be and is not."""
    media = _media_of(request)
    schema = operation.bodies.get(media or _JSON)
    if schema is None:
        return _wrong_media(request, operation) if media else UNREAD
    if isinstance(request.body, FileBody):
        return UNREAD
    if media not in ("", _JSON):
        kind = media_type(request.headers)
        if kind.is_multipart or kind.is_form:
            return _read_fields(request, schema)
        if not kind.is_json:
            return UNREAD
    try:
        return orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        return Problem(_MALFORMED)


def _read_fields(request: Request, schema: Schema) -> object:
    assert isinstance(request.body, bytes)  # noqa: S101 -- for the type checker
    if media_type(request.headers).is_form:
        return typed(structure(parse_form(request.body)), schema.form, schema.definitions)
    parts = parse_multipart(request.headers, request.body)
    if parts is None:
        return Problem(_NO_PARTS)
    named = ((part.name, _content(part)) for part in parts if part.name is not None)
    return typed(structure(named), schema.form, schema.definitions)


def _content(part: Part) -> str:
    """What a part says: its text, or the name of the file that it is."""
    return part.filename if part.filename is not None else part.content.decode("utf-8", "replace")


def _beta_problem(request: Request, operation: Operation) -> Problem | None:
    for value in request.headers.all("openai-beta"):
        if value == operation.beta or operation.beta in map(str.strip, value.split(",")):
            return None
    return Problem(_BETA.format(beta=operation.beta), code="invalid_beta")


def _wrong_media(request: Request, operation: Operation) -> Problem:
    given = request.headers.get("content-type")
    accepted = "' and '".join(operation.bodies)
    return Problem(_CONTENT_TYPE.format(given=given, accepted=accepted), code="unsupported_content_type")
