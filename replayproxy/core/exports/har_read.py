"""Interactions from HAR: replayproxy's own, and what Chrome, Firefox, Playwright and mitmproxy write.

Rules:
1. What is missing is taken for unknown; what cannot be an interaction is told with its number and why, never guessed.
2. An answer that is not whole is no answer: one out of a browser's cache, one that was cut, one of which only the head
   is there.
3. Nothing is redacted here: whoever keeps what was read redacts it first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from replayproxy.core import codings
from replayproxy.core.cassette import Interaction
from replayproxy.core.exports.har_facts import Facts, Unusable, exact, facts_of, with_facts
from replayproxy.core.exports.har_times import started, times
from replayproxy.core.fields import from_base64
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.errors import CassetteError, ConfigError

__all__ = ["LeftOut", "Taken", "har_entries", "read_entry"]

_OF_CONNECTION = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: Character sets that a browser has decoded an answer's text from.
_CHARACTER_SETS = {"iso-8859-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252"}
_OWN_ANSWERS = {
    "missed": "replayproxy's own refusal: nothing recorded matched",
    "rejected": "replayproxy's own refusal: the request was invalid",
    "failed": "replayproxy's own answer: the upstream gave none",
    "gone": "the client hung up before the answer was complete",
    "under_way": "the exchange had not ended",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """An interaction out of entry `number` (from 1) of a HAR, whose request went to `origin`; `own`: replayproxy wrote
    the HAR, and said there all that it knew."""

    number: int
    origin: str
    interaction: Interaction
    own: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry of a HAR that is no interaction, and why."""

    number: int
    url: str
    why: str


