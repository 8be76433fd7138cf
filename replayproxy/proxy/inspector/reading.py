"""What is sent to the inspector as JSON: read whole, and its fields taken out of it.

Rule: nothing that can be sent raises anything but AdminError.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from replayproxy.config.nodes import similar
from replayproxy.core.fields import check_headers, check_method, check_target
from replayproxy.core.messages import Headers, Request
from replayproxy.errors import CassetteError
from replayproxy.proxy.admin_port import AdminError

__all__ = ["SENT_LIMIT", "read_fields", "read_message"]

#: A message that is sent again may hold images; more than a request to the admin port may have otherwise.
SENT_LIMIT = 64 * 1024 * 1024


async def read_fields(request: web.Request, known: Collection[str], limit: int = SENT_LIMIT) -> Mapping[str, Any]:
    """The JSON object that a request holds; an empty one when it holds nothing. AdminError tells what is wrong."""
    pieces, size = list[bytes](), 0
    async for piece in request.content.iter_any():
        size += len(piece)
        if size > limit:
            raise AdminError(413, "too_large", f"this is longer than the {limit:,} bytes that are taken here")
        pieces.append(piece)
    try:
        given = orjson.loads(b"".join(pieces) or b"{}")
    except orjson.JSONDecodeError as error:
        raise AdminError.invalid(("", f"the body is not JSON: {error}")) from None
    if not isinstance(given, dict):
        raise AdminError.invalid(("", "the body is not a JSON object"))
    problems = [(name, f"there is no such field{similar(name, tuple(known))}") for name in given if name not in known]
    if problems:
        raise AdminError.invalid(*problems)
    return given


def read_message(given: Mapping[str, Any]) -> Request:
    """The request that the fields method, target, headers and body spell; AdminError tells all that is wrong."""
    problems = list[tuple[str, str]]()
    method, target = given.get("method", "GET"), given.get("target", "/")
    headers, body = given.get("headers") or [], given.get("body") or {}
    if not isinstance(method, str) or not _fits(check_method, method):
        problems.append(("method", "expected a method such as POST"))
    if not isinstance(target, str) or not target.startswith("/") or not _fits(check_target, target):
        problems.append(("target", "expected a path that begins with a slash, with its query, without blanks"))
    elif "#" in target:
        problems.append(("target", "a `#` has no place in a request: write %23 for it"))
    if not _are_headers(headers):
        problems.append(("headers", 'expected pairs such as ["content-type", "application/json"]'))
    content = _content(body)
    if content is None:
        problems.append(("body", 'expected {"text": …} or {"base64": …}'))
    if problems:
        raise AdminError.invalid(*problems)
    return Request(method, target, Headers.of(*((name, value) for name, value in headers)), content or b"")


def _are_headers(headers: object) -> bool:
    if not isinstance(headers, list) or not all(isinstance(each, list) and len(each) == 2 for each in headers):
        return False
    if not all(isinstance(text, str) for each in headers for text in each):
        return False
    return _fits(check_headers, Headers.of(*((name, value) for name, value in headers)))


def _content(body: object) -> bytes | None:
    if not isinstance(body, dict):
        return None
    if "base64" not in body:
        text = body.get("text", "")
        return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else None
    try:
        return base64.b64decode(body["base64"], validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None


def _fits(check: Any, value: object) -> bool:
    try:
        check(value)
    except CassetteError:
        return False
    return True
