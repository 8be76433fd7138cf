"""Redaction: no secret in what is stored, logged or shown.

Rules:
1. A body is changed by spans of bytes and nothing else: its layout, and what arrived in which chunk, stay.
2. The same secret in the same place always becomes the same placeholder, so that redacted requests can be compared.
3. Redacting what is redacted changes nothing.
4. A secret that a request carries as a credential is replaced wherever else it turns up, there and in the answer.

The table of rules is `core/secrets/patterns.py`, and `core/secrets/custom.py` makes rules of what the user declares.
The other modules of `core/secrets/` know what stands around a secret, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import unquote

from replayproxy.core.media_types import media_type
from replayproxy.core.memo import Memo
from replayproxy.core.messages import Body, Chunk, FileBody, Headers, Request, Response, decode, encode
from replayproxy.core.secrets.deltas import delta_edits
from replayproxy.core.secrets.headers import credentials, redacted_value
from replayproxy.core.secrets.packed import repacked
from replayproxy.core.secrets.patterns import PLACEHOLDER, RULES, Rule, placeholder_of
from replayproxy.core.secrets.scanner import Scanner, scanner
from replayproxy.core.secrets.spans import Edit, apply, merge, recut
from replayproxy.core.secrets.stream import OVERLAP, WINDOW, StreamRedactor

__all__ = ["LEAST_LITERAL", "RULES", "Finding", "Redactor", "Rule", "StreamRedactor", "find_secrets"]

#: A shorter credential is a dummy (`test`, `not-needed`) that must not eat words elsewhere.
LEAST_SECRET = 12
#: What was given on purpose may be shorter.
LEAST_LITERAL = 8

#: The bytes of UTF-8 that begin no character.
_CONTINUED = bytes(range(0x80, 0xC0))

#: A second look finds something only where secrets of odd shapes overlap; a third one hardly ever does.
PASSES = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a secret stands, and the name of the rule that knows it; never the secret itself.

    `start` and `end` count bytes when bytes were searched, characters when text was.
    """

    rule: str
    start: int
    end: int


#: So many heads of requests are remembered, of so many bytes together.
_HEADS, _HEADS_SIZE = 256, 256 * 1024

_Head = tuple[str, tuple[tuple[str, str], ...], frozenset[str]]
_Redacted = tuple[frozenset[str], str, Headers]


class _Sorted(NamedTuple):
    """Headers, the rule for each, and the values that none is for, each in a line."""

    headers: Headers
    rules: list[Rule | None]
    others: bytes


