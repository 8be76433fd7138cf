"""A request as a command of curl, for bash and zsh.

Rules:
1. What is sent is what was sent: curl adds no media type, expands no brackets, takes no `@` for a file's name.
2. An argument holds 128 KiB on Linux and never a NUL: what is longer, or no text, comes through standard input.
"""

from __future__ import annotations

from base64 import b64encode

from replayproxy.core.exports.json_text import laid_out
from replayproxy.core.exports.literals import word
from replayproxy.core.exports.sent import KEY, LARGE, Field, Sent, Supplied, file_name, is_text, sent
from replayproxy.core.messages import Request
from replayproxy.core.multipart import Part

__all__ = ["as_curl"]

_LONGEST_ARGUMENT = 64 * 1024
_END = "END_OF_BODY"
_BASE64_LINE = 76


def as_curl(request: Request, base_url: str) -> str:
    """The command that sends a redacted request to `base_url`, ready to be pasted; the key is read from the variable
    OPENAI_API_KEY."""
    what = sent(request, base_url)
    before, body, after = _body(what)
    options = [*_first(what), *_method(what), *_headers(what), *body]
    notes = "".join(f"# {note}\n" for note in what.notes)
    command = " \\\n  ".join(options)
    return f"{notes}{before}{command}{after}\n"


def _first(what: Sent) -> list[str]:
    flags = [flag for flag, needed in _flags(what) if needed]
    return [" ".join(("curl", *flags, word(what.url)))]


def _flags(what: Sent) -> tuple[tuple[str, bool], ...]:
    return (
        ("-N", what.streams),
        ("-g", "[" in what.url or "]" in what.url),
        ("--path-as-is", "/." in what.url.partition("://")[2]),
    )


def _method(what: Sent) -> list[str]:
    method = what.request.method
    has_body = what.parts is not None or bool(what.body)
    if method == "HEAD" and not has_body:
        return ["--head"]
    return [] if method == ("POST" if has_body else "GET") else [f"-X {word(method)}"]


def _headers(what: Sent) -> list[str]:
    lines = [f"-H {_header(field)}" for field in what.fields]
    if what.body and what.parts is None and not what.content_type:
        lines.append("-H 'Content-Type:'")  # curl would call it a form
    return lines


def _header(field: Field) -> str:
    if field.key:
        return f'"{field.name}: {field.value}${KEY}"'
    return word(f"{field.name}: {field.value}" if field.value else f"{field.name};")


def _body(what: Sent) -> tuple[str, list[str], str]:
    """What stands before the command, the options, and what follows it."""
    if what.parts is not None:
        return "", [_part(part) for part in what.parts], ""
    if isinstance(what.body, Supplied):
        return "", [f"--data-binary {word(f'@{what.body.name}')}"], ""
    if not what.body:
        return "", [], ""
    json_text = laid_out(what.request.headers, what.body)
    if json_text is None and not is_text(what.body):
        return _through_base64(what.body)
    text = what.body.decode() if json_text is None else json_text
    if len(text.encode()) <= _LONGEST_ARGUMENT:
        return "", [f"--data-raw {word(text)}"], ""
    if json_text is None:
        return _through_base64(what.body)
    return "", ["--data-binary @-"], f" <<'{_END}'\n{text}\n{_END}"


def _through_base64(body: bytes) -> tuple[str, list[str], str]:
    return f"base64 -d <<'{_END}' |\n{_coded(body)}\n{_END}\n", ["--data-binary @-"], ""


def _coded(data: bytes) -> str:
    coded = b64encode(data).decode()
    return "\n".join(coded[at : at + _BASE64_LINE] for at in range(0, len(coded), _BASE64_LINE))


def _part(part: Part) -> str:
    media = part.headers.get("content-type") or ""
    if part.filename is None and not media:
        return f"--form-string {word(f'{part.name}={part.content.decode()}')}"
    named = f";filename={_quoted(part.filename)}" if part.filename is not None else ""
    rest = f"{named};type={media}" if media else named
    if len(part.content) > LARGE:
        return f"-F {word(f'{part.name}=@{_quoted(file_name(part))}{rest}')}"
    if is_text(part.content) and len(part.content) <= _LONGEST_ARGUMENT:
        return f"-F {word(f'{part.name}={_quoted(part.content.decode())}{rest}')}"
    return f"-F {word(f'{part.name}=@')}<(base64 -d <<'{_END}'\n{_coded(part.content)}\n{_END}\n){word(rest)}"


def _quoted(text: str) -> str:
    """Text in the quotes of curl's forms."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
