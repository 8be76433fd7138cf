"""The answers that replayproxy gives in its own name, all in the API's error envelope."""

from __future__ import annotations

from pathlib import PurePath

from aiohttp import web

from replayproxy.core.envelope import error_body
from replayproxy.core.messages import Headers, Response, encode
from replayproxy.core.problem import Problem
from replayproxy.core.session import Miss
from replayproxy.errors import (
    CassetteError,
    ConfigError,
    ReplayProxyError,
    TooManySessionsError,
    UpstreamError,
    UpstreamTimeoutError,
)
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.intake import TooLargeError
from replayproxy.proxy.limits import OVERLOADED, SpoolFullError
from replayproxy.proxy.noting import Told
from replayproxy.proxy.policy import Policy
from replayproxy.proxy.wire import Reply

__all__ = [
    "INTERACTION_HEADER",
    "OUTCOME_HEADER",
    "client_stalled",
    "internal_error",
    "marks",
    "missed",
    "no_session",
    "no_tunnel",
    "not_taken",
    "own_response",
    "refused",
    "send_own",
    "too_large",
    "unasked",
    "unreadable",
    "upstream_failed",
]

OUTCOME_HEADER, INTERACTION_HEADER, MISS_HEADER = (
    "x-replayproxy-outcome",
    "x-replayproxy-interaction",
    "x-replayproxy-miss",
)
_FAILED = (OUTCOME_HEADER, "failed")
#: 424: client libraries retry 409, 429 and 5xx, and apps handle 404 for reasons of their own.
MISS_STATUS = 424
_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    424: "Failed Dependency",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
}
_REASONS |= {500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable"}
_REASONS |= {504: "Gateway Timeout", 505: "HTTP Version Not Supported"}


def own_response(problem: Problem) -> Response:
    """The answer that tells of a problem, as the API would."""
    body = error_body(problem)
    headers = Headers.of(("content-type", "application/json"), ("content-length", str(len(body))))
    if problem.type == OVERLOADED:
        headers = headers.plus(("retry-after", "1"))
    return Response(problem.status, _REASONS.get(problem.status, ""), headers, body)


def marks(exchange: Exchange) -> Headers:
    """The headers that tell what answered."""
    told = Headers.of((OUTCOME_HEADER, exchange.outcome))
    return told.plus((INTERACTION_HEADER, str(exchange.number))) if exchange.number else told


async def send_own(exchange: Exchange, problem: Problem, *more: tuple[str, str], ends: bool = False) -> Reply:
    """Answers with a problem; `more` are further headers. With `ends` the connection ends behind it."""
    response = own_response(problem)
    exchange.status, exchange.answer = problem.status, Told(response)
    return await _sent(exchange.raw, response, *marks(exchange), *more, keep_alive=not ends)


def unasked(problem: Problem) -> bytes:
    """The bytes of an answer to a request that nobody could read; the connection ends behind it."""
    response = own_response(problem)
    headers = response.headers.plus(_FAILED, ("connection", "close"))
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *[f"{name}: {value}" for name, value in headers.pairs]]
    return encode("\r\n".join(lines)) + b"\r\n\r\n" + error_body(problem)


async def no_session(raw: web.BaseRequest, error: ReplayProxyError) -> Reply:
    """Answers a request whose session cannot be opened: a name that is none, a cassette that cannot be read."""
    if isinstance(error, TooManySessionsError):
        problem = _of_session(str(error), 429, "too_many_sessions")
    elif isinstance(error, ConfigError):
        problem = _of_session(str(error), 400, "bad_session")
    else:
        problem = unreadable(error)
    return await _sent(raw, own_response(problem), _FAILED, ("x-should-retry", "false"))


async def refused(raw: web.BaseRequest, problem: Problem, *more: tuple[str, str], ends: bool = True) -> Reply:
    """Answers a request that may not come in, and ends its connection unless told otherwise; `more` are further
    headers."""
    return await _sent(raw, own_response(problem), _FAILED, *more, keep_alive=not ends)


async def _sent(raw: web.BaseRequest, response: Response, *more: tuple[str, str], keep_alive: bool = True) -> Reply:
    body = response.body if isinstance(response.body, bytes) else b""
    headers = response.headers.plus(*more)
    reply = Reply(raw, response.status, response.reason, headers, length=len(body), keep_alive=keep_alive)
    await reply.end(body)
    return reply


def unreadable(error: ReplayProxyError) -> Problem:
    """The cassette, or what answers in it, cannot be read. Where the file lies is for the log alone."""
    told = str(error)
    if isinstance(error, CassetteError):
        place = f"{PurePath(error.path).name}:{error.line}".removesuffix(":0").removeprefix(":")
        told = f"{f'{place}: ' if place else ''}{error.what}; replayproxy's log says where that is and what to do"
    return _of_session(told, MISS_STATUS, "cassette_unreadable")


def _of_session(told: str, status: int, code: str) -> Problem:
    return Problem(f"replayproxy: {told}", code=code, status=status, type="replay_session")


async def missed(exchange: Exchange, miss: Miss, message: str) -> Reply:
    """Answers a miss, so that no client tries again."""
    problem = Problem(message, code=miss.reason, status=MISS_STATUS, type="replay_miss")
    return await send_own(exchange, problem, ("x-should-retry", "false"), (MISS_HEADER, miss.reason))


def upstream_failed(upstream: str, error: UpstreamError) -> Problem:
    """The upstream gave no answer: 504 when it took too long, 502 for everything else."""
    late = isinstance(error, UpstreamTimeoutError)
    return Problem(
        f"replayproxy got no answer from the upstream {upstream}: {error}.",
        code="upstream_timeout" if late else "upstream_unreachable",
        status=504 if late else 502,
        type="upstream_error",
    )


def too_large(limit: int) -> Problem:
    """The request's body is longer than allowed."""
    return Problem(
        f"The body of this request is longer than replayproxy takes ({limit} bytes; the setting is limits.body).",
        code="request_too_large",
        status=413,
    )


def not_taken(error: Exception, policy: Policy) -> Problem:
    """Why the body of a request is not taken to its end: it is too large, there is no room for it, it does not come."""
    if isinstance(error, SpoolFullError):
        told = "replayproxy has no room for the body of this request now: too many large ones are under way"
        return Problem(f"{told} ({error.what}).", code="spool_full", status=503, type=OVERLOADED)
    return too_large(policy.body_limit) if isinstance(error, TooLargeError) else client_stalled(policy.idle)


def client_stalled(seconds: float) -> Problem:
    """The client sent nothing more of its body."""
    told = f"Nothing more of the request's body came for {seconds:g} s; the setting is limits.body_timeout."
    return Problem(told, code="request_timeout", status=408)


def no_tunnel() -> Problem:
    """The client takes us for a forward proxy."""
    told = "replayproxy stands in for one API and opens no tunnels: set it as the base URL, not as the HTTP proxy."
    return Problem(told, code="no_tunnel", status=405)


def internal_error() -> Problem:
    """Something of ours broke; the log tells what."""
    return Problem("replayproxy met an error of its own; its log tells more.", status=500, type="proxy_error")
