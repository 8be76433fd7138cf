"""Secrets in bodies that are still compressed."""

from __future__ import annotations

import gzip
import zlib

import pytest

from replayproxy.core import codings
from replayproxy.core.messages import Chunk, Headers, Request, Response
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.packed import LIMIT, repacked

REDACTOR = Redactor()
KEY = "sk-proj-Ab3dEf6hIj9lMnOpQrStUvWxYz012345"
TEXT = f'{{"text": "{KEY}"}}'.encode()
CLEAN = b'{"text": "redacted.api-key"}'


def asked(coding: str, body: bytes) -> bytes:
    """What becomes of a request's body under a Content-Encoding."""
    headers = Headers.of(("Content-Encoding", coding)) if coding else Headers()
    once = REDACTOR.request(Request("POST", "/", headers, body)).body
    assert REDACTOR.request(Request("POST", "/", headers, once)).body == once
    assert isinstance(once, bytes)
    return once


def unpacked(body: bytes, *names: str) -> bytes:
    """The body without its codings, the last first."""
    for name in names:
        decoder = codings.decoder(name)
        assert decoder is not None
        body = b"".join(decoder.feed(body))
    return body


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd", "GZIP ", "identity, gzip"])
def test_a_compressed_request_is_looked_into(coding: str) -> None:
    """It is packed again without its secrets."""
    name = coding.rpartition(",")[2].strip().lower()
    assert unpacked(asked(coding, codings.encode(name, TEXT)), name) == CLEAN


def test_two_codings_are_taken_off_and_put_on() -> None:
    """In the order in which the header has them."""
    packed = codings.encode("br", codings.encode("gzip", TEXT))
    assert unpacked(asked("gzip, br", packed), "br", "gzip") == CLEAN


@pytest.mark.parametrize("coding", ["", "identity", "br", "aws-chunked", "gzip, br, foo"])
@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_header_that_says_otherwise_hides_nothing(coding: str, name: str) -> None:
    """What a body begins like tells."""
    assert unpacked(asked(coding, codings.encode(name, TEXT)), name) == CLEAN


def test_what_is_cut_off_stays_cut_off() -> None:
    """Its secrets go as far as it can be read."""
    packed = gzip.compress(TEXT + b" " * 100, mtime=0)[:-6]
    once = asked("gzip", packed)
    assert unpacked(once, "gzip") == CLEAN + b" " * 100
    with pytest.raises(EOFError):
        gzip.decompress(once)


def test_bytes_behind_the_end_are_none_of_the_body() -> None:
    """They break it, and it stays broken."""
    assert TEXT not in unpacked(asked("gzip", gzip.compress(TEXT, mtime=0) + b"garbage"), "gzip")


@pytest.mark.parametrize(
    "body", [gzip.compress(b'{"a": 1}', mtime=0), b"\x1f\x8b\x08garbage", b"no gzip", zlib.compress(b"x")]
)
def test_a_body_without_secrets_keeps_its_bytes(body: bytes) -> None:
    """Whoever packed it, packed it in another way than we would."""
    assert asked("gzip", body) == asked("", body) == body


def test_what_unpacks_to_too_much_is_left_alone() -> None:
    """A small body may hold a thousand times its size."""
    packed = codings.encode("gzip", b"\0" * (LIMIT + 1) + TEXT)
    assert repacked(packed, "gzip", lambda _: b"") == packed


def test_an_answer_in_an_unknown_coding_loses_its_chunks_with_its_secrets() -> None:
    """Where a secret stood in what arrived cannot be told."""
    packed = codings.encode("gzip", TEXT)
    headers = Headers.of(("content-type", "text/event-stream"), ("content-encoding", "gzip, foo"))
    answer = REDACTOR.response(Response(200, "", headers, packed, "", (Chunk(0.0, len(packed)),)), frozenset())
    assert isinstance(answer.body, bytes)
    assert (unpacked(answer.body, "gzip"), answer.chunks) == (CLEAN, ())


def test_an_answer_whose_coding_was_taken_off_may_be_packed_all_the_same() -> None:
    """A file that is compressed itself, say."""
    headers = Headers.of(("content-encoding", "br"))
    answer = REDACTOR.response(Response(200, "", headers, codings.encode("gzip", TEXT), "br"), frozenset())
    assert isinstance(answer.body, bytes)
    assert unpacked(answer.body, "gzip") == CLEAN
