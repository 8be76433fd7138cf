"""One document of a cassette changed or taken out; all others keep their very text.

Rules:
1. What could not be loaded again is refused, with the line in the text that was given.
2. The comments that number the documents go on telling their places; a document of an earlier version of the format is
   brought up to the present one, as everywhere where a file is written.
3. What stands between documents, and a last one that was not finished, stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from replayproxy.core.cassette import Interaction
from replayproxy.core.codec import Identified, decode_interaction, identified, renumber, upgraded, with_key
from replayproxy.core.documents import Document, Documents, split
from replayproxy.core.key_line import unkeyed
from replayproxy.core.messages import Body, FileBody
from replayproxy.errors import CassetteError

__all__ = ["edited_document", "rewritten"]

_ONE = "An interaction is one document: it begins with a line `---` and ends with a line `...`"
_BEGINNING = re.compile(r"^---(?:\s|$)", re.MULTILINE)
_END = re.compile(r"^\.\.\.(?:[ \t].*)?\Z", re.MULTILINE)


def edited_document(
    text: str, read_file: Callable[[FileBody], Body], version: int, identify: Identified = identified
) -> tuple[str, Interaction]:
    """The document that somebody wrote, fit to stand in a cassette of that version, and what it says.

    The marks around it may be missing; what stands before it are comments. CassetteError names the line of `text`.
    """
    whole, first = text.replace("\r\n", "\n").rstrip("\n"), 1
    if not _BEGINNING.search(whole):
        whole, first = f"---\n{whole}", 0
    whole = unkeyed(f"{whole}\n" if _END.search(whole) else f"{whole}\n...\n")
    try:
        document = _only(split(whole))
    except CassetteError as error:
        raise CassetteError(error.what, line=max(error.line + first - 1, 0), cure=error.cure or _ONE) from None
    interaction = decode_interaction(replace(document, line=document.line + first - 1), read_file, version)
    if document.text.endswith("\n...\n"):
        whole = whole.removesuffix(document.text) + with_key(document.text, interaction, identify)
    return whole, interaction


def rewritten(text: str, documents: Documents, number: int, document: str | None) -> str:
    """A cassette's text in which interaction `number` (from 1) reads `document`, or is gone when that is None."""
    items = documents.items
    wanted = items if document is None else (*items[:number], Document(document, 0), *items[number + 1 :])
    current = upgraded(replace(documents, items=wanted)).items
    pieces, done, place = list[str](), 0, 0
    for index, (old, item) in enumerate(zip(items, current, strict=True)):
        start = text.index(old.text.removesuffix("\n"), done)
        pieces.append(text[done:start])
        done = min(start + len(old.text), len(text))
        if index != number or document is not None:
            pieces.append(renumber(item.text, place))
            place += 1
    pieces.append(text[done:])
    whole = "".join(pieces)
    if len(split(whole).items) != place:
        raise CassetteError("the cassette would not hold the same interactions any more", cure=_ONE)
    return whole


def _only(documents: Documents) -> Document:
    if len(documents.items) > 1:
        raise CassetteError(f"these are {len(documents.items)} documents", line=documents.items[1].line)
    return documents.items[0]
