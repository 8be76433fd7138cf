"""Reads a document that its key proved to be as it was written: most of it is headers, and they are read here.

Rules:
1. What is not exactly as `core/message_lines.py` writes it is left for the reader of YAML, header by header block.
2. A key is no signature: whoever wrote the document can have made one that fits. So no more is taken here than what
   reads the same in YAML and needs no check, namely printable ASCII.

Two thirds of the values of a document are names and values of headers; YAML's events for them take as much time.
"""

from __future__ import annotations

import re

from replayproxy.core.documents import Document
from replayproxy.core.fields import mapping_in
from replayproxy.core.messages import Headers
from replayproxy.core.yaml_read import Mapping, read_document
from replayproxy.errors import CassetteError

__all__ = ["read_proved"]

# No mark of YAML ends or splits it, and it is no word with a meaning.
_PLAIN = r"(?!(?:null|true|false)\n)[A-Za-z_/(](?:[!-9;-~]|:(?![ \n])| (?![#\n]))*"
#: A header with its value plain, in double quotes without escapes, or in single ones.
_HEADER = re.compile(
    r"    - ([A-Za-z_][A-Za-z0-9!#$%&'*+.^_`|~-]{0,99}): "
    rf"(?:\"([ !#-\[\]-~]*)\"|'((?:[ -&(-~]|'')*)'|({_PLAIN}))\n"
)
# No other line of a document begins with two blanks and this word: what stands in a body is further to the right.
_HEADERS = "\n  headers:\n"


def read_proved(document: Document) -> Mapping:
    """The fields of an interaction's document, or of a beginning of it, with `Headers` in the place of those lists of
    headers that were read here."""
    text, found = document.text, dict[str, Headers]()
    # The response first: what is taken out there moves nothing before it.
    for name, end in (("response", len(text)), ("request", text.find("\nresponse:\n"))):
        side = text.find(f"\n{name}:\n")
        start = text.find(_HEADERS, side, end if end >= 0 else len(text)) if side >= 0 else -1
        headers, over = _headers(text, start + len(_HEADERS)) if start >= 0 else (None, 0)
        if headers is not None:
            # Line ends in the place of the lines, so that errors still tell the right ones.
            text = text[:start] + "\n" * text.count("\n", start, over) + text[over:]
            found[name] = headers
    mapping = read_document(text, document.line)
    if not isinstance(mapping, Mapping):
        raise CassetteError("a document is not a mapping of fields", line=document.line)
    for name, headers in found.items():
        if mapping_in(mapping, name).setdefault("headers", headers) is not headers:
            raise CassetteError("the key 'headers' stands here twice", line=document.line, cure="Keep one of them")
    return mapping


def _headers(text: str, at: int) -> tuple[Headers | None, int]:
    """The headers that begin at a place, and where they end; None when one of them is not for this reader."""
    pairs = list[tuple[str, str]]()
    while found := _HEADER.match(text, at):
        name, double, single, plain = found.groups()
        pairs.append((name, single.replace("''", "'") if single is not None else plain if double is None else double))
        at = found.end()
    return (None, at) if text.startswith("    ", at) else (Headers(tuple(pairs)), at)
