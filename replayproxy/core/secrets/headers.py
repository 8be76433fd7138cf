"""Secrets in headers: which headers carry them, which part of the value goes, and which secrets it held."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass, field

from replayproxy.core.messages import Headers, decode, encode
from replayproxy.core.secrets.patterns import PLACEHOLDER, SCHEMES, Rule, placeholder

__all__ = ["HeaderNames", "credentials", "redacted_value"]

#: What may follow a cookie in a set-cookie; anything else there is taken for a part of its value.
_ATTRIBUTES = frozenset(
    ("comment", "domain", "expires", "httponly", "max-age", "partitioned", "path", "priority", "samesite", "secure")
)
#: So many names are remembered, none of them longer.
_MOST_KNOWN, _LONGEST_KNOWN = 1024, 64


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """The `header` rules, to be found by a header's name."""

    pattern: re.Pattern[str]
    rules: tuple[Rule, ...]
    #: What was found for a name: the names of headers repeat, and every one is asked for several times an exchange.
    _known: dict[str, Rule | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> HeaderNames:
        """The header rules among `rules`; the first that knows a name has it."""
        headers = tuple(rule for rule in rules if rule.where == "header")
        return cls(re.compile("|".join(f"({rule.what})" for rule in headers) or "(?!)"), headers)

    def rules_of(self, headers: Headers) -> list[Rule | None]:
        """The rule for each header."""
        known = self._known
        try:
            return [known[name] for name, _ in headers.pairs]
        except KeyError:
            return [self.rule(name) for name, _ in headers.pairs]

    def rule(self, name: str) -> Rule | None:
        """The rule for a header's name, in any case."""
        known = self._known
        if name in known:
            return known[name]
        match = self.pattern.fullmatch(name.lower())
        rule = self.rules[match.lastindex - 1] if match and match.lastindex else None
        if len(name) <= _LONGEST_KNOWN:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[name] = rule
        return rule


def redacted_value(rule: Rule, value: str) -> str:
    """The value of a header that `rule` is for, without its secret. What is empty or a placeholder stays."""
    if rule.how == "set-cookie":
        return ";".join(_cookie_parts(rule, value))
    scheme, secret = _split(rule, value)
    if not secret or PLACEHOLDER.fullmatch(encode(secret)):
        return value
    return scheme + decode(placeholder(rule.kind, encode(secret)))


def credentials(rule: Rule, value: str) -> Iterator[str]:
    """The secrets in the value of a header that `rule` is for, of any length."""
    if rule.how == "cookies":
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip(' "')
    elif rule.how == "set-cookie":
        yield value.partition(";")[0].partition("=")[2].strip(' "')
    else:
        scheme, secret = _split(rule, value)
        yield secret
        if scheme.lower().startswith("basic"):
            yield from _basic(secret)


def _split(rule: Rule, value: str) -> tuple[str, str]:
    """The scheme word with the blank after it, when one may stay, and the rest."""
    match = SCHEMES.match(encode(value)) if rule.how == "credential" else None
    end = match.end() if match else 0
    secret = value[end:].strip(" \t")
    return (f"{value[:end]} " if end else ""), secret


def _cookie_parts(rule: Rule, value: str) -> Iterator[str]:
    hidden = decode(placeholder(rule.kind))
    cookie, *attributes = value.split(";")
    name, equals, secret = cookie.partition("=")
    yield f"{name}={hidden}" if secret else cookie if equals or not cookie.strip() else hidden
    for attribute in attributes:
        known = attribute.partition("=")[0].strip().lower() in _ATTRIBUTES or not attribute.strip()
        yield attribute if known else f" {hidden}"


def _basic(secret: str) -> Iterator[str]:
    """User and password of a Basic credential, together and the password alone."""
    try:
        pair = decode(b64decode(secret, validate=True))
    except (Base64Error, ValueError):
        return
    yield pair
    yield pair.partition(":")[2]
