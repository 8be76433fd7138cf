"""What the two Python forms of a request share: headers, files, and how bodies are spelled."""

from __future__ import annotations

from collections.abc import Iterable

from replayproxy.core.exports.literals import PYTHON, bytes_literal
from replayproxy.core.exports.sent import KEY, LARGE, Field, Supplied, file_name
from replayproxy.core.messages import encode
from replayproxy.core.multipart import Part

__all__ = ["body_text", "call", "file_text", "files_text", "header_text", "headers_text", "script"]

_ENVIRONMENT = f'os.environ["{KEY}"]'


def script(notes: Iterable[str], imports: str, text: str) -> str:
    """A script: its notes as comments, the modules of the standard library that it takes, `imports`, then the rest."""
    told = "".join(f"# {note}\n" for note in notes)
    taken = [name for name in ("base64", "os") if f"{name}." in text]
    standard = "".join(f"import {name}\n" for name in taken) + ("\n" if taken else "")
    return f"{told}{standard}{imports}\n\n{text}\n"


def call(function: str, arguments: Iterable[str]) -> str:
    """A call over lines, one for each argument."""
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"{function}(\n{lines})" if lines else f"{function}()"


def header_text(field: Field) -> str:
    """The value of a header, as an expression."""
    if field.key:
        return f"{PYTHON.text(field.value)} + {_ENVIRONMENT}" if field.value else _ENVIRONMENT
    return PYTHON.text(field.value) if field.value.isascii() else repr(encode(field.value))


def headers_text(fields: Iterable[Field], indent: str = "    ") -> str:
    """Headers as a dict, or as a list of pairs when one is repeated."""
    given = list(fields)
    if len({field.name.lower() for field in given}) == len(given):
        lines = "".join(f"{indent}    {PYTHON.text(each.name)}: {header_text(each)},\n" for each in given)
        return f"{{\n{lines}{indent}}}"
    # httpx takes either bytes or text for the two of a pair.
    pairs = "".join(f"{indent}    ({PYTHON.text(each.name)}, {header_text(each)}),\n" for each in given)
    return f"[\n{pairs}{indent}]"


def body_text(body: bytes | Supplied) -> str:
    """The bytes of a body, as an expression."""
    if isinstance(body, Supplied):
        return f'open({PYTHON.text(body.name)}, "rb").read()'
    return bytes_literal(body)


def file_text(part: Part) -> str:
    """A part as the tuple that httpx takes for a file: name, content, media type."""
    name = "None" if part.filename is None else PYTHON.text(part.filename)
    large = len(part.content) > LARGE
    content = body_text(Supplied(file_name(part), len(part.content)) if large else part.content)
    media = part.headers.get("content-type")
    return f"({name}, {content}, {PYTHON.text(media)})" if media else f"({name}, {content})"


def files_text(parts: Iterable[Part]) -> str:
    """All parts of a form, in their order."""
    lines = "".join(f"        ({PYTHON.text(part.name or '')}, {file_text(part)}),\n" for part in parts)
    return f"[\n{lines}    ]"
