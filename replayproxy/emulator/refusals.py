"""What the API says to a request that reaches no operation, and to one without a good key."""

from __future__ import annotations

import base64

from replayproxy.core.catalog import Operation
from replayproxy.core.messages import Request
from replayproxy.core.problem import Problem

__all__ = ["key_problem", "not_emulated", "server_error", "too_large", "unknown_url", "unreadable", "wrong_method"]

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the "
    "API from your browser and are prompted for a username and password. You can obtain an API key from "
    "https://platform.openai.com/account/api-keys."
)
_WRONG_KEY = (
    "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys."
)
_SERVER_ERROR = (
    "The server had an error processing your request. Sorry about that! You can retry your request, or contact us "
    "through our help center at help.openai.com if you keep seeing this error. (Please include the request ID {id} in "
    "your email.)"
)
#: How much of a key the API repeats: the first eight characters and the last four.
_KEY_HEAD, _KEY_TAIL = 8, 4


def key_problem(request: Request, keys: frozenset[str]) -> Problem | None:
    """What is wrong with the key of a request; with no `keys` to choose from, any key is good."""
    key = _key_of(request)
    if not key:
        return Problem(_NO_KEY, status=401)
    if keys and key not in keys:
        return Problem(_WRONG_KEY.format(key=_masked(key)), code="invalid_api_key", status=401)
    return None


def _key_of(request: Request) -> str:
    """The key in a bearer's token, in the password of Basic authentication, or in Azure's header; "" for none."""
    scheme, _, token = (request.headers.get("authorization") or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(token, validate=True).decode("utf-8", "replace").partition(":")[2]
        except ValueError:
            return ""
    return (request.headers.get("api-key") or "").strip()


def unknown_url(request: Request) -> Problem:
    """The API has no such path."""
    return Problem(f"Invalid URL ({request.method} {request.path})", status=404)


def wrong_method(request: Request) -> Problem:
    """The API has the path, but not for this method."""
    hint = "(HINT: Perhaps you meant to use a different HTTP method?)"
    return Problem(f"Not allowed to {request.method} on {request.path}. {hint}", status=405)


def not_emulated(operation: Operation) -> Problem:
    """The API has the operation; the emulator has not."""
    message = (
        f"The emulator does not serve {operation.id} ({operation.method} {operation.template}). "
        "Use another upstream for it."
    )
    return Problem(message, code="not_emulated", status=501, type="server_error")


def too_large(limit: int) -> Problem:
    """The body is larger than the emulator takes."""
    return Problem(f"Request body too large. The emulator takes bodies of at most {limit} bytes.", status=413)


def unreadable() -> Problem:
    """The body is not what its headers say: a content coding that does not decode, a chunk without an end."""
    return Problem("Could not read the body of your request: it is not encoded as its headers say.")


def server_error(request_id: str) -> Problem:
    """The emulator itself is at fault."""
    return Problem(_SERVER_ERROR.format(id=request_id), status=500, type="server_error")


def _masked(key: str) -> str:
    hidden = len(key) - _KEY_HEAD - _KEY_TAIL
    return f"{key[:_KEY_HEAD]}{'*' * hidden}{key[-_KEY_TAIL:]}" if hidden > 0 else key
