"""Texts and numbers that a JSON Schema takes, from what a message offers where that fits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import chain
from typing import Any, Final

from replayproxy.emulator.brain.patterns import matching

__all__ = ["number_for", "text_for"]

_Schema = Mapping[str, Any]

#: A text of each format; another one for another pick.
_FORMATS: Final[Mapping[str, Callable[[int], str]]] = {
    "date-time": lambda pick: f"2024-01-{pick % 28 + 1:02}T00:00:00Z",
    "date": lambda pick: f"2024-01-{pick % 28 + 1:02}",
    "time": lambda pick: f"{12 + pick % 12}:00:00Z",
    "duration": lambda pick: f"P{pick + 1}D",
    "email": lambda pick: f"user{pick or ''}@example.com",
    "idn-email": lambda pick: f"user{pick or ''}@example.com",
    "hostname": lambda pick: f"host{pick or ''}.example.com",
    "idn-hostname": lambda pick: f"host{pick or ''}.example.com",
    "ipv4": lambda pick: f"192.0.2.{pick % 254 + 1}",
    "ipv6": lambda pick: f"2001:db8::{pick + 1:x}",
    "uri": lambda pick: f"https://example.com/{pick or ''}",
    "url": lambda pick: f"https://example.com/{pick or ''}",
    "iri": lambda pick: f"https://example.com/{pick or ''}",
    "uri-reference": lambda pick: f"/{pick or ''}",
    "iri-reference": lambda pick: f"/{pick or ''}",
    "uri-template": lambda pick: f"/{pick or ''}",
    "uuid": lambda pick: f"00000000-0000-4000-8000-{pick + 1:012}",
    "json-pointer": lambda pick: f"/{pick or ''}",
    "relative-json-pointer": lambda pick: f"{pick}",
    "regex": lambda pick: f"a{pick or ''}",
    "byte": lambda pick: "aGVsbG8=",
}


def text_for(schema: _Schema, offered: Iterable[str], takes: Callable[[str], bool], pick: int = 0) -> str:
    """A text that `takes` takes: the first of those offered that fits, else one made from what the schema says."""
    given = next((text for text in chain(offered, ("text",)) if takes(text)), "")
    if given and not pick:
        return given
    varied = f"{given} {pick + 1}" if given else ""
    made = [varied, *_made(schema, pick)] if varied else list(_made(schema, pick))
    return next((text for text in made if takes(text)), given or (made[0] if made else ""))


def number_for(schema: _Schema, offered: Iterable[float], pick: int = 0) -> float:
    """A number by a schema: the first of those offered that fits, else the one nearest to 1; whole where it can be."""
    range_ = _Range(schema)
    for number in offered:
        if range_.holds(Fraction(str(number))):
            return number
    found = range_.near(pick)
    return int(found) if found.denominator == 1 else float(found)


def _made(schema: _Schema, pick: int) -> Iterable[str]:
    least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
    if isinstance(schema.get("pattern"), str):
        for each in (pick, 0):
            text = matching(schema["pattern"], least, each)
            if text is not None:
                yield text
                yield text[:most]
    made = _FORMATS.get(str(schema.get("format")))
    plain = made(pick) if made else f"text {pick + 1}" if pick else "text"
    yield plain
    yield plain.ljust(least, "a")
    yield plain.ljust(least, "a")[:most]
    yield f"{pick}".ljust(least, "a")[:most]
    yield chr(ord("a") + pick % 26) * least


class _Range:
    """Which numbers a schema takes."""

    def __init__(self, schema: _Schema) -> None:
        self._low = _limit(schema, "minimum", "exclusiveMinimum", max)
        self._high = _limit(schema, "maximum", "exclusiveMaximum", min)
        step = schema.get("multipleOf")
        self._step = Fraction(str(step)) if isinstance(step, int | float) and step > 0 else None
        if "integer" in schema.get("type", ()):
            self._step = Fraction(self._step.numerator) if self._step else Fraction(1)

    def holds(self, number: Fraction) -> bool:
        """Whether a number is taken."""
        low, high = self._low, self._high
        above = low is None or number > low[0] or (number == low[0] and not low[1])
        below = high is None or number < high[0] or (number == high[0] and not high[1])
        return above and below and (self._step is None or (number / self._step).denominator == 1)

    def near(self, pick: int) -> Fraction:
        """A number that is taken, `pick` steps further than the one nearest to 1, if there are any."""
        start = Fraction(1)
        if self._low is not None and start <= self._low[0]:
            start = self._low[0]
        if self._high is not None and start > self._high[0]:
            start = self._high[0]
        found = next((each for each in self._candidates(start, pick) if self.holds(each)), None)
        return found if found is not None else next(filter(self.holds, self._candidates(start, 0)), start)

    def _candidates(self, start: Fraction, pick: int) -> Iterable[Fraction]:
        step = self._step or Fraction(1)
        up, down = math.ceil(start / step) * step, math.floor(start / step) * step
        if self._step is None:
            up = down = start
        yield from (up + pick * step, up + (pick + 1) * step, down - pick * step, down - (pick + 1) * step)
        if self._step is None and self._low is not None and self._high is not None:
            width = self._high[0] - self._low[0]
            yield self._low[0] + width * Fraction(pick + 1, pick + 2)


_Limit = tuple[Fraction, bool]


def _limit(schema: _Schema, word: str, exclusive: str, tighter: Callable[..., _Limit]) -> _Limit | None:
    """A bound and whether it is excluded itself; draft 4's `exclusiveMinimum: true` is understood too."""
    found = list[_Limit]()
    if _is_number(schema.get(word)):
        found.append((Fraction(str(schema[word])), schema.get(exclusive) is True))
    if _is_number(schema.get(exclusive)):
        found.append((Fraction(str(schema[exclusive])), True))
    return tighter(found, key=_place) if found else None


def _place(limit: _Limit) -> Fraction:
    return limit[0]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
