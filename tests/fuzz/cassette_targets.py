"""Fuzz targets over what is stored: cassettes, keys, forms of bodies, event streams, codings.

Each takes bytes and raises, AssertionError mostly, when a promise of the module it is about does not hold.
"""

from __future__ import annotations

import re
from contextlib import suppress

from replayproxy.core.bodies import BodyDigest, canonical
from replayproxy.core.cassette import Cassette, Interaction, exchange_key, same_exchange
from replayproxy.core.codec import (
    decode,
    decode_head,
    decode_interaction,
    decode_request,
    encode,
    encode_head,
)
from replayproxy.core.codings import CODINGS, decoder, encoder
from replayproxy.core.cuts import Cutter
from replayproxy.core.documents import Document, split
from replayproxy.core.fault_kinds import Cut, Fault
from replayproxy.core.key_line import keyed, unkeyed
from replayproxy.core.messages import Body, Chunk, FileBody, Headers, Request, Response
from replayproxy.core.scan import Scan
from replayproxy.core.sse import EventParser, parse
from replayproxy.core.upgrades import FORMAT_VERSION
from replayproxy.errors import CassetteError
from tests.fuzz.inputs import Input, pieces_of

__all__ = ["body", "cassette", "codings", "cuts", "events", "scan"]

_KEY = re.compile(r"^\.\.\. # key ([!-~]{1,40}) ([0-9a-f]{32}) [0-9a-f]{32}$", re.MULTILINE)
_BLOCKS = (1, 7, 64, 1 << 20)
_TYPES = (
    "",
    "application/json",
    "text/event-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    'multipart/mixed; boundary="a b"',
    "text/plain; charset=utf-16",
    "APPLICATION/vnd.x+JSON ; charset=\xe9",
    "multipart/form-data; boundary=\udcff",
    'multipart/form-data; boundary="\x7f"',
)


def cassette(data: bytes) -> None:
    """Any text is a cassette that can be written again and reads equal, or an error on one line."""
    text = data.decode("utf-8", "replace")
    read = _read(text)
    if read is None:
        return
    again = encode_head(read.head)
    for number, interaction in enumerate(read.interactions, 1):
        written = encode(interaction, number, inline_limit=1 << 30)
        assert decode_interaction(Document(written.text, 1), _as_it_is) == interaction
        again += written.text
    assert _read(again) == read, "what was written does not read as it was"
    assert "".join(piece.text for piece in split(again).items) in again


def scan(data: bytes) -> None:
    """Reading by scanning gives what reading the whole gives, or both fail; also where keys were made to fit by
    somebody else than us."""
    given = Input(data)
    forged, size = given.number() % 2, given.one_of(_BLOCKS)
    text = given.rest().decode("utf-8", "replace")
    if forged:
        text = _forged(text)
    whole, scanned = _read(text), _scanned(text, size)
    if whole is None:
        assert scanned is None or not text.strip() or "replayproxy" not in text, "only scanning can read this"
    elif scanned is not None:
        assert scanned == whole, "scanning reads something else"


def cuts(data: bytes) -> None:
    """Documents are cut the same whatever the blocks, and cover the text."""
    given = Input(data)
    way, raw = given.number(), given.rest()
    assert _cut([raw]) == _cut(pieces_of(raw, way))


def body(data: bytes) -> None:
    """Any body of any type, in any pieces, is in its document byte for byte, counts as the same, and has one digest."""
    given = Input(data)
    media, way, coding = given.one_of(_TYPES), given.number(), given.one_of(("", "gzip", "Zstd"))
    raw = given.rest()
    headers = Headers.of(("Content-Type", media)) if media else Headers()
    chunks = tuple(Chunk(index / 3, len(piece)) for index, piece in enumerate(pieces_of(raw, way))) if way else ()
    answer = Response(200, "OK", headers, raw, coding, chunks)
    exchange = Interaction(Request("POST", "/x", headers, raw), answer)
    for limit in (1 << 30, 16):
        written = encode(exchange, 1, inline_limit=limit)
        found = decode_interaction(Document(written.text, 1), lambda kept: written.files[kept.name])  # noqa: B023
        assert found == exchange, "a body is not what it was"
        assert same_exchange(found, exchange)
        assert exchange_key(found) == exchange_key(exchange)
    assert canonical(headers, raw)
    whole, parted = BodyDigest(headers), BodyDigest(headers)
    whole.feed(raw)
    for piece in pieces_of(raw, way):
        parted.feed(piece)
    assert whole.hexdigest() == parted.hexdigest()


