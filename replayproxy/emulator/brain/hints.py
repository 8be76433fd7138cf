"""What a message offers for the fields of a structure: its numbers, names, quotations, addresses, dates.

Rules, by the words of a field's name (`order_id` has the words order and id), the first that offers something:

1. A quotation in the message ("…" or “…”) that no field has had yet.
2. `email`, `url`, `date`…: the first thing of that form in the message.
3. `id`, `code`, `number`, `key`, `sku`: the first word with a digit in it.
4. `expression`, `equation`, `formula`: the first piece of arithmetic.
5. `city`, `location`, `country`, `name`, `origin`, `destination`, `person`…: the next run of capitalised words beyond
   the first of a sentence ("from Paris to New York" gives Paris, then New York); the last one goes on.
6. `query`, `question`, `text`, `message`, `prompt`, `search`, `input`, `content`…: the message itself.

A number takes the next number of the message that fits. Any other text is the name of its field, in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Hints", "words_of"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_QUOTED = re.compile(r"\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|(?<!\w)'([^'\n]{1,200})'(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|\.\d)")
_NAME = re.compile(r"(?<![\w'’])[^\W\d_a-z][\w'’-]*(?: [^\W\d_a-z][\w'’-]*)*")
_FIRST_WORD = re.compile(r"(?:^|[.!?:]\s+|\n\s*)[\"'“(¿¡]*([^\W\d_]+)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?\b")
_CODE = re.compile(r"(?<![\w-])#?((?=[\w-]*\d)\w[\w-]*)")
_ARITHMETIC = re.compile(r"[\d(][\d\s.()+*/^=x-]*[+*/^=x-][\d\s.()+*/^=x-]*[\dx)]")

_WHOLE = {
    "query",
    "question",
    "text",
    "message",
    "prompt",
    "search",
    "input",
    "content",
    "q",
    "body",
    "request",
    "task",
}
_NAMED = {
    *("city", "location", "place", "town", "country", "region", "state", "origin", "destination", "address", "from"),
    *("to", "name", "person", "user", "customer", "author", "company", "product", "title", "subject", "ticker"),
    *("cities", "locations", "places", "countries", "names", "people", "persons", "users", "participants", "authors"),
}
_PRONOUN = {"i", "i'm", "i’m", "i'd", "i’d", "i'll", "i’ll", "i've", "i’ve"}
#: Words that begin sentences and are no names.
_OPENINGS = _PRONOUN | {
    *(
        "what",
        "whats",
        "which",
        "who",
        "whose",
        "when",
        "where",
        "why",
        "how",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
    ),
    *(
        "did",
        "can",
        "could",
        "will",
        "would",
        "should",
        "may",
        "please",
        "the",
        "a",
        "an",
        "this",
        "that",
        "these",
        "it",
    ),
    *("in", "on", "at", "for", "from", "to", "and", "but", "or", "if", "my", "your", "we", "you", "he", "she", "they"),
    *("tell", "give", "show", "find", "get", "list", "say", "make", "create", "write", "book", "call", "use", "add"),
    *(
        "send",
        "set",
        "search",
        "look",
        "check",
        "hello",
        "hi",
        "hey",
        "thanks",
        "yes",
        "no",
        "ok",
        "okay",
        "now",
        "let",
    ),
    *("translate", "summarize", "explain", "describe", "calculate", "compute", "solve", "answer", "weather", "extract"),
}


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters: `getWeather_v2` has get, weather, v, 2."""
    return tuple(word.lower() for word in _WORD.findall(name))


@dataclass(slots=True)
class Hints:
    """What a message offers, and how much of it fields have had already."""

    message: str
    _had: dict[str, int] = field(default_factory=dict)

    def texts(self, name: str, schema: Mapping[str, Any]) -> Iterator[str]:
        """What may stand in the text field of a name, the fittest first; the format that `schema` asks for counts as
        a word of the name, and one with a pattern may be a code.
        """
        words = {*words_of(name), *words_of(str(schema.get("format", ""))), *(["code"] if "pattern" in schema else [])}
        for fits, offer in self._offers():
            if fits is None or fits & words:
                yield from offer()
        yield " ".join(words_of(name)) or "text"

    def numbers(self) -> Iterator[float]:
        """The numbers of the message that no field has had yet."""
        found = _NUMBER.findall(self.message)
        for text in found[self._had.get("number", 0) :]:
            self._had["number"] = self._had.get("number", 0) + 1
            yield float(text.replace(",", "")) if "." in text else int(text.replace(",", ""))

    def _offers(self) -> Iterator[tuple[set[str] | None, Callable[[], Iterator[str]]]]:
        yield None, lambda: self._next("quotation", ["".join(each) for each in _QUOTED.findall(self.message)])
        yield {"email", "mail"}, lambda: iter(_EMAIL.findall(self.message)[:1])
        yield {"url", "uri", "link", "website"}, lambda: iter(_URL.findall(self.message)[:1])
        yield {"date", "day", "time", "when", "start", "end"}, lambda: self._next("date", _DATE.findall(self.message))
        yield {"id", "code", "number", "key", "sku", "no"}, lambda: iter(_CODE.findall(self.message))
        yield {"expression", "equation", "formula"}, lambda: iter(_ARITHMETIC.findall(self.message)[:1])
        yield _NAMED, lambda: self._next("name", self._names(), last_again=True)
        yield _WHOLE, lambda: iter([self.message.strip()] if self.message.strip() else [])

    def _names(self) -> list[str]:
        """The names in the message; words that begin a sentence count only where there are no others."""
        starts = {found.start(1) for found in _FIRST_WORD.finditer(self.message)}
        sure, doubtful = list[str](), list[str]()
        for found in _NAME.finditer(self.message):
            first, _, rest = found.group().rstrip("'’").partition(" ")
            if found.start() not in starts:
                sure.append(f"{first} {rest}".strip())
            elif rest:
                sure.append(rest)
            elif first.lower() not in _OPENINGS:
                doubtful.append(first)
        return [name for name in sure if name.lower() not in _PRONOUN] or doubtful

    def _next(self, kind: str, found: list[str], *, last_again: bool = False) -> Iterator[str]:
        """The next of those found that no field has had; having been offered counts as had."""
        place = self._had.get(kind, 0)
        if last_again and found:
            place = min(place, len(found) - 1)
        if place < len(found):
            self._had[kind] = place + 1
            yield found[place]
