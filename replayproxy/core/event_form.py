"""The form `events`: an event stream event by event, each with its time and the places where it was cut.

Rules:
1. An event is told by its fields when `name: value` lines, LF and one blank line at its end give its bytes; the order
   of its keys is the order of its lines. Anything else is `raw`.
2. `at` stands where a chunk begins with the event; `cuts` are the chunks that begin inside it, by byte offset. A cut
   that no longer fits an edited event is dropped.
"""

from __future__ import annotations

from typing import Any

from replayproxy.core.fields import check_keys, from_base64, line_of, seconds, spelled_seconds, to_base64
from replayproxy.core.json_layout import COMPACT, Layout, read, render
from replayproxy.core.messages import Chunk
from replayproxy.core.sse import is_plain, parse
from replayproxy.core.yaml_emit import Unwritable, flow
from replayproxy.core.yaml_read import Mapping, Sequence
from replayproxy.errors import CassetteError

__all__ = ["EVENTS_LIMIT", "read_events", "write_events"]

#: Larger event streams go into a file; they would break the reader's budgets.
EVENTS_LIMIT = 4 * 1024 * 1024

_FIELDS = ("event", "id", "retry", "json", "data")
_KNOWN = frozenset({"at", "cuts", "raw", *_FIELDS})


def write_events(body: bytes, chunks: tuple[Chunk, ...]) -> dict[str, Any] | None:
    """The entries of a body in this form, or None when it has no such form."""
    if any(chunk.size <= 0 for chunk in chunks):
        return None
    begins, offset = list[tuple[int, float]](), 0
    for chunk in chunks:
        begins.append((offset, chunk.at))
        offset += chunk.size
    begins.reverse()
    layout: Layout | None = None
    entries, start = list[dict[str, Any]](), 0
    for raw in _cut_up(body):
        end = start + len(raw)
        entry = _times(begins, start, end)
        fields, layout = _fields(raw, layout)
        entries.append(entry | fields)
        start = end
    named = {} if layout is None or layout == COMPACT else {"layout": layout.name}
    return named | {"events": entries}


def read_events(entries: Sequence, layout: Layout) -> tuple[bytes, tuple[Chunk, ...]]:
    """The body and its chunks."""
    body, begins = bytearray(), dict[int, float]()
    for entry, line in zip(entries, entries.lines, strict=True):
        if not isinstance(entry, Mapping) or not entry:
            raise CassetteError("an event is not a mapping", line=line)
        check_keys(entry, _KNOWN, "an event")
        start = len(body)
        body += _raw(entry, layout)
        if "at" in entry:
            begins[start] = seconds(entry["at"], "at", line)
        for offset, at in _cuts(entry):
            if 0 < offset < len(body) - start:
                begins[start + offset] = at
    return bytes(body), _chunks(begins, len(body))


def _cut_up(body: bytes) -> list[bytes]:
    if is_plain(body):
        return [block + b"\n\n" for block in body[:-2].split(b"\n\n")]
    return [event.raw for event in parse(body)]


def _times(begins: list[tuple[int, float]], start: int, end: int) -> dict[str, Any]:
    """Takes the chunks that begin in an event from the end of `begins`."""
    entry, cuts = dict[str, Any](), list[list[Any]]()
    while begins and begins[-1][0] < end:
        offset, at = begins.pop()
        if offset == start:
            entry["at"] = spelled_seconds(at, "at")
        else:
            cuts.append([offset - start, spelled_seconds(at, "at")])
    if cuts:
        entry["cuts"] = flow(cuts)
    return entry


def _fields(raw: bytes, layout: Layout | None) -> tuple[dict[str, Any], Layout | None]:
    """The fields of an event, and the layout of the stream's JSON, which the first event with JSON decides."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return {"raw": {"base64": to_base64(raw)}}, layout
    fields: dict[str, Any] | None = _lines(text)
    if fields is None:
        return {"raw": text}, layout
    data: str = fields.get("data", "")
    found = read(data.encode()) if data[:1] in ("{", "[") else None
    if found is None or "\n" in data or (layout or found[1]) != found[1]:
        return fields, layout
    try:
        value = flow(found[0])
    except Unwritable:
        return fields, layout
    return {("json" if name == "data" else name): value if name == "data" else fields[name] for name in fields}, found[
        1
    ]


def _lines(text: str) -> dict[str, str] | None:
    if not text.endswith("\n\n") or "\r" in text:
        return None
    fields, last = dict[str, str](), ""
    for line in text[:-2].split("\n"):
        name, separator, value = line.partition(": ")
        if not separator or name not in _FIELDS or name == "json" or (name in fields and not name == last == "data"):
            return None
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        last = name
    return fields


def _raw(entry: Mapping, layout: Layout) -> bytes:
    if "raw" in entry:
        if any(name in entry for name in _FIELDS):
            raise CassetteError("an event has `raw` and fields", line=entry.line, cure="Keep one of them")
        return _text(entry, "raw")
    if "json" in entry and "data" in entry:
        raise CassetteError("an event has `json` and `data`", line=entry.line, cure="Keep one of them")
    lines = [_field(entry, name, layout) for name in entry if name in _FIELDS]
    if not lines:
        raise CassetteError("an event has no field", line=entry.line, cure=f"Give it one of {', '.join(_FIELDS)}")
    return b"".join(lines) + b"\n"


def _field(entry: Mapping, name: str, layout: Layout) -> bytes:
    if name == "json":
        return b"data: " + render(entry["json"], layout) + b"\n"
    value = _text(entry, name)
    if name == "data":
        return b"".join(b"data: %b\n" % line for line in value.split(b"\n"))
    if b"\n" in value or b"\r" in value:
        raise CassetteError(f"{name!r} has a line end in it", line=line_of(entry, name), cure="Remove it")
    return b"%b: %b\n" % (name.encode(), value)


def _text(entry: Mapping, name: str) -> bytes:
    value, line = entry[name], line_of(entry, name)
    if isinstance(value, str):
        return value.encode()
    if type(value) is int:
        return str(value).encode()
    if isinstance(value, dict) and list(value) == ["base64"]:
        return from_base64(value["base64"], line)
    raise CassetteError(f"{name!r} is not a string", line=line, cure="Put it in quotes")


def _cuts(entry: Mapping) -> list[tuple[int, float]]:
    cuts, line = entry.get("cuts", []), line_of(entry, "cuts")
    if not isinstance(cuts, list):
        raise CassetteError("'cuts' is not a list", line=line)
    found = list[tuple[int, float]]()
    for cut in cuts:
        if not isinstance(cut, list) or len(cut) != 2 or type(cut[0]) is not int:
            raise CassetteError("a cut is not [offset, seconds]", line=line)
        found.append((cut[0], seconds(cut[1], "cuts", line)))
    return found


def _chunks(begins: dict[int, float], size: int) -> tuple[Chunk, ...]:
    if not begins:
        return ()
    begins.setdefault(0, 0.0)  # the first event was edited away or lost its time
    offsets = sorted(offset for offset in begins if offset < size)
    ends = [*offsets[1:], size]
    return tuple(Chunk(begins[start], end - start) for start, end in zip(offsets, ends, strict=True))