def events(data: bytes) -> None:
    """However a stream is cut the events are the same, their raw bytes are the stream; a fault cuts at one place."""
    given = Input(data)
    way, after = given.number(), given.number()
    raw = given.rest()
    whole, parser = parse(raw), EventParser()
    found = [event for piece in pieces_of(raw, way) for event in parser.feed(piece)] + parser.finish()
    assert tuple(found) == whole, "the events depend on the pieces"
    assert b"".join(event.raw for event in whole) == raw
    assert parser.finish() == []
    for fault in (Fault("truncate", after_events=after % 8), Fault("truncate", after=after)):
        cut, pieced = Cut(fault), Cut(fault)
        kept = cut.feed(raw)
        assert b"".join(pieced.feed(piece) for piece in pieces_of(raw, way)) == kept
        assert raw.startswith(kept)
        assert cut.done == pieced.done


def codings(data: bytes) -> None:
    """Garbage in a coding is a ValueError; what was put on comes off, in whatever pieces."""
    given = Input(data)
    coding, way, raw = given.one_of(sorted(CODINGS)), given.number(), given.rest()
    unpack = decoder(coding)
    assert unpack is not None
    with suppress(ValueError):
        for piece in pieces_of(raw, way):
            for out in unpack.feed(piece):
                assert 0 < len(out) <= 1 << 20
        unpack.finish()
    pack, unpack = encoder(coding), decoder(coding)
    assert unpack is not None
    packed = b"".join(pack.feed(piece) + pack.flush() for piece in pieces_of(raw, way)) + pack.finish()
    assert b"".join(out for piece in pieces_of(packed, way) for out in unpack.feed(piece)) == raw
    unpack.finish()


def _read(text: str) -> Cassette | None:
    try:
        return decode(text, _as_it_is)
    except CassetteError as error:
        told, what = str(error), error.what
    assert what, "an error that says nothing"
    assert len(told.encode().splitlines()) == 1, "an error of several lines"
    return None


def _as_it_is(kept: FileBody) -> Body:
    return kept


def _scanned(text: str, size: int) -> Cassette | None:
    """As `stores/reading.py` reads: what has a key that proves itself by its key, the rest in full."""
    raw = text.encode()
    try:
        found = Scan(raw[start : start + size] for start in range(0, len(raw), size))
        documents = [_document(raw, found, index) for index in range(len(found))]
        if not documents:
            return None
        head, version = decode_head(documents[0])
        interactions = list[Interaction]()
        for index, document in enumerate(documents[1:], 1):
            proved = version == FORMAT_VERSION and found.is_proved(index)
            interactions.append(decode_interaction(document, _as_it_is, version, proved=proved))
            if proved:
                assert found.is_same(index, document.text.encode())
                asked = Document(document.text.partition("\nresponse:\n")[0] + "\n", document.line)
                assert decode_request(asked, _as_it_is, proved=True) == interactions[-1].request
    except (CassetteError, UnicodeDecodeError):
        return None
    return Cassette(head, tuple(interactions))


def _document(raw: bytes, found: Scan, index: int) -> Document:
    text = raw[found.starts[index] : found.starts[index] + found.sizes[index]].decode()
    return Document(text if text.endswith("\n") else f"{text}\n", found.lines[index])


def _forged(text: str) -> str:
    """The text with keys that prove themselves, where it has keys of any kind."""
    try:
        documents = split(text)
    except CassetteError:
        return text
    for document in documents.items:
        known = _KEY.search(document.text)
        if known and document.text.count("\n... # key") == 1:
            fitting = keyed(unkeyed(document.text), known[1], bytes.fromhex(known[2]))
            text = text.replace(document.text, fitting, 1)
    return text


def _cut(blocks: list[bytes]) -> object:
    cutter, found = Cutter(), list[tuple[bytes, int, int]]()
    try:
        for block in blocks:
            found += [(bytes(cutter.data[a:c]), b - a, line) for a, b, c, line in cutter.feed(block)]
        found += [(bytes(cutter.data[a:c]), b - a, line) for a, b, c, line in cutter.finish()]
    except (CassetteError, UnicodeDecodeError) as error:
        return type(error), getattr(error, "line", 0)
    return found, cutter.prolog, cutter.whole, cutter.torn
