"""A body in the most readable form that gives the same bytes back, and the bytes of each form.

Rules:
1. A form is tried by media type (`events`, `json`, `form`, `multipart`), then `text`, then `base64`; it is taken only
   when what it stands for is the body, byte for byte.
2. Bodies over the inline limit go to a file beside the cassette, named by content; event streams stay, up to
   `EVENTS_LIMIT`. An empty body has no form.
3. An edited body is honoured: what stands there is what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from replayproxy.core.bodies import BodyDigest
from replayproxy.core.codings import CODINGS
from replayproxy.core.event_form import EVENTS_LIMIT, read_events, write_events
from replayproxy.core.fields import (
    check_headers,
    check_keys,
    from_base64,
    get_text,
    line_of,
    mapping_in,
    seconds,
    sequence_in,
    spelled_seconds,
    to_base64,
)
from replayproxy.core.json_layout import COMPACT, Layout, parse_layout, read, render
from replayproxy.core.media_types import MediaType, media_type
from replayproxy.core.messages import Body, Chunk, FileBody, Headers
from replayproxy.core.multipart_form import read_multipart, write_multipart
from replayproxy.core.yaml_emit import Unwritable, block
from replayproxy.core.yaml_read import Mapping
from replayproxy.errors import CassetteError

__all__ = ["FILE_NAME", "FORMS", "file_extension", "read_body", "write_body"]

#: The forms, of which a body has at most one.
FORMS = ("json", "events", "form", "multipart", "text", "base64", "file")

#: What the name of a body's file may be: never a path.
FILE_NAME = re.compile(r"[A-Za-z0-9](?!.*\.\.)[A-Za-z0-9._-]{0,127}")

_KNOWN = frozenset({"layout", "boundary", "epilogue", *FORMS})
_KNOWN_OF_ANSWERS = _KNOWN | {"coding", "chunks"}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_KEY_LIMIT = 300
_EXTENSIONS = {
    "application/json": ".json",
    "application/jsonl": ".jsonl",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/csv": ".csv",
    "text/event-stream": ".sse",
    "text/html": ".html",
    "text/plain": ".txt",
}


def file_extension(headers: Headers) -> str:
    """The ending of the name of a body's file, dot included."""
    return _EXTENSIONS.get(media_type(headers).essence, ".bin")


