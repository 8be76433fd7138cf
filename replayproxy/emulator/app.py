"""The emulator as an aiohttp application: reads a request, finds its operation, writes the answer.

One order of looking, the API's: unknown URL, key, method, then what `core.validation` finds, then the operation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from functools import partial
from typing import cast

from aiohttp import ClientPayloadError, web

from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Problem
from replayproxy.core.validation import checked_call
from replayproxy.emulator import refusals
from replayproxy.emulator.answers import Answer, Event, Events, Told, event_bytes
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain import Brain
from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.brain.words import StreamCut
from replayproxy.emulator.families import HANDLERS, KINDS, OBSERVERS
from replayproxy.emulator.responding import head_of, response_of
from replayproxy.emulator.state import EmulatorSettings, Keeper, State
from replayproxy.openai_api import catalog

__all__ = ["MAX_BODY", "STATE", "create_app"]

#: The largest body that is taken, in bytes.
MAX_BODY = 512 * 2**20
STATE = web.AppKey("STATE", State)

_log = logging.getLogger(__name__)


def create_app(
    settings: EmulatorSettings | None = None, brain: Brain | None = None, keeper: Keeper | None = None
) -> web.Application:
    """An emulator with a memory of its own; two with equal settings answer equal requests alike, `Date` excepted.

    `brain` answers in the place of models, `keeper` keeps what is remembered.
    """
    app = web.Application(client_max_size=MAX_BODY)
    state = app[STATE] = State(settings or EmulatorSettings(), KINDS, brain or DefaultBrain(), keeper)
    state.dispatch = partial(_answer, state)
    app.router.add_route("*", "/{path:.*}", _serve)
    return app


async def _serve(http: web.Request) -> web.StreamResponse:
    state = http.app[STATE]
    request = await _read(http)
    request_id = state.request_id()
    try:
        answer = request if isinstance(request, Problem) else await _answer(state, request)
        if isinstance(answer, Events):
            return await _stream(http, answer, request_id, state.settings.pace)
        return response_of(answer, request_id, http.raw_path)
    except Exception:
        _log.exception("%s %s failed", http.method, http.path)
        return response_of(refusals.server_error(request_id), request_id, http.raw_path)


async def _read(http: web.Request) -> Request | Problem:
    try:
        body = await http.read()
    except web.HTTPRequestEntityTooLarge:
        return refusals.too_large(MAX_BODY)
    except (ClientPayloadError, web.RequestPayloadError):
        return refusals.unreadable()
    return Request(http.method, http.raw_path, Headers.from_raw(http.raw_headers), body)


async def _answer(state: State, request: Request) -> Answer:
    known = catalog().with_any_ids if state.settings.unknown_ids == "create" else catalog()
    resolved = known.resolve(request.method, request.target)
    if resolved is None and not known.methods(request.target):
        return refusals.unknown_url(request)
    problem = refusals.key_problem(request, state.settings.api_keys)
    if problem:
        return problem
    if resolved is None:
        return refusals.wrong_method(request)
    call = checked_call(request, resolved)
    if isinstance(call, Problem):
        return call
    handler = HANDLERS.get(resolved.operation.id)
    if handler is None:
        return refusals.not_emulated(resolved.operation)
    asked = Asked(request, resolved, call)
    found = handler(state, asked)
    answer = await found if isinstance(found, Awaitable) else found
    if isinstance(answer, Problem):
        return answer
    if isinstance(answer, Events):
        return replace(answer, events=_watched(state, asked, answer))
    if not (isinstance(answer, Told) and answer.status >= 400):
        _tell(state, asked, answer)
    return answer


def _tell(state: State, asked: Asked, answer: Answer) -> None:
    for observe in OBSERVERS:
        observe(state, asked, answer)


async def _watched(state: State, asked: Asked, answer: Events) -> AsyncIterator[Event]:
    """The events as they pass. The observers are told of them when the stream is over, however it ends."""
    passed: list[Event] = []
    try:
        async for event in _each(answer):
            passed.append(event)
            yield event
    finally:
        _tell(state, asked, Events(passed, answer.headers))


async def _stream(http: web.Request, answer: Events, request_id: str, pace: float) -> web.StreamResponse:
    """Writes the events as they come, `pace` seconds apart. One that fails breaks the stream off."""
    response = web.StreamResponse(headers=head_of(request_id, answer.headers, "text/event-stream; charset=utf-8"))
    try:
        await response.prepare(http)
        async for event in _each(answer):
            await response.write(event_bytes(event))
            if pace:
                await asyncio.sleep(pace)
        await response.write_eof()
    except ConnectionError:
        pass  # the client has seen enough
    except StreamCut:
        if http.transport is not None:
            http.transport.close()
    except Exception:
        _log.exception("%s %s failed in its stream", http.method, http.path)
        if http.transport is not None:
            http.transport.abort()
    return response


async def _each(answer: Events) -> AsyncIterator[Event]:
    if hasattr(answer.events, "__aiter__"):
        async for event in cast("AsyncIterator[Event]", answer.events):
            yield event
    else:
        for event in answer.events:
            yield event
