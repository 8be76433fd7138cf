"""The sentence for each keyword of a schema that a value fails. A keyword that is not here is just "invalid".

Each entry of `SENTENCES` is given the place and what the validator knows about the error (its kind's fields).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.core.schemas.closing import parts
from replayproxy.core.schemas.nouns import nouns, options, spelled
from replayproxy.core.schemas.places import Place, join

__all__ = ["SENTENCES", "bad_choice", "choices", "wrong_kind"]

_Sentence = Callable[[Place, Mapping[str, Any], object], Problem]
#: A pattern that only says how an id begins: `^thread_`.
_PREFIX = re.compile(r"\^([A-Za-z0-9_-]+)")


def bad_choice(path: str, value: object, values: Iterable[Any]) -> Problem:
    """`value` is none of the listed `values`: of their kind, or of another one."""
    values = list(values)
    words = spelled(values)
    if not words:
        return wording.wrong_type(path, "null", value)
    if any(type(value) is type(each) for each in values if each is not None):
        return wording.unsupported_value(path, spelled([value])[0], words)
    return wording.wrong_type(path, wording.one_of(words), value)


def choices(known: Mapping[str, Any]) -> list[Any]:
    """The values that an error of `enum` or `const` names."""
    return known["options"] if "options" in known else [known["expected_value"]]


def wrong_kind(path: str, value: object, kinds: list[str]) -> Problem:
    """`value` is of none of the `kinds`; at the top it is the body that is."""
    if not kinds:
        return wording.invalid(path)
    if not path:
        return wording.invalid_body(value, wording.expected(kinds))
    return wording.wrong_type(path, wording.expected(kinds), value)


def _choice(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    return bad_choice(place.path, place.value, choices(known))


def _type(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    own = options(place.schema)
    if own is not None:
        return bad_choice(place.path, place.value, own)
    form = place.schema if "type" in place.schema else {"type": known["types"]}
    return wrong_kind(place.path, place.value, nouns(form, document))


def _missing(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    return wording.missing(join(place.path, known["property"]))


def _unknown(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    """Of several unknown fields the first of the body."""
    unexpected = set(known["unexpected"])
    name = next(each for each in place.value if each in unexpected)
    names = {name: None for part in parts(place.schema, document) for name in part.get("properties", ())}
    return wording.unknown(join(place.path, name), name, names)


def _never(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    """Nothing may stand here: a field switched off, or an object that takes no fields at all."""
    if isinstance(place.value, dict) and place.value and place.schema.get("additionalProperties") is False:
        name = next(iter(place.value))
        return wording.unknown(join(place.path, name), name, ())
    name = place.path.rpartition(".")[2]
    return wording.unknown(place.path, name, ()) if name else wording.invalid("")


def _bound(bound: wording.Bound) -> _Sentence:
    def sentence(place: Place, known: Mapping[str, Any], document: object) -> Problem:
        whole = "integer" in nouns(place.schema, document)
        named = whole or "decimal" in nouns(place.schema, document)
        kind = "integer" if whole or (not named and isinstance(place.value, int)) else "decimal"
        return wording.out_of_bounds(place.path, bound, known["limit"], place.value, kind)

    return sentence


def _limit(say: Callable[[str, int, int], Problem]) -> _Sentence:
    return lambda place, known, document: say(place.path, known["limit"], len(place.value))


def _too_few_items(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    if known["limit"] == 1:
        return wording.empty_array(place.path)
    return wording.array_too_short(place.path, known["limit"], len(place.value))


def _pattern(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    """At the top, a pattern that is a mere beginning is about an id in the path."""
    prefix = _PREFIX.fullmatch(known["pattern"])
    if prefix and place.depth == 0 and place.path:
        return wording.wrong_id(place.path, place.value, prefix[1])
    return wording.no_match(place.path, known["pattern"])


def _format(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    name = known["format"]
    return wording.wrong_url(place.path) if name == "uri" else wording.wrong_format(place.path, name)


def _key(place: Place, known: Mapping[str, Any], document: object) -> Problem:
    error = known["error"]
    if error.kind.name == "maxLength":
        return wording.key_too_long(place.path, error.instance, error.kind.limit)
    return wording.invalid(join(place.path, str(error.instance)))


SENTENCES: Mapping[str, _Sentence] = MappingProxyType(
    {
        "additionalProperties": _unknown,
        "const": _choice,
        "enum": _choice,
        "exclusiveMaximum": _bound("<"),
        "exclusiveMinimum": _bound(">"),
        "falseSchema": _never,
        "format": _format,
        "maxItems": _limit(wording.array_too_long),
        "maxLength": _limit(wording.string_too_long),
        "maxProperties": _limit(wording.too_many_properties),
        "maximum": _bound("<="),
        "minItems": _too_few_items,
        "minLength": _limit(wording.string_too_short),
        "minProperties": _limit(wording.too_few_properties),
        "minimum": _bound(">="),
        "pattern": _pattern,
        "propertyNames": _key,
        "required": _missing,
        "type": _type,
        "unevaluatedProperties": _unknown,
    }
)
