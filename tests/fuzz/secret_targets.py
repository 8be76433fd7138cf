"""Fuzz targets over redaction: a secret is planted in whatever the fuzzer makes, and must not come out again.

Each takes bytes and raises, AssertionError mostly, when a promise of `core/redaction.py` does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from replayproxy.core.messages import Chunk, Headers, Request, Response
from replayproxy.core.redaction import Redactor, find_secrets
from replayproxy.core.secrets.patterns import RULES, Rule
from replayproxy.core.secrets.spans import apply
from replayproxy.core.sse import parse
from tests.fuzz.inputs import Input, as_text, pieces_of

__all__ = ["deltas", "redaction", "redaction_stream"]

#: Known because the request carries them as credentials: an opaque one, one that every notation spells in another way.
_OPAQUE = ("Zq9-fuzz_planted.key77X", 'p@ss/wörd+%41"\\x&=;9Q')
#: Known by what they look like.
_SHAPED = ("sk-proj-Fuzz0123456789abcdEFGH", "ghp_Fuzz0123456789abcdEFGHij", "AKIAFUZZ0123456789AB")
_REDACTORS = (
    Redactor(),
    Redactor((*(Rule(f"path.{path}", "path", path, "path") for path in ("body.**.a", "query.q")), *RULES)),
    Redactor(literals=("a literal, given", "Zq9-fuzz_planted.key77X"), known=(("another known one", "redacted.it"),)),
)
_MEDIA = (
    "application/json",
    "text/event-stream",
    "application/x-www-form-urlencoded; charset=utf-8",
    "multipart/form-data; boundary=b",
    "text/plain",
)
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    lambda secret: quote(secret, safe=""),
    quote_plus,
)
#: Says nothing to any rule, and ends what may stand before it.
_FILLER = b"\n\r\n--\n~~~~\x00"
_UNSEEN = bytes(range(33)) + b"\x7f"


def redaction(data: bytes) -> None:
    """A secret does not come out, wherever it stands; a second look changes nothing; chunks add up to the body."""
    given = Input(data)
    redactor, media, way = given.one_of(_REDACTORS), given.one_of(_MEDIA), given.number()
    known = given.number() % 4 != 3
    secret = given.one_of(_OPAQUE if known else _SHAPED)
    planted = given.one_of(_SPELLINGS)(secret).encode()
    around = b"" if known else b"\n"
    before, after = given.halves()
    raw = before + around + planted + around + after
    headers = Headers.of(("Content-Type", media), ("X-Text", as_text(_line(raw))))
    if known:
        headers = headers.plus(("Authorization", f"Bearer {secret}"))
    request = Request("POST", as_text(b"/v1/" + _line(raw)), headers, raw)
    redacted = redactor.request(request)
    secrets = redactor.secrets(request)
    chunks = tuple(Chunk(0.5, len(piece)) for piece in pieces_of(raw, way))
    answer = redactor.response(Response(200, as_text(_line(raw)), headers, raw, "", chunks), secrets)
    assert isinstance(redacted.body, bytes)
    assert isinstance(answer.body, bytes)
    values = [value for message in (redacted, answer) for _, value in message.headers]
    told: list[str | bytes] = [redacted.body, answer.body, redacted.target, answer.reason, *values]
    for text in told:
        shown = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        assert planted not in shown, "the secret came out"
    assert redactor.request(redacted, secrets) == redacted, "a second look changes the request"
    assert redactor.response(answer, secrets) == answer, "a second look changes the answer"
    assert sum(chunk.size for chunk in answer.chunks) == len(answer.body)
    for text in (raw.decode("utf-8", "replace"), as_text(raw)):
        assert planted.decode() not in redactor.text(text, secrets)
        assert all(0 <= found.start < found.end <= len(text) for found in find_secrets(text))
    assert all(0 <= found.start < found.end <= len(raw) for found in find_secrets(raw))


def deltas(data: bytes) -> None:
    """A secret that is told in pieces, event by event, is not in the text that a client puts together."""
    given = Input(data)
    redactor, way, known = given.one_of(_REDACTORS), given.number(), given.number() % 4 != 3
    secret = given.one_of(_OPAQUE if known else _SHAPED)
    before, after = (half.decode("utf-8", "replace") for half in given.halves())
    text = f"{before} {secret} {after}"
    pieces = [piece.decode("utf-8", "replace") for piece in pieces_of(text.encode(), 0)]
    if way:
        sizes = [len(piece) for piece in pieces_of(text.encode(), way)]
        pieces = [text[sum(sizes[:index]) : sum(sizes[: index + 1])] for index in range(len(sizes))]
    body = b"".join(_event({"choices": [{"index": 0, "delta": {"content": piece}}]}) for piece in pieces if piece)
    headers = Headers.of(("Content-Type", "text/event-stream"))
    secrets = frozenset({secret}) if known else frozenset[str]()
    redacted = redactor.response(Response(200, "", headers, body), secrets).body
    assert isinstance(redacted, bytes)
    told = [json.loads(event.data)["choices"][0]["delta"]["content"] for event in parse(redacted)]
    assert secret not in "".join(told), "the secret came out in pieces"
    assert len(told) == sum(1 for piece in pieces if piece), "an event is gone"


def redaction_stream(data: bytes) -> None:
    """Redacted in pieces of any size with little memory, data is what it is redacted as a whole."""
    given = Input(data)
    redactor, way, lead, pad = given.one_of(_REDACTORS), given.number(), given.number(), given.number()
    middle = given.rest()
    overlap = len(middle) + 2 * len(_FILLER)
    whole = _FILLER * lead + middle + _FILLER * pad
    secrets = frozenset(_OPAQUE)
    stream = redactor.stream(secrets, overlap=overlap, window=overlap + way)
    out = b"".join(stream.feed(piece) for piece in pieces_of(whole, way)) + stream.finish()
    assert out == apply(whole, redactor.edits(whole, secrets)), "pieces are redacted in another way than the whole"


def _line(raw: bytes) -> bytes:
    """What of it could stand in a head, commas in the place of the rest."""
    return raw.translate(bytes.maketrans(_UNSEEN, b"," * len(_UNSEEN)))


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
