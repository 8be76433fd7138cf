"""Answers that are complete, as HTTP: status, headers and bytes as the API has them.

Facts about headers: recordings of the real API (`openai-version`, `openai-processing-ms`, `openai-organization`,
`x-request-id` in nearly all of them).
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web

from replayproxy.core.envelope import error_body
from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Events, Raw, Told
from replayproxy.emulator.brain import Failure
from replayproxy.openai_api import catalog

__all__ = ["head_of", "response_of"]

_HEADERS = {
    "openai-version": "2020-10-01",
    "openai-organization": "user-emulator",
    "openai-processing-ms": "5",
    "Server": "replayproxy-emulator",  # aiohttp would name its version and Python's, which differ between machines
}


def head_of(request_id: str, more: Mapping[str, str], media_type: str) -> dict[str, str]:
    """The headers of an answer of a media type."""
    return {"Content-Type": media_type, **_HEADERS, "x-request-id": request_id, **more}


def response_of(answer: Answer, request_id: str, path: str) -> web.Response:
    """The response to a request for `path`."""
    if isinstance(answer, Problem):
        return _refusal(answer, request_id, path)
    if isinstance(answer, Raw):
        headers = head_of(request_id, answer.headers, answer.media_type)
        return web.Response(status=answer.status, body=answer.content, headers=headers)
    assert not isinstance(answer, Events), "streams are not written in one go"  # noqa: S101 -- for the type checker
    told = answer if isinstance(answer, Told) else Told(answer)
    body = orjson.dumps(told.json, option=orjson.OPT_INDENT_2)
    return web.Response(status=told.status, body=body, headers=head_of(request_id, told.headers, "application/json"))


def _refusal(problem: Problem, request_id: str, path: str) -> web.Response:
    more: dict[str, str] = dict(problem.headers) if isinstance(problem, Failure) else {}
    if problem.status == 401:
        more["WWW-Authenticate"] = 'Bearer realm="OpenAI API"'
    if problem.status == 501:
        more["x-should-retry"] = "false"  # clients would ask again, and it will not be there then either
    if problem.status == 405:
        more["Allow"] = ", ".join(catalog().methods(path))
    headers = head_of(request_id, more, "application/json")
    return web.Response(status=problem.status, body=error_body(problem), headers=headers)
