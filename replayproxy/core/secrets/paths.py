"""Secrets known by where they stand: the values under a path or a name that the user declared.

Rules:
1. The grammar of paths is that of matching rules, and so is what they lead to (core/rule_paths.py): members of JSON,
   fields of a form or a query, content and filename of a part. In an event stream each event counts as a body; so does
   each of several JSON texts in one body.
2. What holds further values stands for all of them. A string becomes the placeholder and a number 0, so that a client
   still reads what it expects; `true`, `false` and `null` say too little to be hidden.
3. Bytes change only where the value stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from urllib.parse import unquote_to_bytes

from replayproxy.core.media_types import MediaType
from replayproxy.core.messages import Headers, decode
from replayproxy.core.multipart import parse_multipart
from replayproxy.core.rule_paths import ANY, DEEP, RulePath, Step
from replayproxy.core.secrets.json import Key, Scalar, Span, event_texts, scalars
from replayproxy.core.secrets.patterns import PLACEHOLDER, Rule, placeholder, plain_name
from replayproxy.core.secrets.spans import Edit

__all__ = ["PathFinder", "covers", "form_fields"]

_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*")
_ZERO = b"0"
_FILENAME = re.compile(rb"filename\*?=(?:\"([^\"\r\n]*)\"|([^\s;\"]+))", re.IGNORECASE)
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]")
_EVENT_START = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:data|event|id|retry)?:")

#: How many paths of a body are remembered: events repeat theirs, long lists do not.
_CACHED = 1024

_Placed = tuple[Rule, RulePath]


@dataclass(frozen=True, slots=True)
class PathFinder:
    """The `path` and `name` rules: paths into bodies and into queries, and names by what is left of them when
    separators and case do not count."""

    body: tuple[_Placed, ...]
    query: tuple[_Placed, ...]
    names: dict[str, Rule]

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> PathFinder:
        """A finder for those of `rules` that it is for."""
        placed = tuple((rule, RulePath.parse(rule.what)) for rule in rules if rule.where == "path")
        return cls(
            body=tuple(pair for pair in placed if pair[1].root == "body"),
            query=tuple(pair for pair in placed if pair[1].root == "query"),
            names={plain_name(rule.what): rule for rule in reversed(rules) if rule.where == "name"},
        )

    def in_query(self, data: bytes, at: int) -> Iterator[Edit]:
        """Edits for the query that `data` is from `at`."""
        return _in_fields(data, at, self.query)

    def in_body(self, media: MediaType, headers: Headers, data: bytes) -> Iterator[Edit]:
        """Edits for a body of that media type."""
        if media.is_form:
            yield from _in_fields(data, 0, self.body)
        elif media.is_multipart:
            yield from self._in_parts(headers, data)
        elif media.essence == "text/event-stream" or _EVENT_START.match(data):
            yield from self._in_json(data, event_texts(data))
        elif media.is_json or _JSON_START.match(data):
            yield from self._in_json(data, [((0, len(data)),)])
        else:
            yield from _whole(data, self.body)

    def _in_json(self, data: bytes, texts: Iterable[tuple[Span, ...]]) -> Iterator[Edit]:
        paths = [pair for pair in self.body if _may_lead(pair[1].steps, data)]
        if paths or self.names:
            rules: dict[tuple[Key, ...], Rule | None] = {}
            for scalar in chain.from_iterable(scalars(data, spans) for spans in texts):
                path = scalar.path
                if path not in rules:
                    if len(rules) == _CACHED:
                        rules.clear()
                    rules[path] = self._rule(path, paths)
                if rule := rules[path]:
                    yield from _scalar_edit(data, scalar, rule)

    def _rule(self, path: tuple[Key, ...], paths: list[_Placed]) -> Rule | None:
        named = (self.names.get(plain_name(key)) for key in path if isinstance(key, str)) if self.names else ()
        of_path = (rule for rule, wanted in paths if covers(wanted.steps, path))
        return next(of_path, None) or next((rule for rule in named if rule), None)

    def _in_parts(self, headers: Headers, data: bytes) -> Iterator[Edit]:
        before = 0
        for index, part in enumerate(parse_multipart(headers, data) or ()):
            filename = None if part.filename is None else _FILENAME.search(data, before, part.start)
            spans = {"content": (part.start, part.end)}
            if filename:
                spans["filename"] = filename.span(filename.lastindex or 0)
            for rule, wanted in self.body:
                for fact, (start, end) in spans.items():
                    if covers(wanted.steps, ("parts", index, fact)):
                        yield from _text_edit(data, start, end, rule)
            before = part.end


def covers(steps: tuple[Step, ...], path: tuple[Key, ...]) -> bool:
    """Whether `steps` lead to what has that path, or to something that it is in."""
    if DEEP not in steps:
        return _begins(steps, path)
    at = steps.index(DEEP)
    tail = steps[at + 1 :]
    return _begins(steps[:at], path) and any(_begins(tail, path[start:]) for start in range(at, len(path) + 1))


def form_fields(data: bytes, at: int) -> Iterator[tuple[bytes, int, int]]:
    """The fields of the form that `data` is from `at`: the decoded name, and where the value stands."""
    for field in data[at:].split(b"&"):
        name, equals, _ = field.partition(b"=")
        yield unquote_to_bytes(name.replace(b"+", b" ")), at + len(name) + len(equals), at + len(field)
        at += len(field) + 1


def _begins(steps: tuple[Step, ...], path: tuple[Key, ...]) -> bool:
    return len(steps) <= len(path) and all(step is ANY or step == key for step, key in zip(steps, path, strict=False))


@lru_cache(maxsize=1024)
def _names_in(steps: tuple[Step, ...]) -> tuple[bytes, ...]:
    return tuple(step.encode("utf-8", "surrogateescape") for step in steps if isinstance(step, str))


def _may_lead(steps: tuple[Step, ...], data: bytes) -> bool:
    """Whether the names of a path are in `data`, or may be behind an escape: a scan is cheaper than a walk."""
    return b"\\" in data or all(name in data for name in _names_in(steps))


def _in_fields(data: bytes, at: int, paths: tuple[_Placed, ...]) -> Iterator[Edit]:
    if paths:
        for name, start, end in form_fields(data, at):
            for rule, wanted in paths:
                if not wanted.steps or wanted.leads_to(decode(name)):
                    yield from _text_edit(data, start, end, rule)


def _whole(data: bytes, paths: tuple[_Placed, ...]) -> Iterator[Edit]:
    for rule, wanted in paths:
        if covers(wanted.steps, ()):
            yield from _text_edit(data, 0, len(data), rule)


def _scalar_edit(data: bytes, scalar: Scalar, rule: Rule) -> Iterator[Edit]:
    start, end = scalar.start, scalar.end
    if scalar.is_text:
        yield from _text_edit(data, start, end, rule)
    elif data[start:end] != _ZERO and _NUMBER.fullmatch(data, start, end):
        yield Edit(start, end, _ZERO, rule.name, start)


def _text_edit(data: bytes, start: int, end: int, rule: Rule) -> Iterator[Edit]:
    """The edit for text, unless nothing is left to hide.

    A path has the last word: what another rule put there goes as well, or a recording that was made before the path was
    declared would not fit requests that are redacted by it.
    """
    hidden = placeholder(rule.kind)
    done = data[start:end] == hidden if rule.where == "path" else PLACEHOLDER.fullmatch(data, start, end)
    if end > start and not done:
        yield Edit(start, end, hidden, rule.name, start)
