"""A recorded message for a terminal: its head and body in lines, with colours where the terminal has them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from replayproxy.cli.cassette_files import told_size
from replayproxy.cli.terminal import coloured, printable, styled
from replayproxy.core.body_forms import FORMS, write_body
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import FileBody, Request, Response
from replayproxy.core.sse import parse

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["body_as_json", "form_and_size", "highlighted", "message_lines"]

_INLINE_LIMIT = 65536
#: Longer texts are shown without colours: what is more than a few screens is not read, but searched.
_HIGHLIGHTED = 200_000
_LANGUAGES = {"application/yaml": "yaml", "application/x-yaml": "yaml", "text/yaml": "yaml", "text/html": "html"}


def form_and_size(message: Request | Response) -> dict[str, Any]:
    """In which form a body stands in the cassette, and how many bytes it has."""
    chunks = message.chunks if isinstance(message, Response) else ()
    entries, _ = write_body(message.headers, message.body, chunks, inline_limit=_INLINE_LIMIT)
    size = message.body.size if isinstance(message.body, FileBody) else len(message.body)
    return {"form": next((form for form in FORMS if form in entries), "empty"), "size": size}


def body_as_json(message: Request | Response) -> dict[str, Any]:
    """A body: its form and size, and what it holds as `json`, `text`, `base64` or `file` (the file's name)."""
    body = message.body
    told = form_and_size(message)
    if isinstance(body, FileBody):
        return told | {"file": body.name}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return told | {"base64": base64.b64encode(body).decode()}
    try:
        return told | {"json": json.loads(text)} if media_type(message.headers).is_json else told | {"text": text}
    except (ValueError, RecursionError):
        return told | {"text": text}


def message_lines(message: Request | Response) -> Iterator[Text]:
    """Headers, an empty line and the body; nothing behind the headers when there is no body."""
    for name, value in message.headers:
        yield styled(f"{name}: ", "cyan").append_text(styled(value))
    if isinstance(message, Response) and message.coding:
        yield styled(f"(the body came as {message.coding})", "dim")
    told = body_as_json(message)
    if told["form"] != "empty":
        yield styled("")
        yield from _body_lines(message, told)


def _body_lines(message: Request | Response, told: dict[str, Any]) -> Iterator[Text]:
    essence = media_type(message.headers).essence
    if isinstance(message, Response) and isinstance(message.body, bytes) and told["form"] == "events":
        yield from _event_lines(message, message.body)
    elif "json" in told:
        yield from highlighted(json.dumps(told["json"], indent=2, ensure_ascii=False), "json")
    elif "text" in told:
        yield from highlighted(told["text"].replace("\r\n", "\n"), _LANGUAGES.get(essence, ""))
    else:
        where = f" in {told['file']}" if "file" in told else ""
        yield styled(f"({told_size(told['size'])} of {essence or 'bytes'}{where})", "dim")


def _event_lines(response: Response, body: bytes) -> Iterator[Text]:
    """Each event under the seconds at which its last byte arrived."""
    ends, end = list[tuple[int, float]](), 0
    for chunk in response.chunks:
        end += chunk.size
        ends.append((end, chunk.at))
    offset, plain = 0, len(body) > _HIGHLIGHTED
    for event in parse(body):
        offset += len(event.raw)
        at = next((at for end, at in ends if end >= offset), None)
        if at is not None:
            yield styled(f"[{at:.3f} s]", "dim")
        for line in event.raw.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n").split("\n"):
            yield styled(line) if plain else _event_line(line)
        yield styled("")


def _event_line(line: str) -> Text:
    name, colon, value = line.partition(":")
    if not name:
        return styled(line, "dim")
    style = "cyan" if name == "data" else "bold magenta" if name == "event" else "dim"
    shown = styled(name + colon, style)
    inside = value.lstrip(" ")
    if name != "data" or not inside.startswith(("{", "[")):
        return shown.append_text(styled(value, "bold" if name == "event" else ""))
    (held,) = highlighted(inside, "json")
    return shown.append_text(styled(value[: len(value) - len(inside)])).append_text(held)


def highlighted(text: str, language: str) -> list[Text]:
    """The lines of a text in a language that pygments knows ("": none), printable and with colours for its parts."""
    shown = printable(text)
    if not (language and coloured()) or len(shown) > _HIGHLIGHTED:
        return [styled(line) for line in shown.split("\n")]
    from rich.syntax import Syntax

    made = Syntax("", language, theme="ansi_dark", tab_size=8).highlight(shown)
    return [*made.split("\n", allow_blank=shown.endswith("\n"))]
