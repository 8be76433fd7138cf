"""Schemas of OpenAPI in the words of JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

import pytest

from replayproxy.core.openapi.document import Document
from replayproxy.core.openapi.schemas import Schemas
from replayproxy.errors import ConfigError

STRING, NULL = {"type": "string"}, {"type": "null"}
#: What the schemas under test refer to.
NAMED: dict[str, Any] = {
    "Text": {"type": "string", "description": "a text"},
    "A": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    "B": {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
    "Kind1": {"type": "object", "properties": {"kind": {"enum": ["1"]}, "x": {"type": "integer"}}},
    "Kind2": {"type": "object", "properties": {"kind": {"enum": ["2"]}, "y": {"type": "integer"}}},
    "Kinds": {"oneOf": [{"$ref": "#/components/schemas/Kind1"}, {"$ref": "#/components/schemas/Kind2"}]},
    "Tree": {
        "$recursiveAnchor": True,
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$recursiveRef": "#"}}},
    },
    "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
    "Loop1": {"anyOf": [{"$ref": "#/components/schemas/Loop2"}, {"type": "string"}]},
    "Loop2": {"$ref": "#/components/schemas/Loop1", "not": {"type": "array"}},
    "Parent": {
        "type": "object",
        "properties": {
            "child": {"allOf": [{"$ref": "#/components/schemas/Parent"}, {"properties": {"n": {"type": "null"}}}]}
        },
    },
    "a/b c": {"type": "boolean"},
    "a_b_c": {"type": "integer"},
    "Alias": {"$ref": "#/components/schemas/A"},
}


def ref(name: str) -> dict[str, str]:
    """A reference as an OpenAPI document has it."""
    return {"$ref": f"#/components/schemas/{name}"}


def defs(name: str) -> dict[str, str]:
    """A reference as a catalog has it."""
    return {"$ref": f"#/$defs/{name}"}


def made(schema: Any, version: str = "3.1.0") -> Any:
    """`schema` in catalog form."""
    document = Document({"openapi": version, "components": {"schemas": NAMED}})
    return Schemas(document).inline(schema, "#/here")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (True, {}),
        (False, {"not": {}}),
        ({"description": "x", "title": "x", "example": 1, "default": 1, "x-y": 1, "deprecated": True}, {}),
        (
            {"type": "object", "properties": {"title": {"type": "string"}, "default": {"title": "x"}, "$ref": STRING}},
            {"type": "object", "properties": {"title": STRING, "default": {}, "$ref": STRING}},
        ),
        ({"type": ["string", "null"], "maxLength": 3.0}, {"type": ["string", "null"], "maxLength": 3}),
        ({"type": "file"}, {}),
        ({"type": ["string"]}, STRING),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"items": STRING}, {"type": "array", "items": STRING}),
        ({"type": "array", "items": [STRING, {}]}, {"type": "array", "prefixItems": [STRING, {}]}),
        ({"type": "array", "prefixItems": [STRING]}, {"type": "array", "prefixItems": [STRING]}),
        ({"type": "array", "required": ["a"], "items": True}, {"type": "array"}),
        ({"type": "object", "required": True}, {"type": "object"}),
        ({"required": ["a", "a"]}, {"required": ["a"]}),
        ({"required": [1]}, {}),
        ({"enum": [1, True, 1.0, "a"]}, {"enum": [1, True, "a"]}),
        ({"enum": []}, {}),
        ({"const": {}}, {"const": {}}),
        ({"type": "string", "enum": ["a"], "x-stainless-const": True}, {"type": "string", "enum": ["a"]}),
        ({"format": "uri"}, {"format": "uri"}),
        ({"format": "unixtime"}, {}),
        ({"type": "string", "contentMediaType": "application/octet-stream"}, {"type": "string", "format": "binary"}),
        ({"type": "string", "contentMediaType": "text/plain", "contentEncoding": "base64"}, STRING),
        ({"pattern": "^a+$"}, {"pattern": "^a+$"}),
        ({"pattern": "("}, {}),
        ({"pattern": 1}, {}),
        (
            {"minimum": 1, "maximum": "9", "multipleOf": 2, "uniqueItems": True},
            {"minimum": 1, "multipleOf": 2, "uniqueItems": True},
        ),
        ({"multipleOf": 0, "uniqueItems": False, "minLength": -1, "maxLength": 2.5, "minItems": True}, {}),
        ({"minimum": 0, "exclusiveMinimum": True, "exclusiveMaximum": True}, {"exclusiveMinimum": 0}),
        ({"exclusiveMaximum": 5, "minimum": 0, "exclusiveMinimum": False}, {"exclusiveMaximum": 5, "minimum": 0}),
        ({"additionalProperties": {}}, {"additionalProperties": True}),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        (
            {"additionalProperties": {"type": "string"}, "propertyNames": {"maxLength": 4}},
            {"propertyNames": {"maxLength": 4}, "additionalProperties": STRING},
        ),
        ({"patternProperties": {"^a": STRING, "(": {}}}, {"patternProperties": {"^a": STRING}}),
        ({"not": {"required": ["a"]}}, {"not": {"required": ["a"]}}),
        ({"not": {"if": {}}}, {}),
        ({"not": {}}, {"not": {}}),
    ],
)
def test_facts_stay_and_prose_goes(schema: Any, expected: Any) -> None:
    """What a value can be checked by is kept, in the words of 2020-12; what says nothing is not."""
    assert made(schema) == expected


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"enum": ["a", None], "nullable": True}, {"enum": ["a", None]}),
        ({"type": "string", "const": "a", "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"const": None, "nullable": True}, {"const": None}),
        ({"$ref": "#/components/schemas/A", "nullable": True}, {"anyOf": [defs("A"), NULL]}),
        ({"anyOf": [STRING, ref("A")], "nullable": True}, {"anyOf": [STRING, defs("A"), NULL]}),
        ({"anyOf": [STRING, ref("A"), NULL], "nullable": True}, {"anyOf": [STRING, defs("A"), NULL]}),
        ({"allOf": [ref("A")], "nullable": True}, {"anyOf": [defs("A"), NULL]}),
        ({"allOf": [ref("A"), {"nullable": True, "description": "x"}]}, {"anyOf": [defs("A"), NULL]}),
        ({"nullable": True}, {}),
        ({"nullable": False, "type": "string"}, STRING),
    ],
)
def test_nullable_becomes_a_type(schema: Any, expected: Any, version: str) -> None:
    """`nullable` is understood beside everything, in files of both versions."""
    assert made(schema, version) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {"oneOf": [STRING, {"type": "integer"}], "discriminator": {"propertyName": "a"}},
            {"anyOf": [STRING, {"type": "integer"}]},
        ),
        ({"anyOf": [STRING, STRING]}, STRING),
        (
            {"anyOf": [STRING, {"anyOf": [{"type": "integer"}, ref("A")]}]},
            {"anyOf": [STRING, {"type": "integer"}, defs("A")]},
        ),
        ({"anyOf": [STRING, {}]}, {}),
        ({"anyOf": []}, {}),
        ({"anyOf": [{"type": "string", "maxLength": 1}, NULL]}, {"type": ["string", "null"], "maxLength": 1}),
        ({"anyOf": [NULL, {"type": "string", "enum": ["a"]}]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"anyOf": [ref("A"), NULL]}, {"anyOf": [defs("A"), NULL]}),
        ({"type": "object", "oneOf": [ref("A"), ref("B")]}, {"type": "object", "anyOf": [defs("A"), defs("B")]}),
    ],
)
def test_unions_are_short(schema: Any, expected: Any) -> None:
    """`oneOf` is `anyOf`, flat, without repetition, and null beside one schema is a type of it."""
    assert made(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"allOf": [ref("A")]}, defs("A")),
        ({"allOf": [ref("A"), {"description": "x"}]}, defs("A")),
        ({"type": "object", "allOf": [ref("A")]}, defs("A")),
        ({"allOf": [{"type": "object"}, ref("Alias")]}, defs("Alias")),
        ({"allOf": [ref("A"), ref("A")]}, defs("A")),
        ({"$ref": "#/components/schemas/A", "description": "x", "default": {}}, defs("A")),
        ({"$ref": "#/components/schemas/Text", "maxLength": 3}, {"type": "string", "maxLength": 3}),
        (
            {
                "allOf": [
                    ref("A"),
                    ref("B"),
                    {"required": ["a", "c"], "properties": {"a": {"type": "string", "maxLength": 2}}},
                ]
            },
            {
                "type": "object",
                "required": ["a", "b", "c"],
                "properties": {"a": {"type": "string", "maxLength": 2}, "b": {"type": "integer"}},
            },
        ),
        ({"allOf": [{"type": ["integer", "null"]}, {"type": "number"}]}, {"type": "integer"}),
        ({"allOf": [{"type": ["number", "string"]}, {"type": ["integer", "string"]}]}, {"type": ["string", "integer"]}),
        ({"allOf": [{"enum": [1, 2, 3]}, {"enum": [3, 2]}]}, {"enum": [2, 3]}),
        ({"allOf": [{"enum": [1, 2, 3]}, {"const": 3}]}, {"const": 3}),
        (
            {"allOf": [{"minLength": 1, "maxLength": 9}, {"minLength": 2, "maxLength": 8}]},
            {"minLength": 2, "maxLength": 8},
        ),
        ({"allOf": [{"format": "uri"}, {"format": "email"}]}, {"format": "uri"}),
        (
            {"allOf": [{"pattern": "a"}, {"pattern": "b"}, {"pattern": "c"}]},
            {"pattern": "a", "allOf": [{"pattern": "b"}, {"pattern": "c"}]},
        ),
        (
            {
                "allOf": [
                    {"allOf": [{"pattern": "a"}, {"pattern": "b"}]},
                    {"allOf": [{"pattern": "a"}, {"pattern": "c"}]},
                ]
            },
            {"pattern": "a", "allOf": [{"pattern": "b"}, {"pattern": "c"}]},
        ),
        (
            {"allOf": [{"items": STRING}, {"items": {"maxLength": 1}}]},
            {"type": "array", "items": {"type": "string", "maxLength": 1}},
        ),
        (
            {"allOf": [{"additionalProperties": False}, {"additionalProperties": STRING}]},
            {"additionalProperties": False},
        ),
        (
            {"allOf": [{"additionalProperties": True}, {"additionalProperties": STRING}]},
            {"additionalProperties": STRING},
        ),
        (
            {"allOf": [{"additionalProperties": STRING}, {"additionalProperties": True}]},
            {"additionalProperties": STRING},
        ),
        (
            {"allOf": [{"additionalProperties": STRING}, {"additionalProperties": {"minLength": 1}}]},
            {"additionalProperties": {"type": "string", "minLength": 1}},
        ),
        (
            {"allOf": [STRING, {"type": "integer"}, {"type": "null"}]},
            {"allOf": [STRING, {"type": "integer"}, {"type": "null"}]},
        ),
        ({"allOf": [{"const": 1}, {"const": 2}]}, {"allOf": [{"const": 1}, {"const": 2}]}),
        ({"allOf": [{"const": 1}, {"enum": [2]}]}, {"allOf": [{"const": 1}, {"enum": [2]}]}),
        ({"allOf": [{"enum": [True]}, {"enum": [1]}]}, {"allOf": [{"enum": [True]}, {"enum": [1]}]}),
        (
            {"allOf": [{"items": STRING}, {"items": NULL}]},
            {"allOf": [{"type": "array", "items": STRING}, {"type": "array", "items": NULL}]},
        ),
        ({"allOf": [{"anyOf": [STRING, NULL]}, {"minLength": 1}]}, {"type": ["string", "null"], "minLength": 1}),
        (
            {
                "allOf": [
                    {"anyOf": [STRING, ref("A")]},
                    {"oneOf": [{"type": "integer"}, ref("A"), {"type": "string", "minLength": 1}]},
                ]
            },
            {"anyOf": [{"type": "string", "minLength": 1}, defs("A")]},
        ),
        (
            {"anyOf": [STRING, ref("A")], "oneOf": [NULL, {"type": "integer"}]},
            {"type": ["integer", "null"], "anyOf": [STRING, defs("A")]},
        ),
    ],
)
def test_what_holds_together_is_one_schema(schema: Any, expected: Any) -> None:
    """`allOf` and siblings are merged where one schema can say the same, and stay beside one another elsewhere."""
    assert made(schema) == expected


def test_a_union_too_large_to_multiply_stays() -> None:
    """Two unions of many branches stay two."""
    one, other = ([{"const": f"{side}{number}"} for number in range(5)] for side in "ab")
    assert made({"allOf": [{"anyOf": one}, {"anyOf": other}]}) == {"anyOf": one, "allOf": [{"anyOf": other}]}


def test_unions_that_exclude_each_other_stay_beside_one_another() -> None:
    """Nothing is both, which the document says, and so does the catalog."""
    one, other = {"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 3}, {"const": 4}]}
    assert made({"allOf": [one, other]}) == {"allOf": [one, other]}


def test_properties_go_into_the_branches_that_have_some() -> None:
    """An object whose branches have properties is a union of whole objects; branches that only require stay."""
    more = {"properties": {"z": {"type": "null"}, "kind": {"type": "string"}}, "additionalProperties": False}
    expected = [
        {
            "type": "object",
            "properties": {"kind": {"type": "string", "enum": [kind]}, name: {"type": "integer"}, "z": NULL},
        }
        for kind, name in (("1", "x"), ("2", "y"))
    ]
    assert made({**more, "oneOf": [ref("Kind1"), ref("Kind2"), NULL]}) == {"anyOf": expected}
    assert made({**more, "allOf": [ref("Kinds")]}) == {"anyOf": expected}
    assert made({**more, "oneOf": [ref("Kinds"), {"type": "string"}]}) == {"anyOf": expected}
    apart = {"properties": {"a": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert made(apart) == {"type": "object", **apart}


def test_branches_of_which_none_is_left_stay() -> None:
    """A union that contradicts its parent altogether is kept as it is."""
    schema = {"type": "string", "properties": {"a": STRING}, "anyOf": [ref("A"), ref("B")]}
    assert made(schema)["anyOf"] == [defs("A"), defs("B")]


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (1, "#/here: an object is expected here, not 1"),
        ({"properties": []}, "#/here/properties: an object is expected here"),
        ({"properties": {"a": 1}}, "#/here/properties/a: an object is expected here"),
        ({"anyOf": {}}, "#/here/anyOf: a list of schemas is expected here"),
        ({"items": {"allOf": 1}}, "#/here/items/allOf: a list of schemas is expected here"),
        ({"$ref": "#/components/schemas/Nothing"}, "#/here: $ref to '#/components/schemas/Nothing'"),
        ({"$ref": "other.yaml"}, "#/here: $ref to another document"),
        ({"$ref": 1}, "#/here: $ref must be a text"),
    ],
)
def test_what_is_no_schema_is_told_with_its_place(schema: Any, told: str) -> None:
    """A mistake is told with a pointer to it."""
    with pytest.raises(ConfigError) as caught:
        made(schema)
    assert told in str(caught.value)


def reachable(schema: Any, named: dict[str, Any] | None = None, version: str = "3.1.0") -> dict[str, Any]:
    """The schemas that `schema` needs."""
    schemas = Schemas(Document({"openapi": version, "components": {"schemas": named or NAMED}}))
    return schemas.reachable([schemas.inline(schema, "#/here")])


def test_only_what_is_needed_is_kept() -> None:
    """Schemas that something refers to are there, under a name that a reference can hold; no others."""
    assert list(reachable({"items": ref("Kinds")})) == ["Kind1", "Kind2", "Kinds"]
    assert reachable({"anyOf": [ref("a~1b c"), ref("a_b_c")]}) == {
        "a_b_c": {"type": "boolean"},
        "a_b_c_": {"type": "integer"},
    }
    inner = {"$ref": "#/components/schemas/A/properties/a"}
    assert reachable({"properties": {"enum": inner}, "additionalProperties": inner, "prefixItems": [inner]}) == {
        "components_schemas_A_properties_a": STRING
    }
    assert reachable({"$ref": "#"}) == {"_": {}}


def test_recursion_is_an_ordinary_reference() -> None:
    """`$recursiveRef` leads to the schema that it stands in, and a schema may contain itself."""
    assert reachable(ref("Tree"))["Tree"]["properties"]["kids"]["items"] == defs("Tree")
    parent = reachable(ref("Parent"))["Parent"]
    assert parent["properties"]["child"]["allOf"] == [
        defs("Parent"),
        {"type": "object", "properties": {"n": NULL}},
    ]
    assert made({"type": "array", "items": {"$recursiveRef": "#other"}}) == {"type": "array"}


def test_beside_a_reference_nothing_counts_in_3_0() -> None:
    """Only 3.1 has keywords beside `$ref`."""
    assert made({"$ref": "#/components/schemas/Text", "maxLength": 3}, "3.0.1") == defs("Text")


@pytest.mark.parametrize("name", ["Loop", "Loop1"])
def test_a_schema_made_of_itself_is_refused(name: str) -> None:
    """To check a value against it would never end."""
    with pytest.raises(ConfigError, match=r"#/components/schemas/Loop2?: a schema that is made of itself"):
        reachable(ref(name))


def test_references_in_a_circle_are_refused() -> None:
    """Two schemas that are nothing but each other mean nothing."""
    circle = {"X": ref("Y"), "Y": ref("X")}
    with pytest.raises(ConfigError, match="a schema that is made of itself"):
        reachable(ref("X"), circle)
    with pytest.raises(ConfigError, match="a schema that is made of itself"):
        reachable({"allOf": [ref("X"), {"type": "string"}]}, circle)


def test_depth_has_a_limit() -> None:
    """Neither nesting nor a chain of references exhausts the reader."""
    schema: dict[str, Any] = {}
    for _ in range(80):
        schema = {"items": schema}
    with pytest.raises(ConfigError, match="schemas nested deeper than 64 levels"):
        made(schema)
    chain = {f"S{n}": {"allOf": [ref(f"S{n + 1}"), {"properties": {f"p{n}": {}}}]} for n in range(200)} | {"S200": {}}
    with pytest.raises(ConfigError, match="schemas nested deeper than 64 levels"):
        reachable(ref("S0"), chain)


def test_merging_without_end_stops() -> None:
    """Two schemas that both hold themselves are merged so far and no further."""
    both = {name: {"properties": {"next": ref(name), name: {}}} for name in ("P", "Q")}
    found = reachable({"allOf": [ref("P"), ref("Q")]}, both)
    assert list(found) == ["P", "Q"]


def test_schemas_that_double_are_refused() -> None:
    """A few lines that stand for millions of schemas are told, not written out."""
    doubling = {
        f"S{n}": {"properties": {side: {"allOf": [ref(f"S{n + 1}"), {"properties": {"k": {}}}]} for side in "ab"}}
        for n in range(30)
    }
    with pytest.raises(ConfigError, match="more than 20000 schemas within one, once they are merged"):
        reachable(ref("S0"), doubling | {"S30": {}})


def test_merging_too_much_is_refused() -> None:
    """A document made to be merged for ever is told, not worked through."""
    wide = {name: {"properties": {**{f"n{i}": ref(name) for i in range(9)}, name: {}}} for name in ("P", "Q")}
    with pytest.raises(ConfigError, match=r"#/here: more than .* schemas to merge"):
        reachable({"allOf": [ref("P"), ref("Q")]}, wide)
