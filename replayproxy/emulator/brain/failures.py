"""Failures as the API tells them: by status, with what a client needs to try again.

Sources of the sentences: error bodies quoted in public issue threads, and recordings of the real API. How the headers
are spelled: recordings (`x-ratelimit-reset-requests: 12ms`, `6m0s`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from replayproxy.emulator.brain.turns import Failure

__all__ = ["failure", "rate_limited", "retry_headers", "spelled"]


class _Usual(NamedTuple):
    """What the API says with a status."""

    message: str
    type: str
    code: str | None = None


_REQUEST = "invalid_request_error"
_USUAL: Final[Mapping[int, _Usual]] = {
    400: _Usual("Invalid request.", _REQUEST),
    401: _Usual(
        "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
        _REQUEST,
        "invalid_api_key",
    ),
    403: _Usual("You are not allowed to sample from this model.", _REQUEST),
    404: _Usual("The model `{model}` does not exist or you do not have access to it.", _REQUEST, "model_not_found"),
    500: _Usual(
        "The server had an error processing your request. Sorry about that! You can retry your request, or contact us "
        "through our help center at help.openai.com if you keep seeing this error.",
        "server_error",
    ),
    503: _Usual("The engine is currently overloaded, please try again later.", "server_error", "overloaded"),
}
_RATE: Final = (
    "Rate limit reached for {model} in organization org-emulator on requests per min (RPM): Limit {limit}, "
    "Used {limit}, Requested 1. Please try again in {wait}. "
    "Visit https://platform.openai.com/account/rate-limits to learn more."
)
_TOO_MANY: Final = 429
_FIRST_SERVER_ERROR: Final = 500


def failure(
    status: int,
    model: str,
    *,
    message: str | None = None,
    type_: str | None = None,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Failure:
    """The failure with a status; what is not given is what the API usually says with it."""
    usual = _usual(status, model)
    return Failure(
        usual.message if message is None else message,
        param,
        usual.code if code is None else code,
        status,
        type_ or usual.type,
        headers=dict(usual.headers if headers is None else headers),
    )


def _usual(status: int, model: str) -> Failure:
    if status == _TOO_MANY:
        return rate_limited(model, 1, 1.0)
    message, type_, code = _USUAL.get(status) or _USUAL[500 if status >= _FIRST_SERVER_ERROR else 400]
    return Failure(message.replace("{model}", model), None, code, status, type_)


def rate_limited(model: str, limit: int, wait: float) -> Failure:
    """More than `limit` requests came; one may come again after `wait` seconds."""
    headers = {
        "x-ratelimit-limit-requests": str(limit),
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": spelled(wait),
        **retry_headers(wait),
    }
    message = _RATE.format(model=model, limit=limit, wait=spelled(wait))
    return Failure(message, None, "rate_limit_exceeded", _TOO_MANY, "requests", headers=headers)


def retry_headers(wait: float) -> dict[str, str]:
    """The headers that say after how many seconds to try again; in whole ones too, for those who read only these."""
    return {"retry-after": str(math.ceil(wait)), "retry-after-ms": str(round(wait * 1000))}


def spelled(wait: float) -> str:
    """Seconds as the API spells them: `20ms`, `1.5s`, `6m0s`."""
    if wait < 1:
        return f"{round(wait * 1000)}ms"
    return f"{wait:g}s" if wait < 60 else f"{int(wait // 60)}m{wait % 60:g}s"
