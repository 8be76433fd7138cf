"""The kinds of value that say rules of matching: the section `match`, and the same said elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from typing import Any

from replayproxy.config.nodes import Node, complaint, node_of, similar, unfit
from replayproxy.config.structures import gathered, list_of, mapping_of
from replayproxy.config.values import Kind, single
from replayproxy.core.rules import MatchRule, MatchRules, Scope

__all__ = ["ALSO", "IGNORE", "MASK", "SCOPED", "match_rules"]

_TEXT = {"type": "string", "minLength": 1}


def _rule(make: Callable[[str], MatchRule], schema: Mapping[str, Any], expected: str = "a path") -> Kind[MatchRule]:
    """One rule, made from text, which remembers where it was written."""
    text = single(expected, make, schema)
    return replace(
        text,
        read=lambda node, name: replace(text.read(node, name), origin=node.place),
        plain=lambda rule: rule.text,
    )


def _mask(path: str, node: Node, name: str) -> MatchRule:
    return _rule(partial(MatchRule.mask, path), _TEXT, "a regular expression").read(node, name)


def _plain_mask(rule: MatchRule) -> tuple[str, str]:
    return rule.path.text, rule.pattern.pattern if rule.pattern else ""


#: Paths of what does not count.
IGNORE = list_of(
    "paths such as body.metadata.run_id",
    _rule(MatchRule.ignore, {"type": "string", "pattern": "^(body|header|query)"}),
)
#: Header fields that count although they do not by default.
ALSO = list_of("headers such as header.x-tenant", _rule(MatchRule.also, {"type": "string", "pattern": "^header"}))
#: Paths of texts, each with what does not count in them.
MASK = mapping_of("paths to regular expressions", _mask, _TEXT, _plain_mask)

_KINDS: Mapping[str, Kind[tuple[MatchRule, ...]]] = {"also": ALSO, "ignore": IGNORE, "mask": MASK}


def _method(text: str) -> str:
    if not re.fullmatch("[A-Za-z]+", text):
        raise ValueError
    return text.upper()


_SCOPES: Mapping[str, Kind[str]] = {
    "method": single("a method such as POST", _method, {"type": "string", "pattern": "^[A-Za-z]+$"}),
    "path": single("a path pattern", lambda text: Scope(path=text).path, {"type": "string", "pattern": "^/[^?]*$"}),
    "operation": single("the id of an operation", str, _TEXT),
    "family": single("the name of a family", str, _TEXT),
}


def _read_scoped(node: Node, name: str) -> tuple[MatchRule, ...]:
    given = node.value
    if not isinstance(given, Mapping):
        raise unfit(node, name, "a mapping")
    _refuse_unknown(given, (*_SCOPES, *_KINDS), name)
    if not given.keys() & _SCOPES.keys():
        raise complaint(node, name, f"expected {' or '.join(_SCOPES)}, to say which requests are meant")
    if not given.keys() & _KINDS.keys():
        raise complaint(node, name, f"expected {' or '.join(_KINDS)}, to say what is done about them")
    named = [key for key in _SCOPES if key in given]
    values = gathered(lambda key: _SCOPES[key].read(given[key], f"{name}.{key}"), named)
    scope = Scope(**dict(zip(named, values, strict=True)))
    return tuple(replace(rule, scope=scope) for rule in _all_rules(given, _KINDS, name))


def _all_rules(
    given: Mapping[str, Node], kinds: Mapping[str, Kind[tuple[MatchRule, ...]]], name: str
) -> tuple[MatchRule, ...]:
    named = [key for key in kinds if key in given]
    return tuple(chain.from_iterable(gathered(lambda key: kinds[key].read(given[key], f"{name}.{key}"), named)))


def _refuse_unknown(given: Mapping[str, Node], known: Iterable[str], name: str) -> None:
    def refuse(key: str) -> None:
        if key not in names:
            raise complaint(given[key], f"{name}.{key}", f"unknown setting{similar(key, names)}")

    names = tuple(known)
    gathered(refuse, given)


def _plain_scoped(rules: Iterable[MatchRule]) -> list[dict[str, Any]]:
    found = []
    for scope, group in groupby(rules, lambda rule: rule.scope):
        members, told = tuple(group), {name: getattr(scope, name) for name in _SCOPES}
        told |= {act: kind.plain(tuple(rule for rule in members if rule.act == act)) for act, kind in _KINDS.items()}
        found.append({name: value for name, value in told.items() if value})
    return found


def _schemas(kinds: Mapping[str, Kind[Any]]) -> dict[str, Any]:
    return {name: dict(kind.schema) for name, kind in kinds.items()}


_MAPPINGS = list_of(
    "mappings with method, path, operation or family and ignore, also or mask",
    Kind(
        "a mapping",
        _read_scoped,
        {
            "type": "object",
            "additionalProperties": False,
            "properties": _schemas(_SCOPES) | _schemas(_KINDS),
            "allOf": [{"anyOf": [{"required": [name]} for name in names]} for names in (_SCOPES, _KINDS)],
        },
        _plain_scoped,
    ),
)
#: Rules for some requests only: a list of mappings, made into one tuple of rules.
SCOPED: Kind[tuple[MatchRule, ...]] = Kind(
    _MAPPINGS.expected,
    lambda node, name: tuple(chain.from_iterable(_MAPPINGS.read(node, name))),
    _MAPPINGS.schema,
    _plain_scoped,
)


def match_rules(given: Mapping[str, object], place: str) -> MatchRules:
    """The rules that a structure says as `match` in a config file does: with `ignore`, `also`, `mask` and `rules`.

    `place` says where it is from. Raises ConfigError, one line for each thing that is wrong.
    """
    kinds = {**_KINDS, "rules": SCOPED}
    nodes = {name: node_of(value, place) for name, value in given.items() if value is not None}
    _refuse_unknown(nodes, kinds, "match")
    return MatchRules(_all_rules(nodes, kinds, "match"))
