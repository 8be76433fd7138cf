"""A cassette's text without the secrets that are still in it, and where in the text they stand.

Rules:
1. A document without a secret keeps its very text. One with a secret is changed in place where that gives the same
   interaction, comments included; else it is written anew.
2. What is told of a document and what changes in it come from the same look at it (core/secrets/scan.py): a cassette
   that was redacted has nothing to tell any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.codec import decode_documents, decode_interaction, encode, split_cassette, upgraded, with_key
from replayproxy.core.documents import Document, Documents
from replayproxy.core.key_line import unkeyed
from replayproxy.core.messages import Body, FileBody, Headers, decode
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.scan import Cleansing, Sighting
from replayproxy.errors import CassetteError

__all__ = ["ReadFile", "Redacted", "RewriteFile", "Spotted", "redacted_cassette", "spotted"]

#: The content of a body's file: its bytes, or the body itself when it is large.
ReadFile = Callable[[FileBody], Body]
#: A large body's file without the secrets, and how many there were; the same body when there were none.
RewriteFile = Callable[[FileBody, Headers, frozenset[str]], tuple[FileBody, int]]

_DIGEST = re.compile(r"^redaction[ \t]*:.*$", re.MULTILINE)
_END = re.compile(r"^\.\.\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A cassette's text, the files that belong beside it (by name), and how many secrets went from how many
    interactions."""

    text: str
    files: Mapping[str, bytes]
    secrets: int
    interactions: int


@dataclass(frozen=True, slots=True)
class Spotted:
    """A secret in a cassette: its line in the cassette, or in the body's file called `file`."""

    line: int
    file: str
    sighting: Sighting


def spotted(text: str, redactor: Redactor, read_file: ReadFile) -> Iterator[Spotted]:
    """The secrets in the interactions of a cassette; CassetteError when it is none."""
    documents, cleansing = split_cassette(text), Cleansing(redactor)
    stored = decode_documents(documents, lambda body: body)
    for document, interaction in zip(documents.items[1:], stored.interactions, strict=True):
        loaded, lines = _loaded(interaction, read_file), _Lines(document)
        cleansed = cleansing.take(loaded)
        sides = ((interaction.request, loaded.request, cleansed.sent),)
        for kept, message, sightings in (*sides, (interaction.response, loaded.response, cleansed.answered)):
            for sighting in sightings:
                if sighting.at >= 0 and isinstance(kept.body, FileBody) and isinstance(message.body, bytes):
                    yield Spotted(message.body.count(b"\n", 0, sighting.at) + 1, kept.body.name, sighting)
                else:
                    yield Spotted(lines.of(sighting), "", sighting)


def redacted_cassette(
    text: str, redactor: Redactor, read_file: ReadFile, rewrite_file: RewriteFile, inline_limit: int
) -> Redacted:
    """A cassette without its secrets; CassetteError when it cannot be read."""
    documents = split_cassette(text)
    cassette = decode_documents(documents, read_file)
    rewriting = _Rewriting(redactor, read_file, rewrite_file, inline_limit, cassette)
    whole = rewriting.text(text, documents)
    if not rewriting.secrets:
        return Redacted(text, {}, 0, 0)
    decode_documents(split_cassette(whole), lambda body: body)  # never leave what could not be loaded
    return Redacted(whole, rewriting.files, rewriting.secrets, rewriting.interactions)


