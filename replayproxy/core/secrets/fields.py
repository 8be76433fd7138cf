r"""Secrets known by the name that stands before them: `"api_key": "…"`, `&api_key=…`, `x-api-key: …`, a part.

Rules:
1. Nothing is parsed. A field is recognised where it stands, at any depth, in an event stream, in JSON that is a string
   in JSON (`\"api_key\": \"…\"`), in a truncated body.
2. `lower` is the data in lower case, with the same offsets: names are looked for there, values taken from the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import unquote_to_bytes

from replayproxy.core.secrets.headers import HeaderNames
from replayproxy.core.secrets.paths import form_fields
from replayproxy.core.secrets.patterns import (
    MAX_SECRET,
    PLACEHOLDER,
    SCHEMES,
    How,
    Rule,
    placeholder,
    plain_name,
    words,
)
from replayproxy.core.secrets.spans import Edit

__all__ = ["FieldFinder"]

#: How far to the left of its last word a name, and what separates it from the text before, is looked for.
_NAME_REACH = 80

_SEPARATORS = b"-_. []"
_BLANKS = r"(?:[ \t\r\n]|\\{1,7}[nrt]){0,4096}+"
#: What follows a name: `": "` with its escape, quote and perhaps `[`; `=`; or `: ` of a header.
_TAIL = rf"(?:(\\{{0,7}})([\"'])(?:{_BLANKS}:{_BLANKS})(\[{_BLANKS})?\1\2|(=|%3d)|(:[ \t]{{0,4}}))"
_COMMA = re.compile(f"{_BLANKS},{_BLANKS}".encode())
_STRING_ENDS = {b'"': re.compile(rb'["\r\n]'), b"'": re.compile(rb"[\"'\r\n]")}

#: What stands before a field of a query, where a whole name counts; and before a setting, where it does not.
_QUERY_NAME = re.compile(rb"(?:(\n|\\n|[;\"' ])|[?&#]|&amp;|\\u0026|%3f|%26|%23)([a-z0-9_.\[\]-]+)\Z")
_QUERY_CHAR = rb"[^&\s\"'<>#\\`]"
_QUERY_VALUE = re.compile(rb"(?:(?!redacted\.)%b){8,%d}+" % (_QUERY_CHAR, MAX_SECRET))
_ESCAPED_QUERY_VALUE = re.compile(rb"(?:(?!redacted\.|%%2[0236])%b){8,%d}+" % (_QUERY_CHAR, MAX_SECRET))

_SETTING = re.compile(rb"(?:(?!redacted\.)[^;&\s\"'<>#\\`]){8,%d}+" % MAX_SECRET)

_LINE_CHAR = rb"(?!redacted\.)[^\s\"'\\,;<>`]"
_LINE_SECRET = re.compile(rb"(?=(?:%b){0,200}?[0-9])(?:%b){16,%d}+" % (_LINE_CHAR, _LINE_CHAR, MAX_SECRET))
_LINE_CREDENTIAL = re.compile(
    rb"(?=(?:%b){0,200}?(?:[0-9=]|[a-z][A-Z]))(?:%b){6,%d}+" % (_LINE_CHAR, _LINE_CHAR, MAX_SECRET)
)
_LINE_COOKIES = re.compile(rb"(?=[^\s=;]{1,100}=)(?:(?!redacted\.)[^\"'\\\r\n<>`]){8,%d}+" % MAX_SECRET)
_LINE_COOKIE = re.compile(rb"(?<==)(?:(?!redacted\.)[^\"'\\\s;<>`]){8,%d}+" % MAX_SECRET)
_COOKIE_NAME = re.compile(rb"[^\s=;\"'\\<>]{1,100}=")

_PART = re.compile(
    rb"content-disposition[ \t]*:([^\r\n]{0,500}(?:\r?\n[ \t][^\r\n]{0,500}){0,8})"
    rb"(?:\r?\n[^\r\n]{1,500}){0,8}\r?\n\r?\n"
)
#: A name, or a piece of one (RFC 2231), as clients write it and as they should not.
_PART_NAME = re.compile(
    rb"(?<![a-z])name[ \t]*(?:\*[0-9]?\*?)?[ \t]*=[ \t]*(?:utf-8'[a-z-]*'|iso-8859-1'[a-z-]*')?"
    rb"(?:\"([^\"\r\n]{0,100})\"|'([^'\r\n]{0,100})'|([^\s;\"']{1,100}+))"
)
_VALUE = re.compile(rf"value(\\{{0,7}})([\"']){_BLANKS}:{_BLANKS}()\1\2".encode())
_LIST_END = re.compile(rf"\}}{_BLANKS}\]".encode())


@dataclass(frozen=True, slots=True)
class FieldFinder:
    """Finds the values of fields with secret names.

    `endings`, `whole` and `exact` map names without their separators to rules: names that end so, names that are so in
    a query or a form, and names that are so anywhere.
    """

    patterns: tuple[re.Pattern[bytes], ...]
    lists: tuple[tuple[re.Pattern[bytes], Rule], ...]
    endings: dict[bytes, Rule]
    whole: dict[bytes, Rule]
    exact: dict[bytes, Rule]
    headers: HeaderNames

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> FieldFinder:
        """A finder for the `field`, `query` and `list` rules, and for the names of `header` rules in text."""
        return cls(
            patterns=_patterns(rules),
            lists=tuple((_list_pattern(rule), rule) for rule in rules if rule.where == "list"),
            endings={_plain(name): rule for rule in rules if rule.where == "field" for name in _names(rule)},
            whole={_plain(name): rule for rule in rules if rule.where == "query" for name in _names(rule)},
            exact={plain_name(rule.what).encode(): rule for rule in reversed(rules) if rule.where == "name"},
            headers=HeaderNames.of(rules),
        )

    def find(self, data: bytes, lower: bytes, at: int = 0) -> Iterator[Edit]:
        """Edits for fields in `data`, from `at`."""
        if not (b":" in data or b"=" in data or b"%" in data):
            return
        for pattern in self.patterns:
            done = at
            for match in pattern.finditer(lower, at):
                # A name inside a value that goes anyway is not looked at: values of values would take for ever.
                if match.start() >= done:
                    for edit in self._field(data, lower, match):
                        done = edit.end
                        yield edit
        yield from self._parts(data, lower, at)
        for pattern, rule in self.lists:
            yield from _values_in_list(data, lower, at, pattern, rule)

    def form(self, data: bytes, at: int = 0) -> Iterator[Edit]:
        """Edits for `data` from `at` as form fields: `name=value&…`, percent-encoded as they may be."""
        for name, start, end in form_fields(data, at):
            rule = self._rule(name.lower(), whole=True)
            if rule:
                yield from _edit(data, rule, at, start, end)
            at = end + 1

    def _rule(self, name: bytes, *, whole: bool) -> Rule | None:
        if b"redacted." in name:
            return None
        plain = name.translate(None, _SEPARATORS)
        if self.exact and (rule := self.exact.get(plain) or self.exact.get(_last_step(name))):
            return rule
        if whole and plain in self.whole:
            return self.whole[plain]
        return next((rule for ending, rule in self.endings.items() if plain.endswith(ending)), None)

    def _field(self, data: bytes, lower: bytes, match: re.Match[bytes]) -> Iterator[Edit]:
        if match.start(2) >= 0:
            return self._quoted(data, lower, match)
        return self._query(data, lower, match) if match.group(4) else self._line(data, lower, match)

    def _quoted(self, data: bytes, lower: bytes, match: re.Match[bytes]) -> Iterator[Edit]:
        rule = self._rule(_name(lower, match.start(1)), whole=False)
        if rule:
            for start, end in _strings(data, match):
                yield from _edit(data, rule, match.start(), start, end)

    def _query(self, data: bytes, lower: bytes, match: re.Match[bytes]) -> Iterator[Edit]:
        before = lower[max(0, match.start() - _NAME_REACH) : match.start(4)]
        name = _QUERY_NAME.search(before if match.start() > _NAME_REACH else b"\n" + before)
        rule = name and self._rule(name.group(2), whole=name.group(1) is None)
        value = _setting(name.group(1), match.group(4)).match(data, match.end()) if name and rule else None
        if rule and value:
            yield from _edit(data, rule, match.start(), *value.span())

    def _line(self, data: bytes, lower: bytes, match: re.Match[bytes]) -> Iterator[Edit]:
        name = _name(lower, match.start(5)).rpartition(b" ")[2].lstrip(b"-.[")
        rule = None if b"redacted." in name else self.headers.rule(name.decode("latin-1"))
        value = _line_value(data, match.end(), rule.how) if rule else None
        if rule and value:
            yield from _edit(data, rule, match.start(), *value.span())

    def _part_rule(self, disposition: bytes) -> Rule | None:
        """Strings that are no name, a file's for one, may look like it: each is asked for, and all as one."""
        names = [unquote_to_bytes(b"".join(found)) for found in _PART_NAME.findall(disposition)]
        rules = (self._rule(name, whole=True) for name in (*names, b"".join(names)))
        return next((rule for rule in rules if rule), None)

    def _parts(self, data: bytes, lower: bytes, at: int) -> Iterator[Edit]:
        for match in _PART.finditer(lower, at):
            rule = self._part_rule(match.group(1))
            end = data.find(b"\n--", match.end() - 1, match.end() + MAX_SECRET)
            if end < 0 and len(data) <= match.end() + MAX_SECRET:
                end = len(data)
            if rule:
                yield from _edit(data, rule, match.start(), match.end(), end - (data[end - 1 : end] == b"\r"))


