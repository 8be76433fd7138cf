"""The redaction that a user declares: built-in rules without some, and rules of their own.

Rules:
1. A user's own rules come first: where one of them and a built-in rule know the same secret, the user's names it.
2. The digest of what is made here covers the rules and no value of a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from replayproxy.core.redaction import LEAST_LITERAL, Redactor
from replayproxy.core.rule_paths import RulePath, Wild
from replayproxy.core.secrets.patterns import RULES, Rule, plain_name
from replayproxy.errors import ConfigError

__all__ = ["Declared", "custom_rules", "redactor_for", "unusable_variables"]


class Declared(Protocol):
    """What can be declared (the settings under `redact`)."""

    @property
    def off(self) -> tuple[str, ...]:
        """Names of built-in rules that are switched off."""

    @property
    def headers(self) -> tuple[str, ...]:
        """Names of headers whose values are secret."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of JSON, form and query fields whose values are secret."""

    @property
    def patterns(self) -> tuple[tuple[str, str], ...]:
        """Regular expressions of what is secret anywhere, each after the name of its placeholder."""

    @property
    def env(self) -> tuple[str, ...]:
        """Names of variables whose values are secret."""

    @property
    def paths(self) -> tuple[RulePath, ...]:
        """Paths of values that are secret."""


def redactor_for(declared: Declared, variables: Mapping[str, str], literals: Iterable[str] = ()) -> Redactor:
    """The redactor for what is declared; `variables` is the environment, `literals` are secrets known otherwise.

    ConfigError for a path that cannot be redacted and a name without letters.
    """
    values = (variables.get(name, "").strip() for name in declared.env)
    return Redactor(custom_rules(declared), tuple(dict.fromkeys(filter(None, (*values, *literals)))))


def custom_rules(declared: Declared) -> tuple[Rule, ...]:
    """The user's rules, then the built-in ones that are not switched off; ConfigError as `redactor_for`."""
    headers = (_header(f"redact.headers.{name}", name, "header") for name in declared.headers)
    fields = (_field(name) for name in declared.fields)
    patterns = (Rule(f"redact.patterns.{name}", "pattern", text, name) for name, text in declared.patterns)
    paths = (_path(path) for path in declared.paths)
    return (*headers, *fields, *patterns, *paths, *(rule for rule in RULES if rule.name not in declared.off))


def unusable_variables(declared: Declared, variables: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the variables that are declared secret: a sentence each, which does not tell the value."""
    for name in declared.env:
        value = variables.get(name, "").strip()
        if not value:
            yield f"redact.env names {name}, which is not set: nothing is redacted for it"
        elif len(value) < LEAST_LITERAL:
            yield f"redact.env names {name}, whose value is too short to be looked for ({LEAST_LITERAL} characters)"


def _header(rule: str, name: str, kind: str) -> Rule:
    return Rule(rule, "header", re.escape(name.lower()), kind)


def _field(name: str) -> Rule:
    if not plain_name(name):
        raise ConfigError(f"redact.fields: {name[:80]!r} names no field: it is nothing but separators")
    return Rule(f"redact.fields.{name}", "name", name, "field")


def _path(path: RulePath) -> Rule:
    name = f"redact.paths.{path}"
    if path.root == "path":
        raise ConfigError("redact.paths: path: a recording needs the path; name the part that is secret by a pattern")
    if path.root != "header":
        return Rule(name, "path", str(path), "path")
    if not path.steps or isinstance(path.steps[0], Wild):
        raise ConfigError(f"redact.paths: {path}: an answer without its headers cannot be played; name those meant")
    return _header(name, str(path.steps[0]), "path")
