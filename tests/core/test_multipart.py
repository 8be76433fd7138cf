"""Multipart bodies."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import Headers
from replayproxy.core.multipart import PARTS_LIMIT, boundary, parse_multipart

FORM = Headers.of(("Content-Type", "Multipart/Form-Data; charset=x; boundary=b"))
ONE = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'


def test_parts_have_names_headers_content_and_places() -> None:
    """What the real client library sends is taken apart, and each content is found in the body."""
    request = httpx.Request(
        "POST", "http://x/", data={"purpose": "assistants"}, files={"file": ("ü.txt", b"\r\n--x\r\n", "text/plain")}
    )
    body, headers = request.read(), Headers.from_raw(request.headers.raw)
    parts = parse_multipart(headers, body)
    assert parts is not None
    assert [(part.name, part.filename, part.content) for part in parts] == [
        ("purpose", None, b"assistants"),
        ("file", "ü.txt", b"\r\n--x\r\n"),
    ]
    assert parts[1].headers.get("content-type") == "text/plain"
    assert [body[part.start : part.end] for part in parts] == [part.content for part in parts]


@pytest.mark.parametrize(
    ("body", "contents"),
    [
        (ONE, [b"1"]),
        (b"before\r\n" + ONE + b"after", [b"1"]),
        (ONE.removesuffix(b"\r\n"), [b"1"]),
        (b"--b--", []),
        (b"--b\r\n\r\nno head\r\n--b--", [b"no head"]),
        (b"--b\r\na: b\r\n\r\n\r\n--b--", [b""]),
        (b"--b  \r\na: b\r\n\r\n1\r\n--b--\t", [b"1"]),
        (b"--b\r\na: b\r\n\r\n1\r\n--bc\r\n--b-\n\r\n--b--", [b"1\r\n--bc\r\n--b-\n"]),
        (b"--bc\r\n--b\r\na: b\r\n\r\n1\r\n--b--", [b"1"]),
    ],
)
def test_delimiters_are_whole_lines(body: bytes, contents: list[bytes]) -> None:
    """Text around the parts is ignored, and a line that merely begins like a delimiter is content."""
    parts = parse_multipart(FORM, body)
    assert parts is not None
    assert [part.content for part in parts] == contents


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text",
        b"--b\r\na: b\r\n\r\n1",
        b"--b\r\na: b\r\n\r\n1\r\n--b\r\n",
        b"--b\r\na: b\r\n--b--",
        b"--b\r\n--b--",
        b"--b\r\nno colon\r\n\r\n1\r\n--b--",
        b"--b\r\na: b\r\n folded: c\r\n\r\n1\r\n--b--",
        b"--b\r\n: b\r\n\r\n1\r\n--b--",
        b"--b\na: b\n\n1\n--b--\n",
        b"--b\r\n\r\n1\r\n" * (PARTS_LIMIT + 1) + b"--b--",
    ],
)
def test_malformed_bodies_have_no_parts(body: bytes) -> None:
    """No end, no head, bare line feeds or far too many parts: None, never an error."""
    assert parse_multipart(FORM, body) is None


@pytest.mark.parametrize("value", ["", "application/json; boundary=b", "multipart/form-data", "multipart/x; boundary="])
def test_without_a_boundary_there_are_no_parts(value: str) -> None:
    """The headers must announce multipart and name the boundary."""
    headers = Headers.of(("content-type", value))
    assert boundary(headers) is None
    assert parse_multipart(headers, ONE) is None


@given(st.lists(st.sampled_from([b"--b", b"--", b"\r\n", b"a: b", b"x", b" ", b"\r", b"\n"]), max_size=30))
def test_contents_never_overlap(pieces: list[bytes]) -> None:
    """Whatever the body, contents are slices of it, in order."""
    body, end = b"".join(pieces), 0
    for part in parse_multipart(FORM, body) or ():
        assert end < part.start <= part.end <= len(body)
        assert body[part.start : part.end] == part.content
        end = part.end
