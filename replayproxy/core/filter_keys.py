"""The keys of the filter language: what each looks at in an exchange, and how its values are read.

An exchange is seen as the summary that lists show of it (a mapping as in JSON) and, only when a key needs them, as the
texts of its request and response: head lines, an empty line, the body. A new key is one row of `KEYS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from replayproxy.core.filter_texts import Texts, body_of, contains, fits, head_of
from replayproxy.errors import ConfigError

__all__ = ["KEYS", "Key", "Look", "Summary"]

Summary = Mapping[str, Any]
#: Whether an exchange is looked for: asks its summary and, if it must, its texts.
Look = Callable[[Summary, Texts], bool]

_FAILURES = ("failed", "gone", "missed", "rejected")
_OUTCOMES: Mapping[str, tuple[str, ...]] = {
    **{each: (each,) for each in ("played", "repeated", "missed", "saved", "forwarded", *_FAILURES, "under_way")},
    "hit": ("played", "repeated"),
    "miss": ("missed",),
    "save": ("saved",),
    "recorded": ("saved",),
    "forward": ("forwarded",),
    "passed": ("forwarded",),
    "reject": ("rejected",),
    "invalid": ("rejected",),
    "fail": ("failed",),
    "error": _FAILURES,
    "live": ("under_way",),
}
_STATES: Mapping[str, Callable[[Summary], bool]] = {
    "stream": lambda summary: bool(summary.get("stream")),
    "problem": lambda summary: bool(summary.get("problems") or summary.get("warnings")),
    "invalid": lambda summary: bool(summary.get("problems") or summary.get("outcome") == "rejected"),
    "live": lambda summary: summary.get("outcome") == "under_way",
    "hit": lambda summary: summary.get("outcome") in _OUTCOMES["hit"],
    "miss": lambda summary: summary.get("outcome") == "missed",
    "error": lambda summary: summary.get("outcome") in _FAILURES or (summary.get("status") or 0) >= 400,
}
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "m": 60.0, "min": 60.0}
_BYTES = {"": 1.0, "b": 1.0, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9}
_COUNTS = {"": 1.0, "k": 1e3, "m": 1e6}
_COMPARED = re.compile(r"(>=|<=|>|<|=)?\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-zµ]*)", re.ASCII)
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": lambda found, asked: found >= asked,
    "<=": lambda found, asked: found <= asked,
    ">": lambda found, asked: found > asked,
    "<": lambda found, asked: found < asked,
    "=": lambda found, asked: found == asked,
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the language, as it is offered and as it works.

    `exact` reads a value after `:`, `within` one after `~`; None: the key is not written so. Both raise ConfigError for
    a value that makes no sense. `values` are the words that it takes, when they are known beforehand; `texts` says that
    it looks into heads or bodies.
    """

    name: str
    meaning: str
    example: str
    exact: Callable[[str], Look] | None = None
    within: Callable[[str], Look] | None = None
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    texts: bool = False


def _words(name: str, meaning: str, example: str, found: Callable[[Summary], Iterable[str]], *aliases: str) -> Key:
    """A key whose values are compared as text: whole with `*` for anything after `:`, a part of it after `~`."""

    def exact(value: str) -> Look:
        return lambda summary, _: any(fits(value, each) for each in found(summary))

    def within(value: str) -> Look:
        return lambda summary, _: any(value.casefold() in each.casefold() for each in found(summary))

    return Key(name, meaning, example, exact, within, aliases)


def _field(name: str) -> Callable[[Summary], Iterable[str]]:
    return lambda summary: (str(summary[name]),) if summary.get(name) else ()


def _path(summary: Summary) -> Iterable[str]:
    target = str(summary.get("target") or "")
    return (target, target.partition("?")[0])


def _cassette(summary: Summary) -> Iterable[str]:
    parts = str(summary.get("cassette") or "").split("/")
    names = ["/".join(parts[place:]) for place in range(len(parts))]
    return [*names, parts[-1].rpartition(".")[0]] if names != [""] else ()


def _number(
    name: str, meaning: str, example: str, units: Mapping[str, float], *aliases: str, of: str = "", field: str = ""
) -> Key:
    """A key whose values are numbers: equal, or compared. What is not known yet is no number and never fits."""

    def found(summary: Summary) -> float | None:
        held = summary.get(of) or {} if of else summary
        value = held.get(field or name)
        return value if isinstance(value, int | float) else None

    def exact(value: str) -> Look:
        compare, asked = _compared(value, example, units)

        def look(summary: Summary, texts: Texts) -> bool:
            number = found(summary)
            return number is not None and compare(number, asked)

        return look

    return Key(name, meaning, example, exact, aliases=aliases)


