"""Requests of chance: HTTP with something wrong here and there, the same for the same seed; and how h11 reads them."""

from __future__ import annotations

import random
from dataclasses import dataclass

import h11

__all__ = ["END", "Read", "odd_bytes", "read_strictly"]

#: Requests that end whatever they follow: who counts or reads chunks finds an end or nonsense in them.
END = 2 * b"GET /v1/end HTTP/1.1\r\nHost: localhost\r\n\r\n"
END += b"GET /v1/end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#: What does not go on: what belongs to one connection, framing (which is made anew), and the name of the host.
_ENDS_HERE = {
    b"connection",
    b"content-length",
    b"expect",
    b"host",
    b"http2-settings",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_ODD_BYTES = (
    b"\x00",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\x0b",
    b"\x0c",
    b" ",
    b"#",
    b"+",
    b",",
    b"-",
    b"0",
    b"5",
    b":",
    b";",
)
_ODD_BYTES += (
    b"G",
    b"_",
    b"a",
    b"\\",
    b"\x7f",
    b"\x80",
    b"\xc2\xa0",
    b"\xff",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"\r\n ",
    b"//",
)


@dataclass(frozen=True, slots=True)
class Read:
    """A request as somebody read it, without what does not go on."""

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes


def read_strictly(data: bytes) -> list[Read]:
    """The requests that h11 finds in the bytes of a connection, up to the first that it does not take or the end."""
    found = list[Read]()
    while data := data.lstrip(b"\r\n"):  # RFC 9112 §2.2 has empty lines before a request skipped; h11 does not
        wire = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        wire.receive_data(data)
        request, body = None, b""
        try:
            while not isinstance(event := wire.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                else:
                    return found
        except h11.RemoteProtocolError:
            return found
        assert request is not None
        found.append(reading(request, body))
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in request.headers)
        # What asks for another protocol, and does not get it, is followed by more of this one.
        if request.http_version == b"1.0":  # where a connection is kept when the client says so, which h11 never does
            closes = closes or not any(n == b"connection" and b"keep-alive" in v.lower() for n, v in request.headers)
        if closes or request.method == b"CONNECT":
            return found
        data = bytes(wire.trailing_data[0])
    return found


def reading(request: h11.Request, body: bytes) -> Read:
    """What goes on of a request that h11 read."""
    named = {
        name.strip(b" \t").lower()
        for field, value in request.headers
        if field == b"connection"
        for name in value.split(b",")
    }
    fields = [pair for pair in request.headers.raw_items() if pair[0].lower() not in _ENDS_HERE | named]
    return Read(bytes(request.method), bytes(request.target), tuple(fields), body)


# --- chance


def odd_bytes(chance: random.Random) -> bytes:
    """One to three requests on one connection, of which most have something odd."""
    data = b"".join(_request(chance, number) for number in range(chance.randint(1, 3)))
    while chance.random() < 0.3:
        at = chance.randrange(len(data))
        cut = chance.choice((0, 0, 1, 2))
        data = data[:at] + (chance.choice(_ODD_BYTES) if chance.random() < 0.8 else b"") + data[at + cut :]
    return data


def _request(chance: random.Random, number: int) -> bytes:
    def mostly(usual: bytes, *odd: bytes, share: float = 0.04) -> bytes:
        return chance.choice(odd) if chance.random() < share else usual

    def eol() -> bytes:
        return mostly(b"\r\n", b"\n", b"\r", b"\r\r\n", b" \r\n", b"\r\n ", share=0.01)

    method = mostly(chance.choice((b"GET", b"POST", b"POST", b"PUT", b"DELETE")), *_METHODS)
    target = mostly(b"/v1/%d" % number, *_TARGETS)
    version = mostly(b"HTTP/1.1", *_VERSIONS)
    gap = [mostly(b" ", b"  ", b"\t", b"", b"\x0b", share=0.01) for _ in range(2)]
    lines = [mostly(b"Host: localhost", *_HOSTS)]
    framing, body = _framing(chance, mostly)
    lines += framing
    lines += [chance.choice(_FIELDS) for _ in range(chance.choice((0, 0, 1, 2)))]
    chance.shuffle(lines)
    head = mostly(b"", b"\r\n", b"\n", b"\r", share=0.03) + method + gap[0] + target + gap[1] + version + eol()
    return head + b"".join(line + eol() for line in lines) + eol() + body


def _framing(chance: random.Random, mostly: object) -> tuple[list[bytes], bytes]:
    kind = chance.random()
    body = chance.choice((b"hello", b"", b"GET /v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n", b"0\r\n\r\n", b"hello\r\n"))
    if kind < 0.25:
        return [], b""
    length = b"%d" % len(body)
    if kind < 0.55:
        odd = chance.random() < 0.2
        value = chance.choice(_LENGTHS) if odd else length
        lines = [chance.choice((b"Content-Length: ", b"content-length:", b"Content-Length:\t")) + value]
        if chance.random() < 0.05:
            lines.append(b"Content-Length: " + chance.choice((length, b"0", b"3")))
        return lines, body
    coding = chance.choice(_CODINGS) if chance.random() < 0.25 else b"Transfer-Encoding: chunked"
    lines = [coding] + ([b"Content-Length: " + length] if chance.random() < 0.08 else [])
    return lines, _chunks(chance, body)


def _chunks(chance: random.Random, body: bytes) -> bytes:
    at = chance.randint(0, len(body))
    data = b""
    for piece in (body[:at], body[at:]):
        if piece:
            size = b"%x" % len(piece)
            if chance.random() < 0.12:
                size = chance.choice(
                    (b"0x" + size, b"+" + size, size + b" ", b" " + size, b"0" + size, size.upper(), b"5g")
                )
            extension = chance.choice(_EXTENSIONS) if chance.random() < 0.15 else b""
            end = chance.choice((b"\n", b"\r", b"", b"x\r\n", b"\r\n\r\n")) if chance.random() < 0.06 else b"\r\n"
            data += size + extension + b"\r\n" + piece + end
    last = chance.choice((b"00", b"0;x", b"0 ", b"-0", b"0\r\nX: y")) if chance.random() < 0.15 else b"0"
    trailers = chance.choice(_TRAILERS) if chance.random() < 0.15 else b""
    return data + last + b"\r\n" + trailers + b"\r\n"


_METHODS = (
    b"get",
    b"Get",
    b"HEAD",
    b"FOO",
    b"PRI",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"G ET",
    b"",
    b"GET\x00",
    b"M-SEARCH",
)
_TARGETS = (b"/", b"*", b"/a?b=%2f&c", b"/a#b", b"/a b", b"/\xc3\xa9", b"/\\x", b"//x/y", b"http://localhost/v1/o", b"")
_TARGETS += (
    b"http://evil.example/",
    b"/a\tb",
    b"/%00",
    b"/../x",
    b"x",
    b"?x",
    b"https://localhost/x",
    b"/\x00",
    b"/" + b"a" * 300,
)
_VERSIONS = (
    b"HTTP/1.0",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"HTTP/1.2",
    b"HTTP/0.9",
    b"http/1.1",
    b"HTTP/1.10",
    b"",
    b"HTTP/1.1 x",
    b"ICE/1.0",
)
_HOSTS = (
    b"Host:",
    b"Host: a b",
    b"X: y",
    b"Host: localhost\r\nHost: localhost",
    b"Host : localhost",
    b"host:localhost",
)
_HOSTS += (b"Host: localhost:80", b"Host: [::1]", b"Host: localhost, x", b"Host: localhost\x00", b"Host:\tlocalhost ")
_LENGTHS = (
    b"+5",
    b"-1",
    b"0x5",
    b"5_0",
    b"5 5",
    b"5,5",
    b"",
    b"\xd9\xa5",
    b"99999999999999999999",
    b"05",
    b" 5 ",
    b"3",
    b"7",
    b"5;",
)
_LENGTHS += (b"18446744073709551615", b"18446744073709551621", b"9223372036854775808", b"5\t", b"5\x0b")
_CODINGS = (
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: Chunked",
    b"transfer-encoding:chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding: chunked ",
    b"Transfer-Encoding: chunked\t",
    b"Transfer-Encoding: chunked\x0b",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: chunked;x=y",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer_Encoding: chunked",
    b" Transfer-Encoding: chunked",
)
_EXTENSIONS = (
    b";a",
    b";a=b",
    b';a="b c"',
    b";a;b=1",
    b"; a = b",
    b";",
    b";;",
    b";a\rb",
    b";a\nb",
    b";\x00",
    b";a=\xff",
    b" ;a",
)
_TRAILERS = (
    b"X: y\r\n",
    b"Host: evil.example\r\n",
    b"Content-Length: 5\r\n",
    b"X : y\r\n",
    b"X\r\n",
    b" X: y\r\n",
    b"X: y\n",
)
_FIELDS = (
    b"X-A: 1",
    b"X-A: 2",
    b"X-Empty:",
    b"X-Utf: \xc3\xa9\xff",
    b"X-Tab:\ta\tb\t",
    b"Connection: close",
    b"Connection: keep-alive, X-A",
    b"connection: x-a",
    b"Connection: content-length",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"Keep-Alive: 5",
    b"TE: trailers",
    b"X-A : 1",
    b" X-A: 1",
    b"X A: 1",
    b": 1",
    b"X-A",
    b"X-A: 1\r\n folded",
    b"X-A: 1\nX-B: 2",
    b"X-A: 1\rX-B: 2",
    b"X-A: \x00",
    b"X-A: \x7f",
    b"X\xc3\xa9: 1",
    b"Content-Type: a\r\nContent-Type: b",
    b"Content-Encoding: gzip",
    b"X-Forwarded-Host: evil.example",
)  # fmt: skip