def har_entries(value: Any) -> list[Any]:
    """The entries of a HAR that was read as JSON. ConfigError when it is none."""
    log = value.get("log") if isinstance(value, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        cure = 'browsers write it with "Save all as HAR"'
        raise ConfigError(f"this is no HAR: it has no list of entries at `log.entries`; {cure}")
    return entries


def read_entry(entry: Any, number: int, origin: str = "") -> Taken | LeftOut:
    """What entry `number` of a HAR holds; what went elsewhere than to `origin` (when given) is left out."""
    url = ""
    try:
        asked, answered = _object(_object(entry, "it"), "the entry").get("request"), entry.get("response")
        asked = _object(asked, "its request")
        url = _text(asked, "url")
        there, target = _place(url)
        if origin and there != origin.lower().rstrip("/"):
            raise Unusable("it went to another origin")
        return Taken(number, there, _interaction(entry, asked, answered, target), facts_of(entry) is not None)
    except Unusable as error:
        return LeftOut(number, url, str(error))


def _interaction(entry: dict[str, Any], asked: dict[str, Any], answered: Any, target: str) -> Interaction:
    facts = facts_of(entry)
    if facts is None:
        _check_kind(entry, asked)
    else:
        _check_own(facts)
    answer = _object(answered, "its answer")
    request = _request(asked, target, facts)
    response = _response(entry, answer, facts)
    spent = times(entry)
    return with_facts(Interaction(request, response, "", started(entry), *spent), facts)


def _check_kind(entry: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raises Unusable for an exchange that no server answered, or that no client of an API would repeat."""
    kind, names = entry.get("_resourceType"), {name.lower() for name, _ in _pairs(asked)}
    method = _text(asked, "method")
    if kind == "preflight" or (method == "OPTIONS" and "access-control-request-method" in names):
        raise Unusable("a CORS preflight, which a browser sends by itself")
    if kind == "websocket" or "_webSocketMessages" in entry:
        raise Unusable("a WebSocket")
    if method == "CONNECT":
        raise Unusable("the opening of a tunnel")
    if entry.get("_fromCache") or entry.get("_fromDiskCache"):
        raise Unusable("answered out of the browser's cache")


def _check_own(facts: dict[str, Any]) -> None:
    """Raises Unusable for an exchange of the journal that holds no answer of an upstream, or not all of it."""
    if why := _OWN_ANSWERS.get(str(facts.get("outcome"))):
        raise Unusable(why)
    if facts.get("cut"):
        raise Unusable("its answer is cut: only the beginning was kept")
    for side in ("request", "response"):
        if f"{side}_file" in facts:
            raise Unusable(f"the body of its {side} is not in the HAR: it lies in a file beside the cassette")


# --- requests


def _place(url: str) -> tuple[str, str]:
    """The origin and the target of an absolute URL."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        raise Unusable("its URL is none of HTTP")
    rest = rest.partition("#")[0]
    end = next((at for at, char in enumerate(rest) if char in "/?"), len(rest))
    host, target = rest[:end].rpartition("@")[2], rest[end:]
    if not host:
        raise Unusable("its URL names no host")
    target = target if target.startswith("/") else f"/{target}"
    return f"{scheme}://{host}".lower(), quote(target, safe="".join(map(chr, range(0x21, 0x7F))))


def _request(asked: dict[str, Any], target: str, facts: Facts) -> Request:
    headers, own_target = _headers(asked, facts), exact(facts, "target")
    body = _posted(asked, headers)
    if facts is None:
        _check_whole(asked, headers, body)
    return Request(_text(asked, "method"), target if own_target is None else own_target, headers, body)


def _check_whole(asked: dict[str, Any], headers: Headers, body: bytes) -> None:
    stated = headers.get("content-length") or ""
    size = int(stated) if stated.isascii() and stated.isdecimal() and len(stated) < 20 else -1
    if size >= 0 and size != len(body):
        raise Unusable(f"its request's body is not whole: {len(body)} of {size} bytes are there")
    if not body and _number(asked, "bodySize") > 0:
        raise Unusable("its request's body is not in the HAR")


def _posted(asked: dict[str, Any], headers: Headers) -> bytes:
    data = asked.get("postData")
    if not isinstance(data, dict):
        return b""
    text, params = data.get("text"), data.get("params")
    if isinstance(text, str) and text:
        if "base64" in (data.get("_encoding"), data.get("encoding")):
            return _unpacked(text, "its request's body")
        return _encoded(text, "utf-8", "its request's body")
    if not isinstance(params, list) or not params:
        return b""
    if not media_type(headers).is_form:
        raise Unusable("its request's body is a form whose files are not in the HAR")
    pairs = [(_text(param, "name"), _text(param, "value")) for param in params if isinstance(param, dict)]
    return urlencode(pairs).encode()


# --- answers


def _response(entry: dict[str, Any], answer: dict[str, Any], facts: Facts) -> Response:
    status = answer.get("status")
    if type(status) is not int or not (200 if facts is None else 100) <= status <= 599:
        raise Unusable("it has no answer" if not status else f"status {status!r:.20} answers no request")
    if answer.get("_error"):
        raise Unusable(f"its answer broke off: {answer['_error']!r:.100}")
    if status == 304 and facts is None:
        raise Unusable("its answer is in the browser's cache (304 Not Modified)")
    headers = _headers(answer, facts)
    body = _answered(answer, headers, _text(entry["request"], "method"), status)
    if facts is None:
        headers, coding = _foreign(headers, headers.get("content-encoding") or "", body)
    else:
        coding = str(facts.get("coding", ""))
    reason = exact(facts, "reason")
    return Response(status, _text(answer, "statusText") if reason is None else reason, headers, body, coding)


def _foreign(headers: Headers, coding: str, body: bytes) -> tuple[Headers, str]:
    """The headers of somebody else's answer, and the coding that was taken off its body."""
    lengths = headers.all("content-length")
    if len(set(lengths)) > 1 or not all(each.isascii() and each.isdecimal() for each in lengths):
        headers = headers.without(["content-length"])
    elif lengths:
        headers = headers.replacing("content-length", lengths[0])
    if coding.strip().lower() in codings.CODINGS and body:
        return headers, coding
    # The text is decoded, and what decoded it is not known here.
    return (headers.without(["content-encoding"]) if body else headers), ""


def _answered(answer: dict[str, Any], headers: Headers, method: str, status: int) -> bytes:
    content = answer.get("content")
    content = content if isinstance(content, dict) else {}
    text, size = content.get("text"), _number(content, "size")
    if not isinstance(text, str):
        if size > 0 and method.upper() != "HEAD" and status != 204:
            raise Unusable(f"its answer's body of {size} bytes is not in the HAR")
        return b""
    if content.get("encoding") == "base64":
        body = _unpacked(text, "its answer's body")
    else:
        charset = media_type(headers).parameters.get("charset", "").lower()
        body = _encoded(text, _CHARACTER_SETS.get(charset, "utf-8"), "its answer's body")
    if len(body) < size:
        raise Unusable(f"its answer is cut: {len(body)} of {size} bytes are there")
    return body


# --- pieces


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unusable(f"{what} is missing" if value is None else f"{what} is no object")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(fields: dict[str, Any], name: str) -> int:
    """A size; -1, which means unknown, is 0."""
    value = fields.get(name)
    return max(int(value), 0) if isinstance(value, int | float) and abs(value) < 2**62 else 0


def _pairs(message: dict[str, Any]) -> list[tuple[str, str]]:
    """The headers of a message as the HAR has them; Chrome puts repeated ones into one, over lines."""
    found, listed = list[tuple[str, str]](), message.get("headers")
    for header in listed if isinstance(listed, list) else ():
        if isinstance(header, dict) and _text(header, "name"):
            name, value = _text(header, "name"), exact(header, "_base64")
            values = _text(header, "value").split("\n") if value is None else [value]
            found += [(name, each.strip("\r")) for each in values]
    return found


def _headers(message: dict[str, Any], facts: Facts) -> Headers:
    pairs = _pairs(message)
    if facts is not None:
        return Headers(tuple(pairs))
    return Headers(tuple(pair for pair in pairs if pair[0][0] != ":" and pair[0].lower() not in _OF_CONNECTION))


def _unpacked(text: str, what: str) -> bytes:
    try:
        return from_base64(text, 0)
    except CassetteError:
        raise Unusable(f"{what} is no base64") from None


def _encoded(text: str, charset: str, what: str) -> bytes:
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        raise Unusable(f"{what} is no text that was ever sent") from None