def _compared(value: str, example: str, units: Mapping[str, float]) -> tuple[Callable[[float, float], bool], float]:
    read = _COMPARED.fullmatch(value.lower())
    if read is None or read[3] not in units:
        known = ", ".join(unit for unit in units if unit)
        told = f" with or without a unit ({known})" if known else ""
        raise ConfigError(f"expected a number{told}, alone or after >, >=, < or <=, as in `{example}`")
    return _COMPARISONS[read[1] or "="], float(read[2]) * units[read[3]]


def _choice(value: str, known: Iterable[str]) -> str:
    """The one of the known words that is meant. ConfigError tells what comes nearest."""
    word = value.lower().replace("-", "_")
    if word not in known:
        near = get_close_matches(word[:80], tuple(known), n=1, cutoff=0.5)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise ConfigError(f"expected one of {', '.join(known)}{hint}")
    return word


def _outcome(value: str) -> Look:
    outcomes = _OUTCOMES[_choice(value, _OUTCOMES)]
    return lambda summary, _: summary.get("outcome") in outcomes


def _state(value: str) -> Look:
    state = _STATES[_choice(value, _STATES)]
    return lambda summary, _: state(summary)


def _status(value: str) -> Look:
    if value.lower() in ("none", "0"):
        return lambda summary, _: not summary.get("status")
    if re.fullmatch(r"[1-5]xx", value.lower()):
        return lambda summary, _: (summary.get("status") or 0) // 100 == int(value[0])
    read = re.fullmatch(r"(>=|<=|>|<|=)?(\d{3})", value, re.ASCII)
    if read is None:
        raise ConfigError("expected a status (404), a class (4xx), a comparison (>=400), or none")
    compare, asked = _COMPARISONS[read[1] or "="], int(read[2])
    return lambda summary, _: bool(summary.get("status")) and compare(summary["status"], asked)


def _texts(name: str, meaning: str, example: str, part: Callable[[str, str], Iterable[str]], *aliases: str) -> Key:
    """A key that looks for text in heads or bodies."""

    def within(value: str) -> Look:
        found = contains(value)
        return lambda _, texts: found(part(*texts()))

    return Key(name, meaning, example, None, within, aliases, texts=True)


_ROWS = (
    Key("outcome", "what became of it", "outcome:miss,failed", _outcome, values=tuple(_OUTCOMES)),
    _words("operation", "the operation's name in the catalog", "operation:create*", _field("operation"), "op"),
    _words("family", "the family of the API", "family:runs", _field("family")),
    Key("status", "the answer's status", "status:4xx,>=500", _status, values=("2xx", "4xx", "5xx", ">=400", "none")),
    _words("session", "the session's name", "session:checkout", _field("session")),
    _words("method", "the HTTP method", "method:POST", _field("method")),
    _words("path", "the path, with or without its query", "path:/v1/threads/*", _path, "target", "url"),
    _words("model", "the model that was asked for", "model:gpt-4*", _field("model")),
    _words("cassette", "the cassette that it was played from or saved to", "cassette:checkout.yaml", _cassette),
    Key(
        "is",
        "in what state it is: a stream, under way (live), answered from a cassette (hit), gone wrong",
        "is:stream",
        _state,
        values=tuple(_STATES),
    ),
    _number("number", "the exchange's number", "number:>=120", {"": 1.0}, "n"),
    _number("interaction", "the number of the interaction that answered", "interaction:3", {"": 1.0}),
    _number("seconds", "how long it took", "seconds:>1", _SECONDS, "time", "took"),
    _number("first_byte", "how long until its first byte", "first_byte:>500ms", _SECONDS, "ttfb"),
    _number("sent", "the size of the request's body", "sent:>10k", _BYTES),
    _number("received", "the size of the answer's body", "received:>1M", _BYTES, "size"),
    _number("tokens", "tokens in all", "tokens:>=1000", _COUNTS, of="tokens", field="total"),
    _number("input", "tokens of the input", "input:>2k", _COUNTS, of="tokens"),
    _number("output", "tokens of the output", "output:>500", _COUNTS, of="tokens"),
    _number("problems", "how many problems were found in it", "problems:>0", {"": 1.0}),
    Key("note", "what was noted of it", 'note~"no recording"', None, _words("", "", "", _field("note")).within),
    _texts("body", "a text in either body", 'body~"call_abc"', lambda *both: map(body_of, both)),
    _texts("request", "a text in the request's head or body", 'request~"tools"', lambda sent, _: (sent,)),
    _texts("response", "a text in the response's head or body", 'response~"rate limit"', lambda _, got: (got,)),
    _texts("header", "a text in either head", "header~x-request-id", lambda *both: map(head_of, both), "headers"),
)

#: Every key by its name, in the order in which they are explained; aliases are in the keys.
KEYS: Mapping[str, Key] = {each.name: each for each in _ROWS}
