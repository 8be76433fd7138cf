"""What redaction would still change in what is stored: where each secret stands, and the interaction without it.

Rules:
1. What is told of a secret is its place and its rule, and how to find it in the file; it is never shown.
2. An id that an answer minted and that is hidden there is hidden alike wherever later requests and answers name it: in
   playback the client asks with what it was given. What the client made up itself changes where a rule says so and
   nowhere else, since in playback it will send it again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from replayproxy.core.cassette import Interaction
from replayproxy.core.differences import index_path, name_path
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import FileBody, Headers, Request, Response, decode, encode
from replayproxy.core.multipart import parse_multipart
from replayproxy.core.problem import Problem
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.headers import redacted_value
from replayproxy.core.secrets.json import Key, Scalar, Span, event_texts, scalars
from replayproxy.core.secrets.paths import form_fields
from replayproxy.core.secrets.spans import Edit

__all__ = ["Cleansed", "Cleansing", "Sighting", "path_text"]

#: What ids are made of: what stands in a URL without an escape, and is no word.
_TOKEN = re.compile(rb"[A-Za-z0-9._~-]{8,256}")
_NO_WORD = re.compile(rb"[0-9A-Z]")
#: Cookies come back as cookies, and ids of organisations have placeholders of their own.
_NO_IDS = re.compile(r"redacted\.(?:cookie|cf-ray|(?:org|proj)\.[0-9a-f]{8})|0")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A secret that is still there: the rule that knows it, and where it stands (`request header Authorization`,
    `response body.api_key`).

    `at` is the offset in the body, -1 when it is in no body; `secret` is how it is spelled, `hidden` what would replace
    it; `name` is the name that stands before it, "" when none does.
    """

    rule: str
    where: str
    at: int = -1
    name: str = ""
    secret: bytes = field(default=b"", repr=False)
    hidden: bytes = b""


@dataclass(frozen=True, slots=True)
class Cleansed:
    """An interaction after redaction, and what it held."""

    interaction: Interaction
    sent: tuple[Sighting, ...]
    answered: tuple[Sighting, ...]


