"""The token of the admin port: whoever changes something there shows it.

Rule: it is a secret. It comes from the environment or is made at the start, never from the settings; it is told to the
command of `run` and to the ready file, and to nobody else.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

from replayproxy.errors import StartError

__all__ = [
    "SECURITY_SCHEMES",
    "TOKEN_ABOUT",
    "TOKEN_HEADER",
    "TOKEN_NEEDED",
    "TOKEN_VARIABLE",
    "admin_token",
    "secured",
    "shows",
]

#: The header field that holds it, and the variable that says what it is.
TOKEN_HEADER, TOKEN_VARIABLE = "x-replayproxy-token", "REPLAYPROXY_ADMIN_TOKEN"
#: What whoever shows none is told.
TOKEN_NEEDED = (
    f"this needs the admin token, in the header {TOKEN_HEADER}. The ready file (--ready-file) has it as admin_token,"
    f" and the command of `replayproxy run` as {TOKEN_VARIABLE}; where that variable is set when replayproxy starts, it"
    " says what the token is"
)
_LEAST = 16


def admin_token(environ: Mapping[str, str]) -> str:
    """The token that the environment says, or a new one. StartError when it says one that is too easy to guess."""
    given = environ.get(TOKEN_VARIABLE, "").strip()
    if not given:
        return secrets.token_urlsafe(24)
    if len(given) < _LEAST:
        raise StartError(f"the value of {TOKEN_VARIABLE} is too short: it takes {_LEAST} characters or more")
    if not re.fullmatch("[!-~]+", given):
        raise StartError(f"the value of {TOKEN_VARIABLE} holds characters that a header cannot carry")
    return given


def shows(raw: web.BaseRequest, token: str) -> bool:
    """Whether a request shows the token, in its own header or as a bearer token."""
    given = list(raw.headers.getall(TOKEN_HEADER, ()))
    for value in raw.headers.getall(hdrs.AUTHORIZATION, ()):
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "bearer":
            given.append(credentials.strip())
    expected = token.encode()
    return any(hmac.compare_digest(each.encode("utf-8", "surrogateescape"), expected) for each in given)


# --- as the description of the admin API has it

TOKEN_ABOUT = (
    f"What changes something takes the admin token in the header {TOKEN_HEADER}, and so does everything but health and"
    " readiness where the port does not listen on loopback."
)
SECURITY_SCHEMES: dict[str, Any] = {
    "token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def secured(paths: dict[str, Any]) -> dict[str, Any]:
    """The described paths, with the token where they need it, and what comes without."""
    refusal = {
        "description": "The token is missing or wrong.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    return {
        path: {method: told if method == "get" else _needing(told, refusal) for method, told in methods.items()}
        for path, methods in paths.items()
    }


def _needing(operation: dict[str, Any], refusal: dict[str, Any]) -> dict[str, Any]:
    responses = dict(sorted({**operation["responses"], "401": refusal}.items()))
    return {**operation, "security": [{name: []} for name in SECURITY_SCHEMES], "responses": responses}