def write_body(
    headers: Headers, body: Body, chunks: tuple[Chunk, ...] = (), coding: str = "", *, inline_limit: int
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The entries of a body's mapping, and the files to be written beside the cassette (by name)."""
    size = body.size if isinstance(body, FileBody) else len(body)
    if chunks and sum(chunk.size for chunk in chunks) != size:
        raise CassetteError(f"the chunks of an answer do not add up to its {size} bytes")
    entries = dict[str, Any]()
    if coding:
        _check_coding(coding)
        entries["coding"] = coding
    media = media_type(headers)
    if isinstance(body, bytes) and media.essence == "text/event-stream" and 0 < size <= EVENTS_LIMIT:
        events = write_events(body, chunks)
        if events is not None:
            return entries | events, {}
    if chunks:
        entries["chunks"] = [[spelled_seconds(chunk.at, "at"), chunk.size] for chunk in chunks]
    if isinstance(body, FileBody):
        return entries | _file(body), {}
    if size > inline_limit:
        name = sha256(body).hexdigest()[:32] + file_extension(headers)
        digest = BodyDigest(headers)
        digest.feed(body)
        return entries | _file(FileBody(name, size, digest.hexdigest())), {name: body}
    return entries | _inline(headers, media, body), {}


def read_body(
    mapping: Mapping, read_file: Callable[[FileBody], Body], *, of_answer: bool
) -> tuple[Body, tuple[Chunk, ...], str]:
    """The body, its chunks and its coding."""
    check_keys(mapping, _KNOWN_OF_ANSWERS if of_answer else _KNOWN, "a body")
    forms = [form for form in FORMS if form in mapping]
    if len(forms) > 1:
        cure = f"Keep one of {' and '.join(forms)}"
        raise CassetteError("a body has more than one form", line=max(mapping.lines[form] for form in forms), cure=cure)
    coding = get_text(mapping, "coding")
    _check_coding(coding, line_of(mapping, "coding"))
    if forms == ["events"]:
        return *read_events(sequence_in(mapping, "events"), _layout(mapping)), coding
    body = _file_content(mapping, read_file) if forms == ["file"] else _content(mapping)
    return body, _read_chunks(mapping, body), coding


def _check_coding(coding: str, line: int = 0) -> None:
    check_headers([("content-encoding", coding)], line)
    if coding and coding.strip().lower() not in CODINGS:
        cure = f"Write {', '.join(sorted(CODINGS))}, or remove it"
        raise CassetteError(f"no coding is called {coding!r:.80}", line=line, cure=cure)


def _inline(headers: Headers, media: MediaType, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    entries: dict[str, Any] | None = None
    if media.is_form:
        entries = _write_form(body)
    elif media.is_multipart:
        entries = write_multipart(headers, body, _write_content)
    return entries or _write_content(headers, body)


def _write_content(headers: Headers, body: bytes) -> dict[str, Any]:
    """What a body or a part can be by itself: JSON, text or bytes."""
    if not body:
        return {}
    found = read(body) if media_type(headers).is_json else None
    if found is not None:
        try:
            return _named(found[1]) | {"json": block(found[0])}
        except Unwritable:
            pass
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"base64": to_base64(body)}
    return {"text": text} if 10 * len(_CONTROLS.findall(text)) <= len(text) else {"base64": to_base64(body)}


def _content(mapping: Mapping) -> bytes:
    """The bytes of the form that stands in the mapping of a body or a part."""
    if "json" in mapping:
        return render(mapping["json"], _layout(mapping))
    if "form" in mapping:
        return _read_form(mapping)
    if "multipart" in mapping:
        return read_multipart(mapping, sequence_in(mapping, "multipart"), _part_content)
    if "base64" in mapping:
        return from_base64(mapping["base64"], line_of(mapping, "base64"))
    return get_text(mapping, "text").encode()


def _part_content(part: Mapping) -> bytes:
    if sum(form in part for form in FORMS) > 1:
        raise CassetteError("a part has more than one form", line=part.line, cure="Keep one of them")
    return _content(part)


def _named(layout: Layout) -> dict[str, Any]:
    return {} if layout == COMPACT else {"layout": layout.name}


def _layout(mapping: Mapping) -> Layout:
    name = get_text(mapping, "layout", "compact")
    try:
        return parse_layout(name)
    except ValueError as error:
        cure = "Write compact, spaced or indent N, then flags"
        raise CassetteError(str(error), line=line_of(mapping, "layout"), cure=cure) from error


def _write_form(body: bytes) -> dict[str, Any] | None:
    """Fields as browsers and Python encode them; `layout: percent` where a blank is %20."""
    try:
        pairs = [piece.split("=") for piece in body.decode("ascii").split("&")]
        fields = [(unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")) for name, value in pairs]
    except ValueError:  # not ASCII, not UTF-8, or a piece that is not one name and one value
        return None
    items = [{name: value} for name, value in fields]
    if any(len(name) > _KEY_LIMIT for name, _ in fields):
        return None
    if _form_bytes(fields, "plus") == body:
        return {"form": items}
    return {"layout": "percent", "form": items} if _form_bytes(fields, "percent") == body else None


def _form_bytes(fields: list[tuple[str, str]], layout: str) -> bytes:
    escape = quote if layout == "percent" else quote_plus
    return "&".join(f"{escape(name, safe='')}={escape(value, safe='')}" for name, value in fields).encode()


def _read_form(mapping: Mapping) -> bytes:
    fields = list[tuple[str, str]]()
    items = sequence_in(mapping, "form")
    for item, line in zip(items, items.lines, strict=True):
        if not isinstance(item, Mapping) or len(item) != 1:
            raise CassetteError("a field is not one `name: value`", line=line)
        fields += [(name, get_text(item, name)) for name in item]
    layout = get_text(mapping, "layout", "plus")
    if layout not in ("plus", "percent"):
        raise CassetteError(f"no layout of a form is called {layout!r:.80}", line=line_of(mapping, "layout"))
    return _form_bytes(fields, layout)


def _file(body: FileBody) -> dict[str, Any]:
    _check_file_name(body.name, 0)
    return {"file": {"name": body.name, "size": body.size, "digest": body.digest}}


def _file_content(mapping: Mapping, read_file: Callable[[FileBody], Body]) -> Body:
    found = mapping_in(mapping, "file")
    check_keys(found, ("name", "size", "digest"), "a file")
    name, size, line = get_text(found, "name"), found.get("size"), line_of(found, "name")
    _check_file_name(name, line)
    if type(size) is not int or size < 0:
        raise CassetteError("'size' is not a number of bytes", line=line_of(found, "size"))
    try:
        return read_file(FileBody(name, size, get_text(found, "digest")))
    except CassetteError as error:
        raise CassetteError(error.what, line=line, cure=error.cure) from error


def _check_file_name(name: str, line: int) -> None:
    if not FILE_NAME.fullmatch(name):
        raise CassetteError(
            f"{name!r:.80} is not a plain file name", line=line, cure="Files stand beside the cassette only"
        )


def _read_chunks(mapping: Mapping, body: Body) -> tuple[Chunk, ...]:
    items = sequence_in(mapping, "chunks")
    chunks = list[Chunk]()
    for item, line in zip(items, items.lines, strict=True):
        if not isinstance(item, list) or len(item) != 2 or type(item[1]) is not int or item[1] < 0:
            raise CassetteError("a chunk is not [seconds, size]", line=line)
        chunks.append(Chunk(seconds(item[0], "chunks", line), item[1]))
    size = body.size if isinstance(body, FileBody) else len(body)
    # An edited body is no longer cut up as it was.
    return tuple(chunks) if sum(chunk.size for chunk in chunks) == size else ()
