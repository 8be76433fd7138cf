"""A request as a script with `fetch`, for Node from version 18 on and for browsers."""

from __future__ import annotations

from base64 import b64encode

from replayproxy.core.exports.json_text import UNREADABLE, readable, same_in_javascript
from replayproxy.core.exports.literals import JAVASCRIPT
from replayproxy.core.exports.sent import KEY, LARGE, Field, Sent, Supplied, file_name, is_text, sent
from replayproxy.core.messages import Request, encode
from replayproxy.core.multipart import Part

__all__ = ["as_javascript"]

_KEY_LINE = f'const key = globalThis.process ? process.env.{KEY} : prompt("API key");\n'
_READ = """\
const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
for (let piece; !(piece = await reader.read()).done; ) console.log(piece.value);"""
_WITHOUT_BODY = frozenset({"GET", "HEAD"})


def as_javascript(request: Request, base_url: str) -> str:
    """The script that sends a redacted request to `base_url` and prints what comes back.

    The key is read from the environment; in a browser it is asked for.
    """
    what = sent(request, base_url, files_only=True)
    notes = list(what.notes)
    if request.method in _WITHOUT_BODY and (what.body or what.parts):
        notes.append(f"left out: the body, since fetch sends none with {request.method}")
    form, body = _body(what)
    lines = [f"method: {JAVASCRIPT.text(request.method)}"] if request.method != "GET" else []
    lines += _headers(what)
    if body and request.method not in _WITHOUT_BODY:
        lines.append(f"body: {body}")
    options = ", {\n" + "".join(f"  {line},\n" for line in lines) + "}" if lines else ""
    shown = _READ if what.streams else "console.log(await response.text());"
    key = _KEY_LINE if any(field.key for field in what.fields) else ""
    text = (
        f"{key}{form}const response = await fetch({JAVASCRIPT.text(what.url)}{options});\n"
        f"console.log(response.status);\n{shown}"
    )
    told = "".join(f"// {note}\n" for note in notes)
    # Not every place that takes a script lets it wait outside of a function.
    return f"{told}(async () => {{\n{text}\n}})();\n"


def _headers(what: Sent) -> list[str]:
    if not what.fields:
        return []
    if len({field.name.lower() for field in what.fields}) == len(what.fields):
        rows = "".join(f"    {JAVASCRIPT.text(field.name)}: {_value(field)},\n" for field in what.fields)
        return [f"headers: {{\n{rows}  }}"]
    rows = "".join(f"    [{JAVASCRIPT.text(field.name)}, {_value(field)}],\n" for field in what.fields)
    return [f"headers: [\n{rows}  ]"]


def _value(field: Field) -> str:
    if not field.key:
        return JAVASCRIPT.text(encode(field.value).decode("latin-1"))  # fetch takes a character for a byte
    return f"{JAVASCRIPT.text(field.value)} + key" if field.value else "key"


def _body(what: Sent) -> tuple[str, str]:
    """What stands before the call, and the expression for the body."""
    if what.parts is not None:
        lines = "".join(f"form.append({_part(part)});\n" for part in what.parts)
        return f"const form = new FormData();\n{lines}", "form"
    if isinstance(what.body, Supplied):
        return "", _file(what.body.name)
    value = readable(what.request.headers, what.body)
    if value is not UNREADABLE and same_in_javascript(value):
        return "", f"JSON.stringify({JAVASCRIPT.value(value, '  ')})"
    if is_text(what.body) and what.content_type:
        return "", JAVASCRIPT.text(what.body.decode()) if what.body else ""
    return "", _bytes(what.body) if what.body else ""


def _part(part: Part) -> str:
    name = JAVASCRIPT.text(part.name or "")
    media = part.headers.get("content-type")
    text = is_text(part.content) and len(part.content) <= LARGE
    if part.filename is None:
        return f"{name}, {JAVASCRIPT.text(part.content.decode())}"
    large = len(part.content) > LARGE
    plain_text = JAVASCRIPT.text(part.content.decode()) if text else ""
    content = plain_text or (_file(file_name(part)) if large else _bytes(part.content))
    kind = f", {{ type: {JAVASCRIPT.text(media)} }}" if media else ""
    return f"{name}, new Blob([{content}]{kind}), {JAVASCRIPT.text(part.filename)}"


def _file(name: str) -> str:
    return f'await (await import("node:fs/promises")).readFile({JAVASCRIPT.text(name)})'


def _bytes(data: bytes) -> str:
    return f'Uint8Array.from(atob("{b64encode(data).decode()}"), (char) => char.charCodeAt(0))'
