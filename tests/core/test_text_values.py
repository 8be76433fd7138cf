"""Text fields as JSON: names that nest, and values as their schema asks for them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.text_values import structure, typed


@pytest.mark.parametrize(
    ("fields", "nested"),
    [
        ([("a", "1"), ("b", "2")], {"a": "1", "b": "2"}),
        ([("a", "1"), ("a", "2"), ("a", "3")], {"a": ["1", "2", "3"]}),
        ([("a[]", "1")], {"a": ["1"]}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[x]", "1"), ("a[y]", "2")], {"a": {"x": "1", "y": "2"}}),
        ([("a[0]", "x"), ("a[1]", "y")], {"a": ["x", "y"]}),
        ([("a[0][id]", "x"), ("a[1][id]", "y")], {"a": [{"id": "x"}, {"id": "y"}]}),
        ([("a[][id]", "x")], {"a": [{"id": "x"}]}),
        ([("a", "1"), ("a[x]", "2")], {"a": {"": "1", "x": "2"}}),
        ([("a[x]", "1"), ("a", "2")], {"a": [{"x": "1"}, "2"]}),
        ([("a[", "1"), ("[b]", "2"), ("c]d", "3"), ("", "4")], {"a[": "1", "[b]": "2", "c]d": "3", "": "4"}),
        ([("a" + "[b]" * 17, "1")], {"a" + "[b]" * 17: "1"}),
        ([], {}),
    ],
)
def test_names_nest_by_brackets(fields: list[tuple[str, str]], nested: dict[str, Any]) -> None:
    """Lists, mappings and lists of mappings; what is no such name is a name as it stands."""
    assert structure(fields) == nested


DEFINITIONS = {
    "Limit": {"type": "integer"},
    "Filter": {"type": "object", "properties": {"gt": {"$ref": "#/$defs/Limit"}}},
    "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}, {"type": "boolean"}]},
}


@pytest.mark.parametrize(
    ("value", "schema", "read"),
    [
        ("20", {"$ref": "#/$defs/Limit"}, 20),
        ("-3", {"type": "integer"}, -3),
        ("x", {"type": "integer"}, "x"),
        ("007", {"type": "integer"}, "007"),
        ("9" * 9000, {"type": "integer"}, int("9" * 40)),
        ("0.5", {"type": "number"}, 0.5),
        ("0.5", {"type": "integer"}, 0.5),
        ("0." + "1" * 400, {"type": "number"}, 0.1111111111111111),
        ("1e2", {"type": ["number", "null"]}, 100.0),
        ("true", {"type": "boolean"}, True),
        ("false", {"$ref": "#/$defs/Loop"}, False),
        ("null", {"type": ["integer", "null"]}, None),
        ("yes", {"type": "boolean"}, "yes"),
        ("20", {"type": "string"}, "20"),
        ("20", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "20"),
        ("20", {"enum": ["20", "30"]}, "20"),
        ("1", {"anyOf": [{"type": "integer"}, {"enum": ["inf"]}]}, 1),
        ("inf", {"anyOf": [{"type": "integer"}, {"enum": ["inf"]}]}, "inf"),
        ("true", {"anyOf": [{"type": "boolean"}, {"const": "auto"}]}, True),
        ("20", {"const": "20"}, "20"),
        ("20", {}, "20"),
        ("20", True, "20"),
        ("20", {"$ref": "#/$defs/Nothing"}, "20"),
        ("a", {"type": "array", "items": {"type": "string"}}, ["a"]),
        (["1", "2"], {"type": "array", "items": {"type": "integer"}}, [1, 2]),
        (["1", "2"], {"type": "array"}, ["1", "2"]),
        (["1", "2"], {"type": "integer"}, 2),
        ([], {"type": "integer"}, []),
        ({"gt": "5", "x": "6"}, {"$ref": "#/$defs/Filter"}, {"gt": 5, "x": "6"}),
        ({"k": "5"}, {"type": "object", "additionalProperties": {"type": "integer"}}, {"k": 5}),
        ('{"gt": 5}', {"$ref": "#/$defs/Filter"}, {"gt": 5}),
        ("{", {"type": "object"}, "{"),
        ("true", {"type": ["object", "integer"]}, True),
    ],
)
def test_text_becomes_what_its_schema_asks_for(value: Any, schema: Any, read: Any) -> None:
    """Numbers, words, lists and JSON; what does not fit stays text, for the schema to complain about."""
    found = typed(value, schema, DEFINITIONS)
    assert (found, type(found)) == (read, type(read))


_SCHEMAS = st.recursive(
    st.sampled_from([{"type": "integer"}, {"type": "boolean"}, {"$ref": "#/$defs/Loop"}, {"type": "object"}]),
    lambda inner: st.builds(lambda one, other: {"anyOf": [one, other], "items": one, "type": "array"}, inner, inner),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.text(alphabet="a[]01x"), st.text(alphabet="0123e.-tru{}"))), _SCHEMAS)
def test_no_field_raises(fields: list[tuple[str, str]], schema: dict[str, Any]) -> None:
    """Whatever a client sends, the result is JSON."""
    orjson.dumps(typed(structure(fields), {"additionalProperties": schema}, DEFINITIONS))