class Cleansing:
    """Takes the interactions of one cassette in their order, and gives each without its secrets."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._known: dict[bytes, bytes] = {}
        self._asked: set[bytes] = set()

    def take(self, interaction: Interaction) -> Cleansed:
        """The next interaction; bodies in files are left to whoever reads files."""
        request, response = interaction.request, interaction.response
        tokens = _tokens(request)
        asking = self._knowing(tokens)
        secrets = asking.secrets(request)
        sent = tuple(_in_request(asking, request, secrets))
        self._asked |= tokens
        tokens = _tokens(response)
        answered = tuple(_in_response(self._knowing(tokens), response, secrets))
        self._learn(answered)
        answering = self._knowing(tokens)
        places = {(sighting.where, sighting.at) for sighting in answered}
        minted = _in_response(answering, response, secrets) if answered else ()
        answered += tuple(sighting for sighting in minted if (sighting.where, sighting.at) not in places)
        problems = tuple(_in_problem(asking, problem, secrets) for problem in interaction.problems)
        if sent:
            request = asking.request(request)
        if answered:
            response = answering.response(response, secrets)
        clean = replace(
            interaction, request=request, response=response, problems=tuple(problem for problem, _ in problems)
        )
        return Cleansed(clean, (*chain.from_iterable(seen for _, seen in problems), *sent), answered)

    def _knowing(self, tokens: set[bytes]) -> Redactor:
        known = sorted(self._known.keys() & tokens)
        if not known:
            return self._redactor
        return replace(self._redactor, known=tuple((decode(value), decode(self._known[value])) for value in known))

    def _learn(self, answered: Iterable[Sighting]) -> None:
        for sighting in answered:
            value = sighting.secret
            is_id = _TOKEN.fullmatch(value) and _NO_WORD.search(value)
            if is_id and value not in self._asked and not _NO_IDS.fullmatch(decode(sighting.hidden)):
                self._known.setdefault(value, sighting.hidden)


def path_text(root: str, path: tuple[Key, ...]) -> str:
    """A path as rules and misses write it."""
    for key in path:
        root = index_path(root, key) if isinstance(key, int) else name_path(root, key or "")
    return root


def _tokens(message: Request | Response) -> set[bytes]:
    parts = [encode(value) for _, value in message.headers]
    if isinstance(message, Request):
        parts.append(encode(message.target))
    if not isinstance(message.body, FileBody):
        parts.append(message.body)
    return {token for part in parts for token in _TOKEN.findall(part)}


def _in_request(redactor: Redactor, request: Request, secrets: frozenset[str]) -> Iterator[Sighting]:
    raw = encode(request.target)
    for edit in _edits(partial(redactor.target_edits, raw), secrets):
        name = next((decode(name) for name, start, end in _query(raw) if start <= edit.start < end), "")
        yield _sighting(redactor, f"request {name_path('query', name) if name else 'path'}", edit, raw, name)
    yield from _in_headers(redactor, "request", request.headers, secrets)
    if not isinstance(request.body, FileBody):
        yield from _in_body(redactor, "request", request.headers, request.body, secrets)


def _in_response(redactor: Redactor, response: Response, secrets: frozenset[str]) -> Iterator[Sighting]:
    secrets = redactor.answer_secrets(response, secrets)
    reason = encode(response.reason)
    for edit in _edits(partial(redactor.edits, reason), secrets):
        yield _sighting(redactor, "response reason", edit, reason, "reason")
    yield from _in_headers(redactor, "response", response.headers, secrets)
    if not isinstance(response.body, FileBody):
        yield from _in_body(redactor, "response", response.headers, response.body, secrets)


def _in_headers(redactor: Redactor, side: str, headers: Headers, secrets: frozenset[str]) -> Iterator[Sighting]:
    for name, value in headers:
        rule, where, raw = redactor.header_rule(name), f"{side} header {name}", encode(value)
        if rule and (hidden := redacted_value(rule, value)) != value:
            yield Sighting(rule.name, redactor.text(where), name=name, secret=raw, hidden=encode(hidden))
        else:
            for edit in _edits(partial(redactor.edits, raw), secrets):
                yield _sighting(redactor, where, edit, raw, name)


def _in_body(
    redactor: Redactor, side: str, headers: Headers, body: bytes, secrets: frozenset[str]
) -> Iterator[Sighting]:
    edits = _edits(partial(redactor.body_edits, headers, body), secrets)
    places = _places(headers, body) if edits else []
    for edit in edits:
        number = bisect_right(places, edit.start, key=lambda place: place[0]) - 1
        inside = number >= 0 and edit.start <= places[number][1]
        path, name = places[number][2:] if inside else ("body", "")
        yield replace(_sighting(redactor, f"{side} {path}", edit, body, name), at=edit.start)


def _edits(find: Callable[[frozenset[str]], tuple[Edit, ...]], secrets: frozenset[str]) -> tuple[Edit, ...]:
    """The edits, each by the rule that knows it without the credentials, if one does: that says more."""
    edits = find(secrets)
    if not edits:
        return ()
    rules = {(edit.start, edit.end): edit.rule for edit in find(frozenset())}
    return tuple(replace(edit, rule=rules.get((edit.start, edit.end), edit.rule)) for edit in edits)


def _sighting(redactor: Redactor, where: str, edit: Edit, raw: bytes, name: str) -> Sighting:
    """What is told of an edit; names hold secrets as well."""
    return Sighting(
        edit.rule, redactor.text(where), name=name, secret=raw[edit.start : edit.end], hidden=edit.replacement
    )


def _in_problem(redactor: Redactor, problem: Problem, secrets: frozenset[str]) -> tuple[Problem, list[Sighting]]:
    raw = encode(problem.message)
    seen = [_sighting(redactor, "problem message", edit, raw, "message") for edit in redactor.edits(raw, secrets)]
    return replace(problem, message=redactor.text(problem.message, secrets)), seen


def _query(raw: bytes) -> Iterator[tuple[bytes, int, int]]:
    start = raw.find(b"?") + 1
    return form_fields(raw, start) if start else iter(())


#: Where a value begins and ends, its path, and the last name in that.
_Place = tuple[int, int, str, str]


def _places(headers: Headers, body: bytes) -> list[_Place]:
    media = media_type(headers)
    if media.is_form:
        return [
            (start, end, name_path("body", decode(name)), decode(name)) for name, start, end in form_fields(body, 0)
        ]
    if media.is_multipart:
        parts = enumerate(parse_multipart(headers, body) or ())
        return [(part.start, part.end, f"body.parts[{n}].content", part.name or "") for n, part in parts]
    if media.essence == "text/event-stream":
        events = enumerate(event_texts(body))
        return [place for n, spans in events for place in _values(body, spans, f"body.events[{n}]")]
    return list(_values(body, ((0, len(body)),), "body")) if media.is_json else []


def _values(body: bytes, spans: tuple[Span, ...], root: str) -> Iterator[_Place]:
    for scalar in scalars(body, spans):
        yield scalar.start, scalar.end, path_text(root, scalar.path), _last_name(scalar)


def _last_name(scalar: Scalar) -> str:
    return next((key for key in reversed(scalar.path) if isinstance(key, str)), "")