def _setting(before: bytes | None, equals: bytes) -> re.Pattern[bytes]:
    """What the value is like of a field that `before` stands before: in prose (`export API_KEY=…`) it has a digit."""
    if equals != b"=":
        return _ESCAPED_QUERY_VALUE
    if before == b" ":
        return _LINE_SECRET
    return _SETTING if before in (b";", b'"', b"'") else _QUERY_VALUE


def _last_step(name: bytes) -> bytes:
    """What `user[email]` and `user.email` are about."""
    return re.split(rb"[\[.]", name.rstrip(b"]"))[-1].translate(None, _SEPARATORS)


def _names(rule: Rule) -> list[str]:
    return rule.what.split()


def _plain(name: str) -> bytes:
    return name.replace("-", "").encode()


def _patterns(rules: tuple[Rule, ...]) -> tuple[re.Pattern[bytes], ...]:
    """One pattern for all names whose last words begin with the same two letters, so that it begins with a literal."""
    ends = dict[str, set[str]]()
    for rule in rules:
        for name in _names(rule) if rule.where in ("field", "query") else ():
            ends.setdefault(name.rpartition("-")[2], set()).add(_condition(name, rule))
        if rule.where == "name" and (found := words(rule.what)):
            ends.setdefault(found[-1], set()).add("")
    grouped = groupby(sorted(ends), key=lambda word: word[:2])
    return tuple(
        re.compile(f"(?:{'|'.join(_ending(word, ends[word]) for word in group)}){_TAIL}".encode())
        for _, group in grouped
    )


