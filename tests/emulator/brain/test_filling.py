"""Values made from JSON Schemas."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayproxy.emulator.brain.filling import example
from replayproxy.emulator.brain.patterns import matching
from replayproxy.openai_api import catalog

_TEXT_FORMATS = ["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"]
_TEXT = {"type": "string"}
_PATTERNS = [r"^[A-Z]{3}-\d{4}$", r"^(red|green)$", r"^\w+@\w+\.com$", "^a*b?c+$", r"\d{2,}", r"^[^0-9]+$", "x", "^$"]


def _valid(schema: Any, value: Any) -> bool:
    return bool(jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(value))


def _object(fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False} | more


_NODE = {
    "$defs": {
        "node": _object({"value": {"type": "number"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}})
    },
    **_object({"list": {"$ref": "#/$defs/node"}}),
}
_TREE = _object({"type": {"enum": ["div", "button"]}, "children": {"type": "array", "items": {"$ref": "#"}}})
_SUM = {
    "$ref": "#/definitions/expression",
    "definitions": {
        "expression": {"oneOf": [{"$ref": "#/definitions/sum"}, {"$ref": "#/definitions/number"}]},
        "sum": _object({"left": {"$ref": "#/definitions/expression"}, "right": {"$ref": "#/definitions/expression"}}),
        "number": _object({"number": {"type": "integer", "exclusiveMinimum": 3, "multipleOf": 2}}),
    },
}


@pytest.mark.parametrize(
    ("schema", "message", "expected"),
    [
        (_object({"city": _TEXT}), "What's the weather in New York?", {"city": "New York"}),
        (_object({"city": _TEXT}), "Paris?", {"city": "Paris"}),
        (_object({"city": _TEXT}), "Tell Alice", {"city": "Alice"}),
        (_object({"city": _TEXT}), "what is it like?", {"city": "city"}),
        (_object({"origin": _TEXT, "to": _TEXT}), "go from Rome to Oslo", {"origin": "Rome", "to": "Oslo"}),
        (_object({"city": _TEXT, "place": _TEXT}), "to Rome", {"city": "Rome", "place": "Rome"}),
        (_object({"a": {"type": "integer"}, "b": {"type": "number"}}), "add 3 and 4.5", {"a": 3, "b": 4.5}),
        (_object({"a": {"type": "integer", "minimum": 5}}), "add 3 and 1,200", {"a": 1200}),
        (_object({"query": _TEXT}), " find it ", {"query": "find it"}),
        (_object({"order_id": _TEXT}), "Where is order A-17?", {"order_id": "A-17"}),
        (_object({"sku": {"type": "string", "pattern": "^B-"}}), "A-1 or B-2", {"sku": "B-2"}),
        (_object({"mail": _TEXT}), "Write to a.b@example.org.", {"mail": "a.b@example.org"}),
        (_object({"to": _TEXT | {"format": "email"}}), "Write a@example.org", {"to": "a@example.org"}),
        (_object({"on": {"type": "string", "format": "date"}}), "on 2025-01-02", {"on": "2025-01-02"}),
        (_object({"link": _TEXT}), "see https://example.com/a.", {"link": "https://example.com/a"}),
        (_object({"expression": _TEXT}), "What is 2 + 2?", {"expression": "2 + 2"}),
        (_object({"word": _TEXT}), 'Say "hello there"', {"word": "hello there"}),
        (_object({"unit": {"enum": ["c", "f", None]}}), "in f please", {"unit": "f"}),
        (_object({"unit": {"type": ["string", "null"], "enum": [None, "c"]}}), "", {"unit": "c"}),
        ({"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"const": 2}}}, "", {"a": True, "b": 2}),
        ({"properties": {"a": {}, "b": {}}, "required": ["b"]}, "", {"b": "b"}),
        ({"properties": {"a": True}}, "", {"a": "a"}),
        (_NODE, "", {"list": {"value": 1, "next": {"value": 1, "next": None}}}),
        (_TREE, "", {"type": "div", "children": [{"type": "div", "children": []}]}),
        (_SUM, "", {"left": {"number": 4}, "right": {"number": 4}}),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True}, "", [1, 2, 3]),
        ({"prefixItems": [_TEXT, {"type": "null"}], "items": False}, "", ["text", None]),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "", 1),
        ({"oneOf": [{"multipleOf": 3, "type": "integer"}, {"type": "integer"}]}, "3", 1),
        (True, "", "text"),
        (False, "", None),
        ("nonsense", "", "text"),
        ({"$ref": "#/nowhere"}, "", "text"),
        ({"type": "strnig"}, "", "text"),
    ],
)  # fmt: skip
def test_value_follows_schema_and_message(schema: Any, message: str, expected: Any) -> None:
    """The value is the one that the documented rules lead to."""
    assert example(schema, message) == expected


@pytest.mark.parametrize(
    "schema",
    [
        _NODE, _TREE, _SUM,
        *({"type": "string", "format": each} for each in _TEXT_FORMATS),
        *({"type": "string", "pattern": each} for each in _PATTERNS),
        {"type": "string", "minLength": 10, "maxLength": 12},
        {"type": "string", "maxLength": 2},
        {"type": "string", "pattern": "^[a-z]+$", "minLength": 20},
        {"type": "number", "multipleOf": 0.01, "minimum": 0.005},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
        {"type": "integer", "maximum": -7},
        {"type": "integer", "multipleOf": 2.5, "minimum": 1},
        {"type": "array", "contains": {"const": 5}, "minItems": 3},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "items": {"type": "string", "format": "email"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
        {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
        {"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^[a-z]{3}$"}},
        {"type": "object", "minProperties": 1, "patternProperties": {"^S_": _TEXT}, "additionalProperties": False},
        {"type": "object", "minProperties": 2, "properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"]},
        {"type": "object", "maxProperties": 1, "properties": {"a": {}, "b": {}}},
        {"type": "object", "required": ["S_x"], "patternProperties": {"^S_": {"type": "integer"}}},
        {"properties": {"a": {}, "b": {"type": "integer"}}, "required": ["a"], "dependentRequired": {"a": ["b"]}},
        {"properties": {"a": {}}, "dependentSchemas": {"a": {"required": ["b"], "properties": {"b": {"const": 1}}}}},
        {"allOf": [{"$ref": "#/$defs/a"}, {"properties": {"b": {"type": "integer"}}, "required": ["b"]}],
         "$defs": {"a": {"type": "object", "properties": {"a": {}, "b": {"minimum": 4}}, "required": ["a"]}}},
        {"allOf": [{"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 2}, {"const": 3}]}]},
        {"allOf": [{"type": ["integer", "string"]}, {"type": "number"}], "enum": [1, "a"]},
        {"type": "string", "not": {"const": "text"}},
        {"properties": {"k": {"enum": ["a", "b"]}}, "required": ["k"],
         "if": {"properties": {"k": {"const": "a"}}}, "then": {"required": ["x"]}, "else": {"required": ["y"]}},
        {"$ref": "#named", "$defs": {"x": {"$anchor": "named", "type": "integer"}}},
        {"type": "array", "items": [{"const": 1}, {"const": 2}], "$schema": "http://json-schema.org/draft-07/schema#"},
        {"anyOf": [False, {"properties": {"a": False}, "type": "object"}]},
        {"anyOf": [{"properties": {"a": False}, "required": ["a"], "type": "object"}, {"type": "integer"}]},
        {"type": "integer", "not": {"enum": [1, 2, 3, 12]}},
        {"type": "boolean", "not": {"const": True}},
        {"type": "array", "items": False},
        {"type": "array", "items": {"type": "string", "not": {}}},
        {"allOf": [{"type": "number", "multipleOf": 2}, {"multipleOf": 3, "minimum": 1}, {"maximum": 9}]},
        {"allOf": [{"type": "integer"}, {"type": "number", "minimum": 2}, {"minimum": 4}]},
        {"allOf": [{"type": "number"}, {"type": "integer"}]},
        {"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]},
        {"allOf": [{"properties": {"a": True}}, {"properties": {"a": {"type": "integer"}}, "required": ["a"]}]},
        {"allOf": [{"items": {"type": "integer"}, "type": "array"}, {"items": {"minimum": 5}, "minItems": 2}]},
        {"$defs": {"a": {"enum": ["x"]}, "b": {"allOf": [{"$ref": "#/$defs/a"}, _TEXT]}}, "$ref": "#/$defs/b"},
        {"$defs": {"a~b/c": {"const": 4}}, "$ref": "#/$defs/a~0b~1c"},
        {"prefixItems": [{"const": 4}], "$id": "https://example.com/a", "contains": {"$ref": "#/prefixItems/0"}},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("pick", [0, 1, 2])
def test_value_is_valid(schema: Any, pick: int) -> None:
    """What is made is taken by the schema, whichever of several is asked for."""
    assert _valid(schema, example(schema, "Take 12 to Rome", pick))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
        {"type": "string", "pattern": "^(?=a)b"},
        {"allOf": [{"const": 1}, {"const": 2}]},
        {"type": "array", "minItems": 2, "items": {"not": {}}},
        {"anyOf": [False, False]},
        {"type": "object", "minProperties": 1, "patternProperties": {"(": {}}, "required": ["x"]},
        {"type": "object", "minProperties": 3, "additionalProperties": False, "properties": {"a": {}}},
    ],
)
def test_schema_that_nothing_fits_ends(schema: Any) -> None:
    """A schema without values, or one that is not understood, gets the nearest try, and soon."""
    example(schema)


def _schemas() -> st.SearchStrategy[Any]:
    bounds = st.integers(-5, 5)
    plain = st.one_of(
        st.sampled_from([{"type": "string", "format": each} for each in _TEXT_FORMATS]),
        st.sampled_from([{"type": "string", "pattern": each} for each in _PATTERNS]),
        st.builds(lambda a, b: {"type": "string", "minLength": a, "maxLength": a + b}, *[st.integers(0, 9)] * 2),
        st.builds(lambda a, b: {"type": "integer", "minimum": a, "maximum": a + abs(b)}, bounds, bounds),
        st.builds(
            lambda a, b: {"type": "number", "exclusiveMinimum": a, "exclusiveMaximum": a + abs(b) + 1}, bounds, bounds
        ),
        st.builds(lambda a: {"type": ["integer", "null"], "multipleOf": a}, st.integers(1, 9)),
        st.lists(st.sampled_from(["a", "b", 1, None, 2.5]), min_size=1, max_size=3).map(
            lambda values: {"enum": values}
        ),
        st.sampled_from([{}, True, {"type": "boolean"}, {"type": "null"}, {"const": {"a": [1]}}, {"$ref": "#"}]),
    )
    return st.recursive(plain, _larger, max_leaves=8)


def _larger(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(st.sampled_from(["city", "count", "date", "x"]), inside, max_size=3)
    return st.one_of(
        st.builds(lambda form: {"type": "array", "items": form, "maxItems": 3}, inside),
        st.builds(lambda form: _object(form), fields),
        st.builds(lambda form: {"type": "object", "properties": form}, fields),
        st.builds(lambda forms: {"anyOf": forms}, st.lists(inside, min_size=1, max_size=3)),
        st.builds(lambda form: {"allOf": [form, {}]}, inside),
    )


@settings(max_examples=150, deadline=None)
@given(_schemas(), st.text(max_size=20), st.integers(0, 3))
def test_any_schema_that_has_values_gets_one(form: Any, message: str, pick: int) -> None:
    """A field by any schema is valid, and the same each time, where recursion can end."""
    schema = {"type": "object", "properties": {"field": form, "next": {"type": "null"}}}
    made = example(schema, message, pick)
    assert _valid(schema, made)
    assert made == example(schema, message, pick)


def test_answers_of_the_api_can_be_made_up() -> None:
    """Schemas as large and wide as the API's own get valid values."""
    known = catalog()
    bodies = [
        form
        for operation in known
        for contents in operation.answers.values()
        for kind, form in contents.items()
        if kind == "application/json"
    ]
    wrong = []
    for body in bodies[::10]:
        assert isinstance(body.form, dict)
        whole = {**body.form, "$defs": dict(body.definitions)}
        if body.answer_problem(example(whole)):
            wrong.append(body.form)
    assert wrong == []