class _Rewriting:
    """One cassette on its way to being redacted."""

    def __init__(
        self, redactor: Redactor, read_file: ReadFile, rewrite_file: RewriteFile, inline_limit: int, cassette: Cassette
    ) -> None:
        self._redactor, self._cleansing, self._cassette = redactor, Cleansing(redactor), cassette
        self._read_file, self._rewrite_file, self._inline_limit = read_file, rewrite_file, inline_limit
        known = (redactor.secrets(interaction.request) for interaction in cassette.interactions)
        self._credentials: frozenset[str] = reduce(frozenset.union, known, frozenset())
        self.files: dict[str, bytes] = {}
        self.secrets = self.interactions = 0

    def text(self, text: str, documents: Documents) -> str:
        """The whole text; what stands between documents is comments."""
        pieces, done = list[str](), 0
        items = upgraded(documents).items
        for number, (old, item) in enumerate(zip(documents.items, items, strict=True)):
            start = text.index(old.text[:-1], done)
            pieces.append(self._comment(text[done:start]))
            pieces.append(self._document(number, item))
            done = min(start + len(old.text), len(text))
        pieces.append(self._comment(text[done:]))
        pieces[1] = self._stamped(pieces[1])
        return "".join(pieces)

    def _comment(self, text: str) -> str:
        self.secrets += self._count(text)
        return self._redactor.text(text, self._credentials)

    def _count(self, text: str) -> int:
        return len(self._redactor.edits(text.encode("utf-8", "surrogatepass"), self._credentials))

    def _stamped(self, head: str) -> str:
        line = f'redaction: "{self._redactor.digest}"'
        if _DIGEST.search(head):
            return _DIGEST.sub(line, head, count=1)
        return _END.sub(f"{line}\n...", head, count=1)

    def _document(self, number: int, document: Document) -> str:
        if number == 0:
            return self._comment(document.text)
        before = self._cassette.interactions[number - 1]
        cleansed = self._cleansing.take(before)
        after, large = self._files_rewritten(cleansed.interaction)
        found = len(cleansed.sent) + len(cleansed.answered) + large
        bare = unkeyed(document.text)  # a digest can look like a secret
        changed = self._redactor.text(bare, self._credentials)
        if changed != bare and self._reads(changed, document, after):
            self.secrets += max(found, self._count(bare))
            self.interactions += 1
            return changed if bare == document.text else with_key(changed, after)
        if not found:
            return document.text
        self.secrets += found
        self.interactions += 1
        encoded = encode(after, number, self._inline_limit)
        self.files |= encoded.files
        return encoded.text

    def _reads(self, text: str, document: Document, interaction: Interaction) -> bool:
        try:
            return decode_interaction(replace(document, text=text), self._read_file) == interaction
        except CassetteError:
            return False

    def _files_rewritten(self, interaction: Interaction) -> tuple[Interaction, int]:
        request, response, found = interaction.request, interaction.response, 0
        secrets = self._redactor.secrets(request) | self._credentials
        if isinstance(request.body, FileBody):
            body, count = self._rewrite_file(request.body, request.headers, secrets)
            request, found = replace(request, body=body), found + count
        if isinstance(response.body, FileBody):
            body, count = self._rewrite_file(response.body, response.headers, secrets)
            response, found = replace(response, body=body), found + count
        return replace(interaction, request=request, response=response), found


def _loaded(interaction: Interaction, read_file: ReadFile) -> Interaction:
    request, response = interaction.request, interaction.response
    if isinstance(request.body, FileBody):
        request = replace(request, body=read_file(request.body))
    if isinstance(response.body, FileBody):
        response = replace(response, body=read_file(response.body))
    return replace(interaction, request=request, response=response)


class _Lines:
    """Finds the lines of a document that secrets stand in, in the order in which they are asked for."""

    def __init__(self, document: Document) -> None:
        self._text, self._line = document.text, document.line
        self._facts = document.text.find("\n")  # the first line is a comment
        self._answer = max(document.text.find("\nresponse:"), self._facts)
        self._done: dict[tuple[str, bytes], int] = {}

    def of(self, sighting: Sighting) -> int:
        """The line of a secret, of its name when it is spelled in another way there, or else of the document."""
        key = (sighting.name, sighting.secret)
        begin = self._answer if sighting.where.startswith("response") else self._facts
        start = max(self._done.get(key, 0), begin)
        place = max(self._text.find(sighting.name, start), 0)
        # JSON escapes are none of YAML's, and long text is laid out in lines.
        spelled = re.split(r"[\\\n]", decode(sighting.secret)[:40])[0]
        found = self._text.find(spelled, max(place, start))
        place = found if found >= 0 else place
        self._done[key] = place + 1
        return self._line + self._text.count("\n", 0, place)
