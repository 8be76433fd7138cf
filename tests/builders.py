"""Values that tests are made of, with sensible defaults for whatever a test does not care about."""

from __future__ import annotations

import json
from typing import Any

from replayproxy.core.cassette import Interaction
from replayproxy.core.messages import Body, Headers, Request, Response

JSON = Headers.of(("Content-Type", "application/json"))


def request(
    method: str = "POST", target: str = "/v1/threads", body: Any = None, headers: Headers | None = None
) -> Request:
    """A request; a body that is neither bytes nor None goes as JSON."""
    return Request(method, target, JSON if headers is None else headers, _body(body))


def response(status: int = 200, body: Any = None, headers: Headers | None = None, **more: Any) -> Response:
    """An answer, likewise."""
    return Response(status, "", JSON if headers is None else headers, _body(body), **more)


def interaction(asked: Request | None = None, answered: Response | None = None, **more: Any) -> Interaction:
    """A recorded exchange."""
    return Interaction(asked or request(), answered or response(), **more)


def _body(body: Any) -> Body:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()
