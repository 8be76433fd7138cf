"""Edits over bytes: what is replaced, where, and what becomes of the pieces a body arrived in.

Also the edits for secrets that are known by their value.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, quote_plus

from replayproxy.core.messages import Chunk, encode

__all__ = ["Edit", "apply", "literal_edits", "merge", "recut"]


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


def literal_edits(data: bytes, secrets: Mapping[str, bytes], placeholders: bytes, at: int = 0) -> Iterator[Edit]:
    """Edits for `secrets` in `data` from `at`, as they are and as URLs, JSON and base64 spell them.

    Each goes with what is put in its place.

    `placeholders` lists the constant placeholders, separated by line feeds; they are never reached into.
    """
    found = {
        form: hidden
        for secret, hidden in secrets.items()
        for form in _forms(secret)
        if form in data and form not in placeholders
    }
    if not found:
        return
    any_of = b"|".join(re.escape(form) for form in sorted(found, key=lambda form: (-len(form), form)))
    kept = rb"redacted\.(?:org|proj)\.[0-9a-f]{8}|" + b"|".join(map(re.escape, placeholders.split(b"\n")))
    for match in re.finditer(kept + b"|(" + any_of + b")", data[at:]):
        if form := match.group(1):
            yield Edit(at + match.start(), at + match.end(), found[form], "literal", at + match.start())


@lru_cache(maxsize=64)
def _forms(secret: str) -> tuple[bytes, ...]:
    raw = encode(secret)
    escaped, readable = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    percent = (quote(raw, safe=""), quote(raw), quote_plus(raw))
    lower = (re.sub("%..", lambda code: code.group().lower(), form) for form in percent)
    texts = (escaped, escaped.replace("/", r"\/"), readable, readable.replace("/", r"\/"), *percent, *lower)
    return tuple(dict.fromkeys((raw, *map(encode, texts), *_base64_forms(raw))))


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    """The letters that `raw` contributes to base64, for each of the three places at which it can begin."""
    for before, first in enumerate((0, 2, 3)):
        core = b64encode(bytes(before) + raw)[first : (before + len(raw)) * 8 // 6]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))
