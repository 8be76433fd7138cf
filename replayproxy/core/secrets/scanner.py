"""The redaction rules, compiled, and what they find in bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from replayproxy.core.memo import Memo
from replayproxy.core.secrets.expressions import PatternFinder
from replayproxy.core.secrets.fields import FieldFinder
from replayproxy.core.secrets.headers import HeaderNames
from replayproxy.core.secrets.paths import PathFinder
from replayproxy.core.secrets.patterns import Rule, Where, placeholder
from replayproxy.core.secrets.spans import Edit, Secrets, literal_edits, merge
from replayproxy.core.secrets.spellings import Spelling, spellings

__all__ = ["Scanner", "scanner"]

#: A text no longer than this, in bytes, is short; so many of them are remembered, of so many bytes together.
_SHORT, _REMEMBERED, _SIZE = 1024, 1024, 512 * 1024

#: Counts the ways in which rules were read: what is redacted by the same rules in another way has another digest.
_READING = 2

_Compiled = tuple[Rule, bytes, re.Pattern[bytes]]
#: What goes before the edits for known values, what goes after them, and where else these are looked for.
_Found = tuple[tuple[Edit, ...], tuple[Edit, ...], tuple[Spelling, ...]]


@dataclass(frozen=True, slots=True)
class Scanner:
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
    #: The shapes whose case does not count; and all others in one expression: most text holds none of them, and to look
    #: once through 700 bytes takes 8 µs, twenty times 14.
    caseless: tuple[_Compiled, ...]
    any_other: re.Pattern[bytes]
    #: What was found lately in short texts: targets, reasons and most heads are the same again and again.
    memo: Memo[bytes, _Found]

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> Scanner:
        """A scanner for these rules."""
        constant = {placeholder(rule.kind) for rule in rules if rule.kind not in ("org", "proj")}
        others = (rule.what for rule in rules if rule.where == "shape" and not rule.any_case)
        shapes = _compiled(rules, "shape")
        return cls(
            digest=blake2b(repr((_READING, rules)).encode(), digest_size=4).hexdigest(),
            headers=HeaderNames.of(rules),
            fields=FieldFinder.of(rules),
            paths=PathFinder.of(rules),
            places=_compiled(rules, "place"),
            patterns=PatternFinder.of(rules),
            shapes=shapes,
            placeholders=b"\n".join(sorted(constant | {placeholder("api-key")}, reverse=True)),
            caseless=tuple(shape for shape in shapes if shape[0].any_case),
            any_other=re.compile("|".join(others).encode() or b"(?!)"),
            memo=Memo(_REMEMBERED, _SIZE),
        )

    def edits(
        self, data: bytes, secrets: Secrets, hidden: Callable[[str], bytes], at: int = 0, *, form: bool = False
    ) -> tuple[Edit, ...]:
        """Merged edits for `data` from `at`; `form` says that it is one field after the other. `secrets` are what is
        known by its value, and `hidden` gives the placeholder of each."""
        if not data:
            return ()
        before, after, spelled = self._found(data, at, form)
        known = [*literal_edits(data, secrets, hidden, self.placeholders, at)] if secrets else []
        for spelling in spelled if secrets else ():
            known += _edited(spelling, literal_edits(spelling.text, secrets, hidden, self.placeholders), at)
        return merge((*before, *known, *after)) if before or known or after else ()

    def _found(self, data: bytes, at: int, form: bool) -> _Found:
        return self._look(data, at, form) if at or form or len(data) > _SHORT else self._remembered(data)

    def _remembered(self, data: bytes) -> _Found:
        return self.memo.get(data) or self.memo.put(data, self._look(data, 0, form=False), len(data))

    def _look(self, data: bytes, at: int, form: bool) -> _Found:
        before, after = self._edits(data, at, form)
        spelled = tuple(spellings(data))
        for spelling in spelled:
            early, late = self._edits(spelling.text, 0, form=False)
            before += _edited(spelling, early, at)
            after += _edited(spelling, late, at)
        return tuple(before), tuple(after), spelled

    def _edits(self, data: bytes, at: int, form: bool) -> tuple[list[Edit], list[Edit]]:
        """What goes before the edits for known values, and what goes after them."""
        lower = data.lower()
        before = list(self.fields.form(data, at)) if form else []
        before += self.fields.find(data, lower, at)
        before += self._matches(self.places, data, lower, at)
        if self.patterns.patterns:
            before += self.patterns.find(data, at)
        shapes = self.shapes if self.any_other.search(data, at) else self.caseless
        return before, list(self._matches(shapes, data, lower, at))

    @staticmethod
    def _matches(rules: tuple[_Compiled, ...], data: bytes, lower: bytes, at: int) -> Iterator[Edit]:
        for rule, needed, pattern in rules:
            if needed in data:
                for match in pattern.finditer(lower if rule.any_case else data, at):
                    start, end = match.span(pattern.groups)
                    yield Edit(start, end, placeholder(rule.kind, data[start:end]), rule.name, match.start())


def _edited(spelling: Spelling, edits: Iterable[Edit], at: int) -> Iterator[Edit]:
    """The edits of a spelling as edits of the bytes from `at`."""
    found = map(spelling.back, edits)
    return (edit for edit in found if edit is not None and edit.start >= at)


@lru_cache(maxsize=16)
def scanner(rules: tuple[Rule, ...]) -> Scanner:
    """The scanner for these rules."""
    return Scanner.of(rules)


def _compiled(rules: tuple[Rule, ...], where: Where) -> tuple[_Compiled, ...]:
    return tuple((rule, rule.needs.encode(), re.compile(rule.what.encode())) for rule in rules if rule.where == where)
