"""Secrets known by the user's own regular expressions, also where JSON or a URL spells them with escapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from replayproxy.core.secrets.patterns import PLACEHOLDER, Rule, placeholder
from replayproxy.core.secrets.spans import Edit
from replayproxy.core.secrets.views import json_view, url_view

__all__ = ["PatternFinder"]

#: No placeholder is longer.
_REACH = 64


@dataclass(frozen=True, slots=True)
class PatternFinder:
    """The `pattern` rules, compiled. They search bytes; text is UTF-8."""

    patterns: tuple[tuple[Rule, re.Pattern[bytes]], ...]

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> PatternFinder:
        """A finder for those of `rules` that it is for."""
        return cls(tuple((rule, re.compile(rule.what.encode())) for rule in rules if rule.where == "pattern"))

    def find(self, data: bytes, at: int = 0) -> Iterator[Edit]:
        """Edits for `data` from `at`: what an expression matches, unless it is a part of a placeholder."""
        yield from self._matches(data, at)
        for signs, view_of in ((b"\\", json_view), (b"%+", url_view)):
            if any(sign in data for sign in signs):
                view = view_of(data, at, len(data))
                for edit in self._matches(view.text, 0):
                    if view.touches(edit.start, edit.end):
                        start, end = view.span(edit.start, edit.end)
                        yield Edit(start, end, edit.replacement, edit.rule, start)

    def _matches(self, data: bytes, at: int) -> Iterator[Edit]:
        for rule, pattern in self.patterns:
            group = pattern.groupindex.get("secret", 0)
            for match in pattern.finditer(data, at):
                start, end = match.span(group)
                if end > start and not _in_placeholder(data, start, end):
                    yield Edit(start, end, placeholder(rule.kind, data[start:end]), rule.name, match.start())


def _in_placeholder(data: bytes, start: int, end: int) -> bool:
    reach = max(0, start - _REACH)
    found = PLACEHOLDER.finditer(data, reach, end + _REACH)
    return any(match.start() <= start and end <= match.end() for match in found)
