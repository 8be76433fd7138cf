"""The filter language for exchanges: `family:runs status:4xx outcome:miss -session:x body~"text"`.

Rules: terms are joined by blanks and must all fit; `-` before a term turns it round; values joined by commas are
alternatives; a word without a key, or quoted text, is looked for everywhere. What makes no sense is refused with the
place, what came nearest and what to write, never taken for something else. The keys are in `filter_keys.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from replayproxy.core.filter_keys import KEYS, Key, Look, Summary
from replayproxy.core.filter_texts import Texts, body_of, contains
from replayproxy.errors import ConfigError

__all__ = ["FILTER_KEYS", "KEYS", "Filter", "parse_filter"]

#: The keys as JSON, to be shown and offered: name, aliases, meaning, example, which signs it takes, and its values.
FILTER_KEYS: list[dict[str, Any]] = [
    {
        "key": key.name,
        "aliases": list(key.aliases),
        "meaning": key.meaning,
        "example": key.example,
        "signs": [sign for sign, reads in ((":", key.exact), ("~", key.within)) if reads],
        "values": list(key.values),
    }
    for key in KEYS.values()
]

_BY_NAME = {name: key for key in KEYS.values() for name in (key.name, *key.aliases)}
_KEYED = re.compile(r"([A-Za-z_][A-Za-z_0-9-]*)([:~])")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_BARE_VALUE = re.compile(r"[^\s,\"']+")
_BARE_WORD = re.compile(r"\S+")
_BLANKS = re.compile(r"\s*")
_CONNECTIVES = {
    "AND": "terms joined by blanks must all fit: leave it out",
    "OR": "alternatives are joined by commas, as in `status:404,5xx`",
    "NOT": "put `-` before a term to turn it round, as in `-status:2xx`",
}
_LOOKED_THROUGH = ("target", "operation", "note")


@dataclass(frozen=True, slots=True)
class _Term:
    looks: tuple[Look, ...]
    negated: bool
    texts: bool

    def fits(self, summary: Summary, texts: Texts) -> bool:
        return any(look(summary, texts) for look in self.looks) != self.negated


@dataclass(frozen=True, slots=True)
class Filter:
    """Which exchanges are wanted. `needs_bodies`: it may ask for their texts, which can take long."""

    text: str
    terms: tuple[_Term, ...] = ()

    @property
    def needs_bodies(self) -> bool:
        """Whether it may look into heads and bodies."""
        return any(term.texts for term in self.terms)

    def matches(self, summary: Summary, bodies: Texts) -> bool:
        """Whether an exchange is wanted: by its summary (as lists show it), and by what `bodies` gives when it is
        called: the request's and the response's text, each its head lines, an empty line and the body."""
        return all(term.fits(summary, bodies) for term in self.terms)


def parse_filter(text: str) -> Filter:
    """The filter that a text spells; an empty one wants everything. ConfigError for a text that makes no sense."""
    terms = tuple(_Reader(text).terms())
    # What asks the summary only comes first: most exchanges are then turned away without a look into their bodies.
    return Filter(text.strip(), tuple(sorted(terms, key=lambda term: term.texts)))


class _Reader:
    """Reads a text from the left to the right; `place` is how far it has come."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def terms(self) -> Iterator[_Term]:
        self._take(_BLANKS)
        while self.place < len(self.text):
            yield self._term()
            if not self._take(_BLANKS) and self.place < len(self.text):
                what = "a blank is missing here; a value that holds quotes or commas is quoted whole"
                raise self._refusal(self.place, f"{what}, with `\\` before a quote that belongs to it")

    def _term(self) -> _Term:
        begin = self.place
        negated = self.text.startswith("-", begin)
        self.place += negated
        if negated and not self.text[self.place : self.place + 1].strip():
            raise self._refusal(
                begin, "nothing follows the `-`; write the term to turn round behind it, as in `-status:2xx`"
            )
        keyed = _KEYED.match(self.text, self.place)
        if keyed is None:
            return _Term((_anywhere(self._word()),), negated, True)
        key = self._key(keyed)
        self.place = keyed.end()
        return _Term(tuple(self._looks(key, keyed)), negated, key.texts)

    def _key(self, keyed: re.Match[str]) -> Key:
        name = keyed[1].lower().replace("-", "_")
        if name in _BY_NAME:
            return _BY_NAME[name]
        near = get_close_matches(name[:80], tuple(_BY_NAME), n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"the keys are {', '.join(KEYS)}."
        word = _BARE_WORD.match(self.text, self.place)
        quoted = f' To look for the text, quote it: `"{word[0][:60]}"`' if word and '"' not in word[0] else ""
        raise self._refusal(self.place, f"there is no key `{name[:60]}`; {hint}{quoted}")

    def _looks(self, key: Key, keyed: re.Match[str]) -> Iterator[Look]:
        begin, sign = keyed.start(), keyed[2]
        read = key.exact if sign == ":" else key.within
        if read is None:
            other = "~" if sign == ":" else ":"
            what = "looks for a part of a text" if sign == ":" else "takes whole values"
            raise self._refusal(begin, f"`{key.name}` {what}: write `{key.name}{other}`, as in `{key.example}`")
        while True:
            value = self._value()
            if not value:
                raise self._refusal(begin, f"`{keyed[0]}` needs a value, as in `{key.example}`")
            try:
                yield read(value)
            except ConfigError as error:
                raise self._refusal(begin, str(error)) from None
            if not self.text.startswith(",", self.place):
                return
            self.place += 1

    def _value(self) -> str:
        return self._quoted() if self._at_quote() else self._take(_BARE_VALUE)

    def _word(self) -> str:
        begin = self.place
        if self._at_quote():
            if quoted := self._quoted():
                return quoted
            raise self._refusal(begin, "there is nothing between the quotes; write what to look for")
        word = self._take(_BARE_WORD)
        if word in _CONNECTIVES:
            raise self._refusal(begin, f'{_CONNECTIVES[word]}. To look for the word, quote it: `"{word}"`')
        return word

    def _quoted(self) -> str:
        quoted = _QUOTED.match(self.text, self.place)
        if quoted is None:
            sign = self.text[self.place]
            raise self._refusal(
                self.place, f"the closing {sign} is missing; put it, or `\\{sign}` for a quote in the text"
            )
        self.place = quoted.end()
        return re.sub(r"\\(.)", r"\1", quoted[1] if quoted[2] is None else quoted[2], flags=re.DOTALL)

    def _at_quote(self) -> bool:
        return self.text.startswith(('"', "'"), self.place)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.place)
        self.place = found.end() if found else self.place
        return found[0] if found else ""

    def _refusal(self, place: int, message: str) -> ConfigError:
        shown = self.text[place : place + 40].split("\n")[0]
        return ConfigError(f"filter, character {place + 1}, at `{shown}`: {message}")


def _anywhere(word: str) -> Look:
    found = contains(word)

    def look(summary: Summary, texts: Texts) -> bool:
        short = (str(summary[name]) for name in _LOOKED_THROUGH if summary.get(name))
        return found(short) or found(map(body_of, texts()))

    return look
