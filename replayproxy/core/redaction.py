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

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import unquote

from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, Chunk, FileBody, Headers, Request, Response, decode, encode
from replayproxy.core.secrets.deltas import delta_edits
from replayproxy.core.secrets.expressions import PatternFinder
from replayproxy.core.secrets.fields import FieldFinder
from replayproxy.core.secrets.headers import HeaderNames, credentials, redacted_value
from replayproxy.core.secrets.paths import PathFinder
from replayproxy.core.secrets.patterns import PLACEHOLDER, RULES, Rule, Where, placeholder, placeholder_of
from replayproxy.core.secrets.spans import Edit, apply, literal_edits, merge, recut
from replayproxy.core.secrets.stream import OVERLAP, WINDOW, StreamRedactor

__all__ = ["LEAST_LITERAL", "RULES", "Finding", "Redactor", "Rule", "StreamRedactor", "find_secrets"]

#: A shorter credential is a dummy (`test`, `not-needed`) that must not eat words elsewhere.
LEAST_SECRET = 12
#: What was given on purpose may be shorter.
LEAST_LITERAL = 8

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


_Compiled = tuple[Rule, bytes, re.Pattern[bytes]]


@dataclass(frozen=True, slots=True)
class _Scanner:
    """The rules, compiled. What is known by its place comes before what is known by its value, and that before what
    is known by its shape: a dummy key at the same place then gets the same placeholder as a real one."""

    digest: str
    headers: HeaderNames
    fields: FieldFinder
    paths: PathFinder
    places: tuple[_Compiled, ...]
    patterns: PatternFinder
    shapes: tuple[_Compiled, ...]
    placeholders: bytes

    def edits(self, data: bytes, secrets: Mapping[str, bytes], at: int = 0, *, form: bool = False) -> tuple[Edit, ...]:
        """Merged edits for `data` from `at`; `form` says that it is one field after the other. `secrets` are what is
        known by its value, each with its placeholder."""
        lower = data.lower()
        found = list(self.fields.form(data, at)) if form else []
        found += self.fields.find(data, lower, at)
        found += self._matches(self.places, data, lower, at)
        found += self.patterns.find(data, at)
        found += literal_edits(data, secrets, self.placeholders, at)
        found += self._matches(self.shapes, data, lower, at)
        return merge(found)

    @staticmethod
    def _matches(rules: tuple[_Compiled, ...], data: bytes, lower: bytes, at: int) -> Iterator[Edit]:
        for rule, needed, pattern in rules:
            if needed in data:
                for match in pattern.finditer(lower if rule.any_case else data, at):
                    start, end = match.span(pattern.groups)
                    yield Edit(start, end, placeholder(rule.kind, data[start:end]), rule.name, match.start())


@lru_cache(maxsize=16)
def _scanner(rules: tuple[Rule, ...]) -> _Scanner:
    constant = {placeholder(rule.kind) for rule in rules if rule.kind not in ("org", "proj")} | {placeholder("api-key")}
    return _Scanner(
        digest=blake2b(repr(rules).encode(), digest_size=4).hexdigest(),
        headers=HeaderNames.of(rules),
        fields=FieldFinder.of(rules),
        paths=PathFinder.of(rules),
        places=_compiled(rules, "place"),
        patterns=PatternFinder.of(rules),
        shapes=_compiled(rules, "shape"),
        placeholders=b"\n".join(sorted(constant, reverse=True)),
    )


