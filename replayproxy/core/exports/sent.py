"""What of a request is worth sending again, before it is spelled in any language.

Rules:
1. No credential is ever in it: where one belongs, the variable `OPENAI_API_KEY` is read when the copy runs.
2. What a client computes anew (lengths, hosts, its own name, codings) is left out, and so is what one connection had.
3. What cannot be sent again as it was is left out and told in a note, never replaced silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from replayproxy.core.exports.json_text import asks_for_stream
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, FileBody, Headers, Request, encode, plain
from replayproxy.core.multipart import Part, parse_multipart
from replayproxy.core.secrets.patterns import PLACEHOLDER

__all__ = ["KEY", "LARGE", "Field", "Sent", "Supplied", "file_name", "is_text", "noted", "sent", "url_of"]

#: The environment variable that has the key.
KEY = "OPENAI_API_KEY"
#: What is larger, in bytes, does not stand in the copy: it is read from a file that the user has to supply.
LARGE = 256 * 1024
#: A field of a form that is longer, in bytes, is none that an argument holds.
_LONGEST_FIELD = 64 * 1024

_COMPUTED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-replayproxy-session",
        "x-replayproxy-token",
    }
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BEARER = re.compile(r"bearer[ \t]+\S", re.IGNORECASE)
_KEY_HEADERS = frozenset({"api-key", "x-api-key"})
_STREAMED_BY_QUERY = re.compile(r"(?:^|&)stream=true(?:&|$)")
# All of ASCII that may stand in a URL, `%` included: what is escaped stays as it is.
_IN_URL = "!$%&'()*+,-./:;=?@_~[]"
_PLAIN_PARTS = frozenset({"content-disposition", "content-type", "content-length"})
_EXTENSIONS = {"application/json": ".json", "multipart/form-data": ".multipart", "text/plain": ".txt"}


@dataclass(frozen=True, slots=True)
class Field:
    """A header: its name, and its value, behind which the key belongs with `key`."""

    name: str
    value: str
    key: bool = False


@dataclass(frozen=True, slots=True)
class Supplied:
    """A body, or a part of one, that the user has to put into a file of that name; `size` counts its bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to send again.

    `url` is absolute and in ASCII; `fields` are the headers that count; `body` is what is sent, `parts` are its parts
    when they can be named one by one (None: not multipart, or too odd to be taken apart); `notes` say what was left
    out or has to be done first, each in one line. `streams`: the answer is to be read as it comes.
    """

    request: Request
    url: str
    fields: tuple[Field, ...]
    body: bytes | Supplied
    parts: tuple[Part, ...] | None
    notes: tuple[str, ...]
    streams: bool

    def field(self, name: str) -> str | None:
        """The value of a header, None when there is none."""
        return next((field.value for field in self.fields if field.name.lower() == name), None)

    @property
    def content_type(self) -> str:
        """The media type with its parameters; empty when there is none."""
        return self.field("content-type") or ""


def sent(request: Request, base_url: str, *, files_only: bool = False) -> Sent:
    """What to send again of a redacted request, to `base_url` (an origin, with or without a path).

    With `files_only`, a part of a form that has a media type has to be a file.
    """
    fields, notes = _fields(request.headers)
    body = _body(request)
    parts = _parts(request)
    if files_only and any(part.filename is None and "content-type" in part.headers for part in parts or ()):
        parts = None
    if isinstance(body, Supplied) and parts is None:
        notes.append(f"put its body of {body.size} bytes into the file {noted(body.name)} first")
    for part in parts or ():
        if len(part.content) > LARGE:
            name, size = noted(file_name(part)), len(part.content)
            notes.append(f"put the {size} bytes of {name} into a file of that name first")
    held = encode(request.target) + (request.body if isinstance(request.body, bytes) else b"")
    if hidden := sorted({found.decode() for found in PLACEHOLDER.findall(held)}):
        notes.append(f"{', '.join(hidden)}: stands for what was redacted before it was stored")
    if parts is not None:  # whoever sends parts makes up a boundary
        fields = [field for field in fields if field.name.lower() != "content-type"]
    streams = asks_for_stream(request) or bool(_STREAMED_BY_QUERY.search(request.query))
    return Sent(request, url_of(base_url, request.target), tuple(fields), body, parts, tuple(notes), streams)


def url_of(base_url: str, target: str) -> str:
    """The URL of a request's target under a base URL, in ASCII."""
    path = target if target.startswith("/") else f"/{target}"
    return base_url.rstrip("/") + quote(encode(path), safe=_IN_URL)


def noted(text: str) -> str:
    """Text of strangers for a comment: on one line, and nothing but what is seen."""
    return "".join(char if char.isprintable() else "?" for char in plain(text))[:200]


def file_name(part: Part) -> str:
    """What a part's file is called here: its name without folders."""
    return re.split(r"[/\\]", part.filename or "")[-1] or f"{part.name}.bin"


def _fields(headers: Headers) -> tuple[list[Field], list[str]]:
    fields, notes = list[Field](), list[str]()
    for name, value in headers:
        lower = name.lower()
        if lower in _COMPUTED or lower.startswith(("x-stainless-", ":")) or (lower, value) == ("accept", "*/*"):
            continue
        if lower == "authorization" and _BEARER.match(value):
            fields.append(Field(name, "Bearer ", key=True))
        elif lower in _KEY_HEADERS:
            fields.append(Field(name, "", key=True))
        elif lower == "authorization" or PLACEHOLDER.search(encode(value)):
            notes.append(f"left out: {noted(name)}, which was redacted before it was stored")
        elif not _TOKEN.fullmatch(name) or _NO_VALUE.search(value):
            notes.append(f"left out: {noted(name)}, which no client sends")
        else:
            fields.append(Field(name, value))
    return fields, notes


def _body(request: Request) -> bytes | Supplied:
    body: Body = request.body
    if isinstance(body, FileBody):
        return Supplied(body.name or "request-body.bin", body.size)
    if len(body) > LARGE:
        return Supplied(f"request-body{_EXTENSIONS.get(media_type(request.headers).essence, '.bin')}", len(body))
    return body


def _parts(request: Request) -> tuple[Part, ...] | None:
    """The parts of a form, when a name, a file's name and a media type say all there is to say of each."""
    if isinstance(request.body, FileBody) or media_type(request.headers).essence != "multipart/form-data":
        return None
    parts = parse_multipart(request.headers, request.body)
    if not parts or not all(_is_plain(part) for part in parts):
        return None
    return parts


def _is_plain(part: Part) -> bool:
    texts = (part.name or "", part.filename or "", part.headers.get("content-type") or "")
    if not part.name or not all(text.isprintable() for text in texts):
        return False
    if part.filename is None and (len(part.content) > _LONGEST_FIELD or not is_text(part.content)):
        return False
    return all(name.lower() in _PLAIN_PARTS for name, _ in part.headers)


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8 without NUL."""
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False
