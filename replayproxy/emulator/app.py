"""The emulator as an aiohttp application: reads a request, finds its operation, writes the answer.

One order of looking, the API's: unknown URL, key, method, then what `core.validation` finds, then the operation.
"""

from __future__ import annotations

import logging

import orjson
from aiohttp import ClientPayloadError, web

from replayproxy.core.envelope import error_body
from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Problem
from replayproxy.core.validation import checked_call
from replayproxy.emulator import messages, refusals, threads
from replayproxy.emulator.family import Answer, Handler
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.openai_api import catalog

__all__ = ["HANDLERS", "MAX_BODY", "STATE", "create_app"]

#: The largest body that is taken, in bytes.
MAX_BODY = 512 * 2**20
#: What each operation does, by its id; what is missing here answers 501.
HANDLERS: dict[str, Handler] = dict((*threads.ROUTES, *messages.ROUTES))
STATE = web.AppKey("STATE", State)

_HEADERS = {
    "Content-Type": "application/json",
    "openai-version": "2020-10-01",
    "openai-processing-ms": "5",
    "Server": "replayproxy-emulator",  # aiohttp would name its version and Python's, which differ between machines
}
_log = logging.getLogger(__name__)


def create_app(settings: EmulatorSettings | None = None) -> web.Application:
    """An emulator with a memory of its own; two with equal settings answer equal requests alike, `Date` excepted."""
    app = web.Application(client_max_size=MAX_BODY)
    app[STATE] = State(settings or EmulatorSettings())
    app.router.add_route("*", "/{path:.*}", _serve)
    return app


async def _serve(http: web.Request) -> web.Response:
    state = http.app[STATE]
    request = await _read(http)
    request_id = state.request_id()
    try:
        answer = request if isinstance(request, Problem) else _answer(state, request)
        return _response(answer, request_id, http.raw_path)
    except Exception:
        _log.exception("%s %s failed", http.method, http.path)
        return _response(refusals.server_error(request_id), request_id, http.raw_path)


async def _read(http: web.Request) -> Request | Problem:
    try:
        body = await http.read()
    except web.HTTPRequestEntityTooLarge:
        return refusals.too_large(MAX_BODY)
    except (ClientPayloadError, web.RequestPayloadError):
        return refusals.unreadable()
    return Request(http.method, http.raw_path, Headers.from_raw(http.raw_headers), body)


def _answer(state: State, request: Request) -> Answer:
    if not catalog().methods(request.path):
        return refusals.unknown_url(request)
    problem = refusals.key_problem(request, state.settings.api_keys)
    if problem:
        return problem
    resolved = catalog().resolve(request.method, request.path)
    if resolved is None:
        return refusals.wrong_method(request)
    call = checked_call(request, resolved)
    if isinstance(call, Problem):
        return call
    handler = HANDLERS.get(resolved.operation.id)
    return handler(state, call) if handler else refusals.not_emulated(resolved.operation)


def _response(answer: Answer, request_id: str, path: str) -> web.Response:
    headers = {**_HEADERS, "x-request-id": request_id}
    if not isinstance(answer, Problem):
        return web.Response(body=orjson.dumps(answer, option=orjson.OPT_INDENT_2), headers=headers)
    if answer.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="OpenAI API"'
    if answer.status == 501:
        headers["x-should-retry"] = "false"  # clients would ask again, and it will not be there then either
    if answer.status == 405:
        headers["Allow"] = ", ".join(catalog().methods(path))
    return web.Response(status=answer.status, body=error_body(answer), headers=headers)