def _condition(name: str, rule: Rule) -> str:
    """What must hold where the last word of a quoted name ends."""
    if rule.where == "query":
        return "(?=[=%:])"
    return "" if "-" not in name else f"(?<={name.replace('-', '[-_ ]')})|(?<={name.replace('-', '')})"


def _ending(word: str, conditions: set[str]) -> str:
    word = re.escape(word)
    return word if "" in conditions else f"{word}(?:{'|'.join(sorted({'(?=[=%:])', *conditions}))})"


def _list_pattern(rule: Rule) -> re.Pattern[bytes]:
    names = "|".join(name.replace("-", "[-_]?") for name in _names(rule))
    return re.compile(rf"(?:{names})\\{{0,7}}[\"']{_BLANKS}:{_BLANKS}\[".encode())


def _values_in_list(data: bytes, lower: bytes, at: int, pattern: re.Pattern[bytes], rule: Rule) -> Iterator[Edit]:
    done = at
    for match in pattern.finditer(lower, at):
        if match.start() >= done:
            stop = _LIST_END.search(data, match.end(), match.end() + MAX_SECRET)
            done = stop.start() if stop else match.end() + MAX_SECRET
            for value in _VALUE.finditer(lower, match.end(), done):
                for start, end in _strings(data, value):
                    yield from _edit(data, rule, match.start(), start, end)


