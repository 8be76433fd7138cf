"""From when until when a certificate is valid, read from its PEM text (RFC 5280, section 4.1; X.690 for the form)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

__all__ = ["validity"]

_SEQUENCE, _INTEGER, _VERSION = 0x30, 0x02, 0xA0
#: How a time is written, by its tag: UTCTime, GeneralizedTime.
_FORMS = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}


def validity(pem: str) -> tuple[int, int] | None:
    """The first and the last second (since 1970) of a certificate; None when the text is no certificate."""
    begin = pem.find(ssl.PEM_HEADER)
    end = pem.find(ssl.PEM_FOOTER, begin)
    if begin < 0 or end < 0:
        return None
    try:
        first, last = _times(ssl.PEM_cert_to_DER_cert(pem[begin : end + len(ssl.PEM_FOOTER)]))
    except (ValueError, IndexError):
        return None
    return first, last


def _times(der: bytes) -> Iterator[int]:
    """The two times of a certificate. ValueError or IndexError when it is none."""
    (_, certificate), *_ = _values(der)
    (_, signed), *_ = _values(certificate)
    fields = [field for field in _values(signed) if field[0] != _VERSION]
    tags = [tag for tag, _ in fields[:4]]
    if tags != [_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE]:
        raise ValueError(f"a certificate does not begin with {tags}")
    for tag, text in _values(fields[3][1]):  # serial number, signature algorithm, issuer, validity
        form = _FORMS.get(tag)
        if form is None:
            raise ValueError(f"{tag} is no time")
        yield int(datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC).timestamp())


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each value that stands in `der`, one behind the other."""
    place = 0
    while place < len(der):
        tag, length, place = der[place], der[place + 1], place + 2
        if length & 0x80:
            size = length & 0x7F
            length, place = int.from_bytes(der[place : place + size]), place + size
        yield tag, der[place : place + length]
        place += length
