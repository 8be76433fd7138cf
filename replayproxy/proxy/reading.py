"""One reading of every request: what the parser lets through is held against RFC 9112, whichever parser it is.

Rules:
1. A head that two readers could understand differently is refused: who reads it next must not see other requests in it.
2. Nothing is mended here: what is let through goes on as it came.
3. What is wrong is said in our words; no byte of the request is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, cast

from aiohttp import hdrs, web

from replayproxy.core.messages import encode
from replayproxy.core.problem import Problem
from replayproxy.proxy.hop_by_hop import ESSENTIAL, nominated
from replayproxy.proxy.wire import OWN_TARGET

__all__ = ["misread"]

#: What an API is asked with: aiohttp's C parser knows more methods (and protocols), the Python parser takes any token.
#: Not TRACE: the upstream's echo of the request would show the client what we put on it, such as the upstream's key.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", hdrs.METH_CONNECT})
# RFC 9110 §5.6.2 and §5.5: the bytes of a name, and of a value.
_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TEXT = bytes([*b"\t", *range(0x20, 0x7F), *range(0x80, 0x100)])
# For `bytes.translate`: what is none of these becomes 1.
_NO_TOKEN, _NO_TEXT = (bytes(byte not in allowed for byte in range(256)) for allowed in (_TOKEN, _TEXT))
# Visible ASCII but for the fragment; what browsers take for a slash only where it cannot be one.
_ORIGIN_FORM = re.compile(r"/[!\"$->@-\[\]-~]*(?:\?[!\"$-~]*)?")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
#: Longer bodies cannot be counted in 63 bits; nobody has any.
_LENGTH = re.compile(r"[0-9]{1,18}")
#: What clients say of their connection; nearly all of them the first.
_USUAL = ("keep-alive", "close")


class _Heard(Protocol):
    """What a connection knows of the bytes that came (proxy/front.py): all `_size` of them when they are few, of which
    the request begins `_at` (-1: nobody knows)."""

    _seen: bytes
    _size: int
    _at: int


def misread(raw: web.BaseRequest) -> Problem | None:
    """What in a request's head two readers could understand differently; None when nothing is."""
    return _line(raw) or _fields(raw.raw_headers) or _host(raw) or _length(raw) or _nominations(raw)


# --- the first line


def _line(raw: web.BaseRequest) -> Problem | None:
    major, minor = raw.version
    if major != 1 or minor > 1:
        return _problem("its version is neither HTTP/1.1 nor HTTP/1.0", 505, "http_version_not_supported")
    if raw.method not in METHODS:
        return _unknown_method(raw.method)
    target = raw.raw_path
    if not _ORIGIN_FORM.fullmatch(target) and (told := _odd_target(raw, target)):
        return _problem(told)
    # The Python parser makes methods upper case, the C parser drops blanks and takes other protocols for HTTP.
    if not _heard(cast("_Heard", raw.protocol), encode(f"{raw.method} {target} HTTP/1.{minor}\r\n")):
        return _problem("its first line is not `METHOD TARGET HTTP/1.1` in capital letters with single blanks")
    return None


def _heard(connection: _Heard, line: bytes) -> bool:
    """Whether the bytes of a request begin with this line, as far as that can be told."""
    seen, at = connection._seen, connection._at
    if connection._size != len(seen):
        return True
    if at < 0:
        return line in seen
    # Empty lines before a request are nobody's (RFC 9112 §2.2).
    return seen.startswith(line, at) or (seen[at : at + 1] in b"\r\n" and seen[at:].lstrip(b"\r\n").startswith(line))


def _unknown_method(method: str) -> Problem:
    if method == hdrs.METH_TRACE:
        told = "it is TRACE, whose answer would show the request with all that it bears at the upstream, a key too"
    else:
        told = f"it is none of {', '.join(sorted(METHODS - {hdrs.METH_CONNECT}))}"
    return Problem(
        f"replayproxy does not take the method of this request: {told}.", code="method_not_implemented", status=501
    )


def _odd_target(raw: web.BaseRequest, target: str) -> str:
    if raw.method == hdrs.METH_CONNECT or (raw.method == hdrs.METH_OPTIONS and target == "*"):
        return ""
    if target.startswith("/"):
        return "its target has a blank, a fragment (#), a backslash or bytes that have to be percent-encoded"
    own = OWN_TARGET.match(target)
    if own is None or own["authority"].lower() != raw.headers.get(hdrs.HOST, "").lower():
        return "its target names another host than its Host field: replayproxy is no forward proxy"
    path = target[own.end() :]
    if not _ORIGIN_FORM.fullmatch(path if path.startswith("/") else f"/{path}"):
        return "its target has a blank, a fragment (#), a backslash or bytes that have to be percent-encoded"
    return ""


# --- the fields


def _fields(fields: Sequence[tuple[bytes, bytes]]) -> Problem | None:
    if not fields:
        return None
    names, values = zip(*fields)  # noqa: B905 -- they are pairs
    if b"" in names or 1 in b"".join(names).translate(_NO_TOKEN):
        return _problem("a header field's name is not made of the characters that names have")
    if 1 in b"".join(values).translate(_NO_TEXT):
        return _problem("a header field's value has control characters in it")
    return None


def _host(raw: web.BaseRequest) -> Problem | None:
    hosts = raw.headers.getall(hdrs.HOST, ())
    if len(hosts) > 1:
        return _problem("it has more than one Host field")
    if not hosts and raw.version >= (1, 1):
        return _problem("it has no Host field")
    if hosts and not _HOST.fullmatch(hosts[0]):
        return _problem("its Host field is not the name of a host, with or without a port")
    return None


def _length(raw: web.BaseRequest) -> Problem | None:
    """RFC 9112 §6.1 to §6.3: either a length or the one coding that tells where the body ends."""
    lengths, codings = raw.headers.getall(hdrs.CONTENT_LENGTH, ()), raw.headers.getall(hdrs.TRANSFER_ENCODING, ())
    if not codings:
        if len(lengths) > 1:
            return _problem("it has more than one Content-Length field")
        if lengths and not _LENGTH.fullmatch(lengths[0]):
            return _problem("its Content-Length is no number, or too large a one")
        return None
    if lengths:
        return _problem("it has both Content-Length and Transfer-Encoding")
    if raw.version < (1, 1):
        return _problem("it has Transfer-Encoding, which HTTP/1.0 does not know")
    if len(codings) > 1 or not codings[0].isascii() or codings[0].lower() != "chunked":
        last = codings[-1].rpartition(",")[2].strip(" \t").lower()
        status = 501 if last == "chunked" and len(codings) == 1 else 400
        return _problem("its Transfer-Encoding is not `chunked` and nothing else", status)
    return None


def _nominations(raw: web.BaseRequest) -> Problem | None:
    """Fields that say what a request is may not be called the connection's own, which nobody passes on."""
    values = raw.headers.getall(hdrs.CONNECTION, ())
    if not values or (len(values) == 1 and values[0] in _USUAL):
        return None
    if not ESSENTIAL.isdisjoint(nominated(values)):
        return _problem("its Connection field names one that is for the other end, such as Content-Length or Host")
    return None


def _problem(told: str, status: int = 400, code: str = "bad_request_framing") -> Problem:
    return Problem(f"replayproxy does not take this request, which can be misread: {told}.", code=code, status=status)