@dataclass(frozen=True, slots=True)
class Redactor:
    """Makes redacted copies of messages and texts.

    `rules` come from `RULES` (leave one out to switch it off); `literals` are further secrets, replaced wherever they
    stand; `known` are such with what replaces them. `digest` (8 hex digits) names the rules, not the values: redacted
    copies compare only under the same rules.
    """

    rules: tuple[Rule, ...] = RULES
    literals: tuple[str, ...] = field(default=(), repr=False)
    known: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    digest: str = field(init=False)
    _scanner: Scanner = field(init=False, repr=False, compare=False)
    _values: dict[str, bytes] = field(init=False, repr=False, compare=False)
    #: What was made of the latest heads of requests: clients send one and the same again and again.
    _heads: Memo[_Head, _Redacted] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = {literal: placeholder_of(literal) for literal in self.literals if len(literal) >= LEAST_LITERAL}
        object.__setattr__(self, "_scanner", scanner(self.rules))
        object.__setattr__(self, "digest", self._scanner.digest)
        object.__setattr__(self, "_heads", Memo(_HEADS, _HEADS_SIZE))
        object.__setattr__(self, "_values", values | {value: encode(hidden) for value, hidden in self.known})

    def secrets(self, request: Request) -> frozenset[str]:
        """The credentials in a request's headers and target (also in URLs in its headers), long enough to look for.

        Give them to `response`: an answer may repeat them.
        """
        found = set(self._header_secrets(self._sorted(request.headers)))
        target = encode(request.target)
        found.update(self._found_in(target, self.target_edits(target, frozenset())))
        return self._worth_looking_for(found)

    def answer_secrets(self, response: Response, secrets: frozenset[str] = frozenset()) -> frozenset[str]:
        """What to look for in an answer: the `secrets` of its request, and those that its own headers tell."""
        return self._answer_secrets(self._sorted(response.headers), secrets)

    def request(self, request: Request, secrets: frozenset[str] = frozenset()) -> Request:
        """A redacted copy of `request`; a body in a file stays as it is. `secrets` are known besides its own."""
        key = (request.target, request.headers.pairs, secrets)
        secrets, target, headers = self._heads.get(key) or self._heads.put(key, *self._head(request, secrets))
        body = self.body(request.headers, request.body, secrets) if request.body else request.body
        return Request(request.method, target, headers, body)

    def _head(self, request: Request, secrets: frozenset[str]) -> tuple[_Redacted, int]:
        """What `request` makes of a head, and about how many bytes it has."""
        secrets |= self.secrets(request)
        target = decode(self._settled(encode(request.target), lambda raw: self.target_edits(raw, secrets))[0])
        headers = self._redacted_headers(self._sorted(request.headers), secrets)
        size = len(request.target) + sum(len(name) + len(value) for name, value in request.headers)
        return (secrets, target, headers), size

    def body(self, headers: Headers, body: Body, secrets: frozenset[str]) -> Body:
        """A redacted copy of a body under these headers; one in a file stays as it is."""
        if isinstance(body, FileBody):
            return body
        return self._body(headers, body, secrets, headers.get("content-encoding") or "")[0]

    def _body(
        self, headers: Headers, body: bytes, secrets: frozenset[str], coding: str, chunks: tuple[Chunk, ...] = ()
    ) -> tuple[bytes, tuple[Chunk, ...]]:
        """A redacted body in that content coding, with its chunks: what was compressed loses them with its secrets."""

        def cleansed(raw: bytes) -> bytes:
            return self._settled(raw, lambda text: self.body_edits(headers, text, secrets))[0]

        if (again := repacked(body, coding, cleansed)) is not body:
            return again, ()
        return self._settled(body, lambda raw: self.body_edits(headers, raw, secrets), chunks)

    def response(self, response: Response, secrets: frozenset[str]) -> Response:
        """A redacted copy of `response`, its chunks resized; a body in a file stays as it is.

        `secrets` are those of the request. A body that is still compressed loses its chunks with its secrets.
        """
        sorted_headers = self._sorted(response.headers)
        secrets = self._answer_secrets(sorted_headers, secrets)
        headers = self._redacted_headers(sorted_headers, secrets)
        reason = self.text(response.reason, secrets)
        if isinstance(response.body, FileBody):
            return replace(response, reason=reason, headers=headers)
        # Of a coding that was taken off the header still tells.
        coding = "" if response.coding else response.headers.get("content-encoding") or ""
        body, chunks = self._body(response.headers, response.body, secrets, coding, response.chunks)
        return Response(response.status, reason, headers, body, response.coding, chunks)

    def text(self, text: str, secrets: frozenset[str] = frozenset()) -> str:
        """`text` without secrets: a line of a log, an error, a URL."""
        try:
            return decode(self.data(encode(text), secrets))
        except UnicodeEncodeError:  # halves of characters, which never were bytes
            raw = self.data(text.encode("utf-8", "surrogatepass"), secrets)
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # a secret began within one
            return raw.decode("utf-8", "replace")

    def data(self, data: bytes, secrets: frozenset[str] = frozenset()) -> bytes:
        """`data` of any kind without secrets."""
        return self._settled(data, lambda raw: self.edits(raw, secrets))[0]

    def edits(
        self, data: bytes, secrets: frozenset[str] = frozenset(), at: int = 0, *, form: bool = False
    ) -> tuple[Edit, ...]:
        """What one look at `data` from `at` finds to change, in order; `form` when it is form fields throughout."""
        known = (*secrets, *self._values) if self._values else secrets
        return self._scanner.edits(data, known, self._hidden, at, form=form)

    def _hidden(self, secret: str) -> bytes:
        return self._values[secret] if secret in self._values else placeholder_of(secret)

    def target_edits(self, raw: bytes, secrets: frozenset[str] = frozenset()) -> tuple[Edit, ...]:
        """What one look at the target of a request finds to change."""
        query = raw.find(b"?") + 1
        if not query:
            return self.edits(raw, secrets)
        of = self._scanner
        return merge((*of.paths.in_query(raw, query), *of.fields.form(raw, query), *self.edits(raw, secrets)))

    def body_edits(self, headers: Headers, raw: bytes, secrets: frozenset[str] = frozenset()) -> tuple[Edit, ...]:
        """What one look at a body under these headers finds to change."""
        media = media_type(headers)
        paths = self._scanner.paths
        found = [*paths.in_body(media, headers, raw)] if paths.body or paths.names else []
        if media.essence == "text/event-stream":
            found += delta_edits(raw, lambda text: self.edits(text, secrets))
        edits = self.edits(raw, secrets, form=media.is_form)
        return merge((*found, *edits)) if found else edits

    def header_rule(self, name: str) -> Rule | None:
        """The rule that hides the value of a header, when there is one for that name."""
        return self._scanner.headers.rule(name)

    def stream(
        self, secrets: frozenset[str] = frozenset(), *, overlap: int = OVERLAP, window: int = WINDOW
    ) -> StreamRedactor:
        """A redactor for data in pieces; it makes the `edits` that the whole would get.

        It keeps about `window` bytes; `overlap` is the longest secret that it sees as one, evidence before it included.
        """
        return StreamRedactor(lambda data, at: self.edits(data, secrets, at), overlap, window)

    @staticmethod
    def _settled(
        data: bytes, find: Callable[[bytes], tuple[Edit, ...]], chunks: tuple[Chunk, ...] = ()
    ) -> tuple[bytes, tuple[Chunk, ...]]:
        """`data` and its chunks, edited until there is nothing to edit: two secrets that overlap may hide a third."""
        for _ in range(PASSES):
            edits = find(data)
            if not edits:
                break
            data, chunks = apply(data, edits), recut(chunks, edits)
        return data, chunks

    def _sorted(self, headers: Headers) -> _Sorted:
        rules = self._scanner.headers.rules_of(headers)
        others = [value for (_, value), rule in zip(headers.pairs, rules, strict=True) if rule is None]
        return _Sorted(headers, rules, encode("\n".join(others)))

    def _answer_secrets(self, sorted_headers: _Sorted, secrets: frozenset[str]) -> frozenset[str]:
        return secrets | self._worth_looking_for(set(self._header_secrets(sorted_headers)))

    def _redacted_headers(self, sorted_headers: _Sorted, secrets: frozenset[str]) -> Headers:
        pairs, ruled = [*sorted_headers.headers.pairs], list[str]()
        for place, rule in enumerate(sorted_headers.rules):
            if rule is not None:
                name, value = pairs[place]
                pairs[place] = name, redacted_value(rule, value)
                ruled.append(pairs[place][1])
        # Most headers hold nothing: one look at many of them together saves one at each. What no rule is for was looked
        # at in this way before, and what rules left of the others is the same again and again.
        if self.edits(sorted_headers.others, secrets) or self.edits(encode("\n".join(ruled)), secrets):
            pairs = [(name, decode(self.data(encode(value), secrets))) for name, value in pairs]
        return Headers(tuple(pairs))

    def _header_secrets(self, sorted_headers: _Sorted) -> Iterator[str]:
        for (_, value), rule in zip(sorted_headers.headers.pairs, sorted_headers.rules, strict=True):
            if rule is not None:
                yield from credentials(rule, value)
        if edits := self.edits(sorted_headers.others):
            yield from self._found_in(sorted_headers.others, edits)

    @staticmethod
    def _found_in(raw: bytes, edits: tuple[Edit, ...]) -> Iterator[str]:
        for edit in edits:
            secret = decode(raw[edit.start : edit.end])
            yield from (secret, unquote(secret, errors="surrogateescape"))
            if edit.rule.endswith("userinfo"):
                yield unquote(secret, errors="surrogateescape").partition(":")[2]

    @staticmethod
    def _worth_looking_for(found: set[str]) -> frozenset[str]:
        return frozenset(
            secret for secret in found if len(secret) >= LEAST_SECRET and not PLACEHOLDER.fullmatch(encode(secret))
        )


def find_secrets(text: str | bytes) -> tuple[Finding, ...]:
    """What the built-in rules would replace in `text`, in order. Header rules see headers written `name: value`."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    edits = scanner(RULES).edits(raw, (), placeholder_of)
    if isinstance(text, bytes) or text.isascii():
        return tuple(Finding(edit.rule, edit.start, edit.end) for edit in edits)

    def characters(end: int) -> int:
        return len(raw[:end].translate(None, _CONTINUED))  # an edit may begin or end within a character

    return tuple(Finding(edit.rule, characters(edit.start), characters(edit.end)) for edit in edits)