def _name(lower: bytes, end: int) -> bytes:
    reach = lower[max(0, end - _NAME_REACH) : end]
    return reach[len(reach.rstrip(b"abcdefghijklmnopqrstuvwxyz0123456789-_. []")) :].strip(b" ")


def _edit(data: bytes, rule: Rule, first: int, start: int, end: int) -> Iterator[Edit]:
    """The edit for a value, unless it is empty or a placeholder; an authorization keeps its scheme."""
    if rule.kind == "authorization" and (scheme := SCHEMES.match(data, start, end)):
        start = end - len(data[scheme.end() : end].lstrip(b" \t"))
    if end > start and not PLACEHOLDER.fullmatch(data, start, end):
        yield Edit(start, end, placeholder(rule.kind), rule.name, first)


def _strings(data: bytes, match: re.Match[bytes]) -> Iterator[tuple[int, int]]:
    """The string that opens where `match` ends; all strings of the list when it opens one."""
    quote, start = match.group(1) + match.group(2), match.end()
    while (end := _string_end(data, start, match.group(1), match.group(2))) is not None:
        yield start, end
        comma = _COMMA.match(data, end + len(quote)) if match.group(3) else None
        if not comma or not data.startswith(quote, comma.end()) or end - match.start() > MAX_SECRET:
            return
        start = comma.end() + len(quote)


def _string_end(data: bytes, start: int, escape: bytes, quote: bytes) -> int | None:
    r"""Where a string ends whose quotes are written with `escape` (a run of backslashes, longer at each depth).

    At a quote of its own, at one of a string around it, at the end of the line, or at that of the data when cut off;
    None when it is too long for a secret.
    """
    depth = len(escape)
    for stop in _STRING_ENDS[quote].finditer(data, start, start + MAX_SECRET):
        at = stop.start()
        before = data[max(start, at - 64) : at]
        run = len(before) - len(before.rstrip(b"\\"))
        if stop.group() in b"\r\n" or stop.group() != quote:
            return at
        if (run + 1) % (2 * (depth + 1)):
            # The run ends in the escape of this quote, its ones at the end in binary; what is before that is text.
            return at - (depth if run == depth else min((run ^ (run + 1)) >> 1, depth))
    return len(data) if len(data) <= start + MAX_SECRET else None


def _line_value(data: bytes, at: int, how: How) -> re.Match[bytes] | None:
    """The secret in the value of a header that stands in text; prose after a colon is none."""
    at += data.startswith((b'"', b"'"), at)
    if how == "cookies":
        return _LINE_COOKIES.match(data, at)
    if how == "set-cookie":
        name = _COOKIE_NAME.match(data, at)
        return _LINE_COOKIE.match(data, name.end()) if name else None
    if scheme := SCHEMES.match(data, at):
        return _LINE_CREDENTIAL.match(data, scheme.end() + 1)
    return _LINE_SECRET.match(data, at)
