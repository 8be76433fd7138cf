"""Edits over bytes: what is replaced, where, and what becomes of the pieces a body arrived in.

Also the edits for secrets that are known by their value.
"""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, quote_plus

from replayproxy.core.messages import Chunk, encode

__all__ = ["Edit", "Secrets", "apply", "literal_edits", "merge", "recut"]

#: What is known by its value.
Secrets = frozenset[str] | tuple[str, ...]

#: What neither JSON nor a URL spells in another way. Most keys are such, and so is what every answer has anew (cf-ray).
_UNESCAPED = re.compile(rb"[A-Za-z0-9_.~-]*")
_TO_URL = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes `start` to `end` become `replacement`, because of `rule`; the evidence for it begins at `first`."""

    start: int
    end: int
    replacement: bytes
    rule: str
    first: int


def merge(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits in order, overlapping ones joined.

    Of edits that overlap, the one that starts first says what stands there afterwards; then the longest, then the one
    that was given first.
    """
    merged: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if merged and edit.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = replace(last, end=max(last.end, edit.end), first=min(last.first, edit.first))
        else:
            merged.append(edit)
    return tuple(merged)


def apply(data: bytes, edits: Iterable[Edit], start: int = 0, end: int | None = None) -> bytes:
    """`data[start:end]` after `edits`, which are merged and lie in it."""
    pieces, at = list[bytes](), start
    for edit in edits:
        pieces += (data[at : edit.start], edit.replacement)
        at = edit.end
    return b"".join((*pieces, data[at:end]))


def recut(chunks: tuple[Chunk, ...], edits: tuple[Edit, ...]) -> tuple[Chunk, ...]:
    """The chunks of a body after `edits` (merged): the same bytes in the same chunk.

    What replaces a secret belongs to the chunk in which the secret began; a chunk that has nothing left goes.
    """
    cut, end, done = list[Chunk](), 0, 0
    for chunk in chunks:
        end += chunk.size
        here = _moved(end, edits)
        if here > done or not chunk.size:
            cut.append(Chunk(chunk.at, here - done))
        done = here
    return tuple(cut)


def _moved(offset: int, edits: tuple[Edit, ...]) -> int:
    shift = 0
    for edit in edits:
        if edit.start >= offset:
            break
        shift += len(edit.replacement) - (min(edit.end, offset) - edit.start)
    return offset + shift


def literal_edits(
    data: bytes, secrets: Secrets, hidden: Callable[[str], bytes], placeholders: bytes, at: int = 0
) -> Sequence[Edit]:
    """Edits for `secrets` in `data` from `at`, as they are and as URLs, JSON, base64 and hex spell them.

    `hidden` gives what is put in the place of one.

    `placeholders` lists the constant placeholders, separated by line feeds; they are never reached into.
    """
    forms = _all_forms(secrets)
    there = [form for form in forms if form in data]
    found = {form: hidden(forms[form]) for form in there if form not in placeholders}
    return [*_literals(data, found, placeholders, at)] if found else ()


def _literals(data: bytes, found: dict[bytes, bytes], placeholders: bytes, at: int) -> Iterator[Edit]:
    """The edits for forms that are in the data, with what is put in their place."""
    any_of = b"|".join(re.escape(form) for form in sorted(found, key=lambda form: (-len(form), form)))
    kept = rb"redacted\.(?:org|proj)\.[0-9a-f]{8}|" + b"|".join(map(re.escape, placeholders.split(b"\n")))
    for match in re.finditer(kept + b"|(" + any_of + b")", data[at:]):
        if form := match.group(1):
            yield Edit(at + match.start(), at + match.end(), found[form], "literal", at + match.start())


@lru_cache(maxsize=64)
def _all_forms(secrets: Secrets) -> dict[bytes, str]:
    """The forms of secrets, with whose they are: one message asks for them a few times."""
    return {form: secret for secret in secrets for form in _forms(secret)}


@lru_cache(maxsize=256)
def _forms(secret: str) -> tuple[bytes, ...]:
    raw = encode(secret)
    if _UNESCAPED.fullmatch(raw):
        return tuple(dict.fromkeys((raw, *_base64_forms(raw), *_hex_forms(raw))))
    escaped, readable = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    percent = (quote(raw, safe=""), quote(raw), quote_plus(raw))
    lower = (re.sub("%..", lambda code: code.group().lower(), form) for form in percent)
    texts = (escaped, escaped.replace("/", r"\/"), readable, readable.replace("/", r"\/"), *percent, *lower)
    return tuple(dict.fromkeys((raw, *map(encode, texts), *_base64_forms(raw), *_hex_forms(raw))))


def _hex_forms(raw: bytes) -> tuple[bytes, ...]:
    return raw.hex().encode(), raw.hex().upper().encode()


def _base64_forms(raw: bytes) -> tuple[bytes, ...]:
    """The letters that `raw` contributes to base64, for each of the three places at which it can begin."""
    size = len(raw)
    cores = (
        b2a_base64(raw, newline=False)[: size * 8 // 6],
        b2a_base64(b"\0" + raw, newline=False)[2 : (size + 1) * 8 // 6],
        b2a_base64(b"\0\0" + raw, newline=False)[3 : (size + 2) * 8 // 6],
    )
    return (*cores, *[core.translate(_TO_URL) for core in cores if b"+" in core or b"/" in core])
