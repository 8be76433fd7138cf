"""Headers of a document that was written here, read without YAML."""

from __future__ import annotations

import pytest

from replayproxy.core.codec import decode_interaction, encode
from replayproxy.core.documents import Document
from replayproxy.core.messages import Headers
from replayproxy.core.written_headers import read_proved
from replayproxy.errors import CassetteError
from tests.builders import interaction, request, response

PLAIN = Headers.of(("Accept", "*/*"), ("x-a", "it's: plain #not"), ("x-b", ""), ("x-c", "12"), ("X-a", "a, b; q=0.5"))


def document(*, asked: Headers = PLAIN, answered: Headers = PLAIN) -> Document:
    """An interaction with these headers on either side."""
    return Document(encode(interaction(request(headers=asked), response(headers=answered)), 1).text, 10)


@pytest.mark.parametrize("asked", [PLAIN, Headers()])
@pytest.mark.parametrize("answered", [PLAIN, Headers()])
def test_each_side_gets_its_own(asked: Headers, answered: Headers) -> None:
    """Be it that one of them has none."""
    written = document(asked=asked, answered=answered)
    assert read_proved(written)["request"].get("headers", Headers()) == asked
    assert read_proved(written)["response"].get("headers", Headers()) == answered
    assert decode_interaction(written, lambda body: body, proved=True) == decode_interaction(written, lambda body: body)


@pytest.mark.parametrize("value", ["tab\there", "\udcff", "\x01", "\x85"])
def test_what_is_hard_is_left_to_yaml(value: str) -> None:
    """Escapes and bytes that are no text, and with them the headers beside."""
    odd = Headers.of(("a", "b"), ("odd", value))
    written = document(asked=odd)
    assert not isinstance(read_proved(written)["request"]["headers"], Headers)
    assert read_proved(written)["response"]["headers"] == PLAIN
    found = decode_interaction(written, lambda body: body, proved=True)
    assert (found.request.headers, found.response.headers) == (odd, PLAIN)


def test_errors_tell_the_right_line() -> None:
    """Of what is missing beside the cassette, say, although the lines above were not read by YAML."""
    large = Headers.of(("content-type", "text/plain"))
    kept = interaction(request(headers=PLAIN), response(body=b"x" * 100, headers=large))
    written = Document(encode(kept, 1, inline_limit=10).text, 10)

    def missing(body: object) -> bytes:
        raise CassetteError("not there")

    lines = []
    for proved in (True, False):
        with pytest.raises(CassetteError) as caught:
            decode_interaction(written, missing, proved=proved)
        lines.append(caught.value.line)
    assert lines[0] == lines[1] > 20


@pytest.mark.parametrize(
    "line",
    [
        "X: a\rSet-Cookie: b",
        "X: a\0b",
        'X: "a\rb"',
        "X: 'a\x85b'",
        "X: a\u2028b",
        "X: null",
        "X: 12",
        "X: !!str a",
        "X: &a b",
        "X: *a",
        "X: a # b",
        "X: a: b",
        "X: >-",
        "X: a ",
        "&x a: b",
        "#a: b",
        "!a: b",
    ],
)
def test_a_key_makes_no_header_of_what_yaml_reads_otherwise(line: str) -> None:
    """Anybody can make a key that fits: what is not printable text, or no text, is for the reader of YAML to judge."""
    written = document()
    forged = Document(written.text.replace('    - Accept: "*/*"\n', f"    - {line}\n"), 10)
    assert forged.text != written.text
    told = []
    for proved in (True, False):
        try:
            told.append(decode_interaction(forged, lambda body: body, proved=proved).request.headers)
        except CassetteError as error:
            told.append(str(error))
    assert told[0] == told[1]


def test_headers_that_stand_there_twice_are_refused() -> None:
    """Read here or read by YAML, of two lists neither is better than the other."""
    text = document().text.replace("\nresponse:\n", "\n  headers: []\nresponse:\n", 1)
    with pytest.raises(CassetteError, match="line 10: the key 'headers' stands here twice"):
        read_proved(Document(text, 10))


def test_an_empty_document_is_refused() -> None:
    """It may have a key that fits."""
    with pytest.raises(CassetteError, match="line 7: a document is not a mapping"):
        read_proved(Document("---\n...\n", 7))