@pytest.mark.parametrize(
    ("pattern", "shortest", "expected"),
    [
        (r"^[A-Z]{3}-\d{2,4}$", 0, "AAA-00"),
        (r"^[A-Z]{3}-\d{2,4}$", 8, "AAA-0000"),
        ("(?:ab|c)+?d*", 5, "ababd"),
        (r"(?<year>\d{4})\.", 0, "0000."),
        (r"\x41\u0042\u{43}\p{L}\p{Lu}\P{N}", 0, "ABCaAa"),
        (r"[^a-z\d]", 0, "A"),
        (r"[a\-]b|", 0, "ab"),
        ("a", 3, "aaa"),
        ("(a", 0, None),
        ("a)", 0, None),
        ("[a", 0, None),
        ("[^\\s\\S]", 0, None),
        ("*", 0, None),
        (r"(a)\1", 0, None),
        ("(?!a)", 0, None),
        ("a{20000}", 0, None),
        (r"\bword\b", 0, "word"),
        (r"\D\W\S\.", 0, "a!a."),
    ],
)
def test_pattern_gives_a_text(pattern: str, shortest: int, expected: str | None) -> None:
    """A simple pattern gives a text; one that is not simple gives none."""
    assert matching(pattern, shortest) == expected


@settings(max_examples=50)
@given(st.sampled_from(_PATTERNS), st.integers(0, 8))
def test_pattern_finds_itself_in_its_text(pattern: str, pick: int) -> None:
    """The text is one that the pattern takes."""
    made = matching(pattern, 0, pick)
    assert made is not None
    assert re.search(pattern, made)