def _compiled(rules: tuple[Rule, ...], where: Where) -> tuple[_Compiled, ...]:
    return tuple((rule, rule.needs.encode(), re.compile(rule.what.encode())) for rule in rules if rule.where == where)


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
    _scanner: _Scanner = field(init=False, repr=False, compare=False)
    _values: dict[str, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = {literal: placeholder_of(literal) for literal in self.literals if len(literal) >= LEAST_LITERAL}
        object.__setattr__(self, "_scanner", _scanner(self.rules))
        object.__setattr__(self, "digest", self._scanner.digest)
        object.__setattr__(self, "_values", values | {value: encode(hidden) for value, hidden in self.known})

    def secrets(self, request: Request) -> frozenset[str]:
        """The credentials in a request's headers and target (also in URLs in its headers), long enough to look for.

        Give them to `response`: an answer may repeat them.
        """
        found = set(self._header_secrets(request.headers))
        target = encode(request.target)
        found.update(self._found_in(target, self.target_edits(target, frozenset())))
        return self._worth_looking_for(found)

    def answer_secrets(self, response: Response, secrets: frozenset[str] = frozenset()) -> frozenset[str]:
        """What to look for in an answer: the `secrets` of its request, and those that its own headers tell."""
        return secrets | self._worth_looking_for(set(self._header_secrets(response.headers)))

    def request(self, request: Request, secrets: frozenset[str] = frozenset()) -> Request:
        """A redacted copy of `request`; a body in a file stays as it is. `secrets` are known besides its own."""
        secrets |= self.secrets(request)
        target = decode(self._settled(encode(request.target), lambda raw: self.target_edits(raw, secrets))[0])
        headers = self._redacted_headers(request.headers, secrets)
        body = self.body(request.headers, request.body, secrets)
        return replace(request, target=target, headers=headers, body=body)

    def body(self, headers: Headers, body: Body, secrets: frozenset[str]) -> Body:
        """A redacted copy of a body under these headers; one in a file stays as it is."""
        if isinstance(body, FileBody):
            return body
        return self._settled(body, lambda raw: self.body_edits(headers, raw, secrets))[0]

    def response(self, response: Response, secrets: frozenset[str]) -> Response:
        """A redacted copy of `response`, its chunks resized; a body in a file stays as it is.

        `secrets` are those of the request. A body that is still compressed hides its secrets: give it decoded.
        """
        secrets = self.answer_secrets(response, secrets)
        headers = self._redacted_headers(response.headers, secrets)
        reason = self.text(response.reason, secrets)
        if isinstance(response.body, FileBody):
            return replace(response, reason=reason, headers=headers)
        body, chunks = self._settled(
            response.body, lambda raw: self.body_edits(response.headers, raw, secrets), response.chunks
        )
        return replace(response, reason=reason, headers=headers, body=body, chunks=chunks)

    def text(self, text: str, secrets: frozenset[str] = frozenset()) -> str:
        """`text` without secrets: a line of a log, an error, a URL."""
        raw = text.encode("utf-8", "surrogatepass")
        return self.data(raw, secrets).decode("utf-8", "surrogatepass")

    def data(self, data: bytes, secrets: frozenset[str] = frozenset()) -> bytes:
        """`data` of any kind without secrets."""
        return self._settled(data, lambda raw: self.edits(raw, secrets))[0]

    def edits(
        self, data: bytes, secrets: frozenset[str] = frozenset(), at: int = 0, *, form: bool = False
    ) -> tuple[Edit, ...]:
        """What one look at `data` from `at` finds to change, in order; `form` when it is form fields throughout."""
        values = {secret: placeholder_of(secret) for secret in secrets} | self._values
        return self._scanner.edits(data, values, at, form=form)

    def target_edits(self, raw: bytes, secrets: frozenset[str] = frozenset()) -> tuple[Edit, ...]:
        """What one look at the target of a request finds to change."""
        query = raw.find(b"?") + 1
        if not query:
            return self.edits(raw, secrets)
        scanner = self._scanner
        return merge((*scanner.paths.in_query(raw, query), *scanner.fields.form(raw, query), *self.edits(raw, secrets)))

    def body_edits(self, headers: Headers, raw: bytes, secrets: frozenset[str] = frozenset()) -> tuple[Edit, ...]:
        """What one look at a body under these headers finds to change."""
        media = media_type(headers)
        found = [*self._scanner.paths.in_body(media, headers, raw)]
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

    def _redacted_headers(self, headers: Headers, secrets: frozenset[str]) -> Headers:
        names = self._scanner.headers
        rules = [names.rule(name) for name, _ in headers]
        values = [
            redacted_value(rule, value) if rule else value for rule, (_, value) in zip(rules, headers, strict=True)
        ]
        # Most headers hold nothing: one look at all of them together saves one at each.
        if self.edits(encode("\n".join(values)), secrets):
            values = [decode(self.data(encode(value), secrets)) for value in values]
        return Headers(tuple((name, value) for (name, _), value in zip(headers, values, strict=True)))

    def _header_secrets(self, headers: Headers) -> Iterator[str]:
        names, others = self._scanner.headers, list[str]()
        for name, value in headers:
            if rule := names.rule(name):
                yield from credentials(rule, value)
            else:
                others.append(value)
        raw = encode("\n".join(others))
        yield from self._found_in(raw, self.edits(raw, frozenset()))

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
    edits = _scanner(RULES).edits(raw, {})
    if isinstance(text, bytes) or text.isascii():
        return tuple(Finding(edit.rule, edit.start, edit.end) for edit in edits)

    def characters(end: int) -> int:
        return len(raw[:end].decode("utf-8", "surrogatepass"))

    return tuple(Finding(edit.rule, characters(edit.start), characters(edit.end)) for edit in edits)
