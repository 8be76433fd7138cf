"""Content codings, taken off and put on."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core import codings

NAMES = sorted(codings.CODINGS)


def decode(coding: str, data: bytes, step: int = 1 << 20) -> bytes:
    decoder = codings.decoder(coding)
    assert decoder is not None
    pieces = [piece for start in range(0, len(data), step) for piece in decoder.feed(data[start : start + step])]
    decoder.finish()
    return b"".join(pieces)


@pytest.mark.parametrize("coding", NAMES)
@given(body=st.binary(max_size=2000), step=st.integers(1, 40))
def test_round_trip_in_pieces_of_every_size(coding: str, body: bytes, step: int) -> None:
    """What was put on comes off again, however it is cut up."""
    assert decode(coding, codings.encode(coding, body), step) == body


@pytest.mark.parametrize("coding", NAMES)
@given(pieces=st.lists(st.binary(max_size=200), max_size=9))
def test_each_flush_lets_the_client_read_what_was_fed(coding: str, pieces: list[bytes]) -> None:
    """A stream plays piece by piece in its coding, too; flushes make no difference to what comes off in the end."""
    encoder, decoder, read = codings.encoder(coding), codings.decoder(coding), b""
    assert decoder is not None
    for number, piece in enumerate(pieces, 1):
        read += b"".join(decoder.feed(encoder.feed(piece) + encoder.flush()))
        assert read == b"".join(pieces[:number])
    read += b"".join(decoder.feed(encoder.finish()))
    decoder.finish()
    assert read == b"".join(pieces)


def test_an_unknown_coding_has_no_encoder() -> None:
    """What was not taken off is not put on."""
    with pytest.raises(KeyError):
        codings.encoder("compress")


@pytest.mark.parametrize("coding", NAMES)
def test_encoding_is_the_same_every_time(coding: str) -> None:
    """The same body gives the same bytes: nothing in them tells the time."""
    assert codings.encode(coding, b"body" * 99) == codings.encode(coding, b"body" * 99)


@pytest.mark.parametrize("coding", NAMES)
def test_a_bomb_is_given_out_in_pieces(coding: str) -> None:
    """A small input that unpacks to 64 MiB never stands in memory as a whole."""
    decoder = codings.decoder(coding)
    assert decoder is not None
    bomb = codings.encode(coding, bytes(64 << 20))
    sizes = [len(piece) for piece in decoder.feed(bomb)]
    decoder.finish()
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 4 * codings.PIECE


@pytest.mark.parametrize("coding", NAMES)
def test_a_body_cut_short_is_an_error(coding: str) -> None:
    """Half a body is not taken for a whole one."""
    with pytest.raises(ValueError, match="too early"):
        decode(coding, codings.encode(coding, b"some text, some text, some more text")[:-4])


@pytest.mark.parametrize("coding", NAMES)
def test_garbage_is_an_error(coding: str) -> None:
    """Bytes that are no coded body at all are refused."""
    with pytest.raises(ValueError, match=r".+"):
        decode(coding, b"\xff\xfe this is not compressed at all")


@pytest.mark.parametrize("coding", NAMES)
def test_garbage_stays_an_error(coding: str) -> None:
    """Also at the end, for those who went on when they met it."""
    decoder = codings.decoder(coding)
    assert decoder is not None
    with pytest.raises(ValueError, match=r"."):
        list(decoder.feed(b"\x1f\xff\x08no coding at all" * 10))
    with pytest.raises(ValueError, match=r"."):
        decoder.finish()


def test_bytes_behind_a_gzip_body_are_an_error() -> None:
    """A tail that a decoder would drop silently is refused."""
    with pytest.raises(ValueError, match="after the end"):
        decode("gzip", gzip.compress(b"body") + b"tail")


def test_deflate_comes_without_its_wrapper_too() -> None:
    """Servers send raw deflate under that name (RFC 9110 §8.4.1.2 notes it)."""
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    assert decode("deflate", raw.compress(b"body") + raw.flush()) == b"body"


def test_an_unknown_coding_has_no_decoder() -> None:
    """What cannot be put on again is not taken off."""
    assert codings.decoder("compress") is None
    assert codings.decoder("gzip, br") is None


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP, deflate", True),
        ("deflate, *", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("", False),
        (None, False),
    ],
)
def test_accept_encoding(header: str | None, accepted: bool) -> None:
    """A coding is used only for a client that says it takes it."""
    assert codings.accepts(header, "gzip") is accepted
