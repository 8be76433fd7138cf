"""Bodies that are carried and not looked into: they count by their bytes, and nothing in them is checked."""

from __future__ import annotations

import orjson

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, FileBody, Headers

__all__ = ["DEPTH_LIMIT", "unread"]

#: JSON that is nested deeper counts by its bytes (core/bodies.py, rule 2): orjson writes no more levels.
DEPTH_LIMIT = 254


def unread(headers: Headers, body: Body) -> str:
    """Why a body is not looked into; "" when it is, or when there is nothing in it to look into."""
    if isinstance(body, FileBody) or len(body) > PARSE_LIMIT:
        return f"larger than {PARSE_LIMIT // 2**20} MiB"
    # Most have not even so many brackets, which is counted at once.
    if len(body) <= DEPTH_LIMIT or body.count(b"[") + body.count(b"{") <= DEPTH_LIMIT:
        return ""
    return "nested too deep" if media_type(headers).is_json and _is_too_deep(body) else ""


def _is_too_deep(body: bytes) -> bool:
    try:
        orjson.dumps(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        return "limit" in str(error)  # any other one means that it is no JSON
    except orjson.JSONEncodeError:
        return True
    return False
