"""OpenAPI documents made into catalogs."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.openapi import catalog_text, distilled
from replayproxy.errors import ConfigError

STRING = {"type": "string"}
ANSWER = {"200": {"description": "fine"}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": 1.2},
    "servers": [
        {"url": "https://api.example.com/v1/"},
        {"url": "https://{zone}.example.com/{path}", "variables": {"zone": 1, "path": {"default": "v2"}}},
    ],
    "x-replayproxy": {"date": "2026-01-02"},
    "paths": {
        "x-note": {},
        "/things": {
            "summary": "things",
            "parameters": [
                {"$ref": "#/components/parameters/Trace"},
                {"name": "limit", "in": "query", "schema": {"type": "integer"}},
            ],
            "get": {
                "operationId": "listThings",
                "tags": ["All things"],
                "deprecated": True,
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}},
                    {
                        "name": "filter",
                        "in": "query",
                        "style": "deepObject",
                        "explode": True,
                        "schema": {"type": "object"},
                    },
                    {"name": "ids", "in": "query", "explode": False, "schema": {"type": "array"}},
                    {"name": "any", "in": "query", "style": "form", "explode": True, "required": True},
                    {"name": "Accept", "in": "header", "schema": STRING},
                    {"name": "crumb", "in": "cookie", "schema": STRING},
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        }
                    },
                    "x-a": 1,
                    "default": {"$ref": "#/components/responses/Wrong"},
                },
            },
            "post": {
                "operationId": "createThing",
                "requestBody": {"$ref": "#/components/requestBodies/Thing"},
                "responses": {
                    "201": {
                        "content": {
                            "text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}},
                            "text/plain": {},
                        }
                    }
                },
                "x-replayproxy": {
                    "family": "My things",
                    "beta": "things=v1",
                    "frozen": True,
                    "off": "2026-08-26",
                    "stream": {"done": True, "last": ["end"], "sequence": "n", "after": {"end": "start"}, "first": []},
                },
            },
        },
        "/organization/{id}/parts?beta=true": {"get": {"responses": ANSWER, "tags": []}},
        "/organization/{id}/parts": {"get": {"responses": ANSWER, "tags": "parts"}},
        "/{id}": {"get": {"tags": ["-"]}},
    },
    "components": {
        "parameters": {"Trace": {"name": "x-trace", "in": "header", "style": "simple", "schema": STRING}},
        "requestBodies": {
            "Thing": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
            }
        },
        "responses": {"Wrong": {"content": {"application/json": {"schema": {"type": "object"}}}}},
        "schemas": {
            "Thing": {"type": "object", "properties": {"id": STRING}},
            "Event": {
                "anyOf": [{"properties": {"type": {"const": "start"}}}, {"properties": {"type": {"const": "end"}}}]
            },
            "Unused": STRING,
        },
    },
}


def test_a_document_becomes_a_catalog() -> None:
    """Everything that a request, an answer and a stream can be checked by is in the catalog."""
    before = copy.deepcopy(DOCUMENT)
    thing = {"application/json": {"$ref": "#/$defs/Thing"}}
    trace = {"name": "x-trace", "in": "header", "schema": STRING}
    start, end = ({"type": "object", "properties": {"type": {"const": name}}} for name in ("start", "end"))
    assert distilled(DOCUMENT) == {
        "catalog": 1,
        "title": "Things",
        "version": "1.2",
        "date": "2026-01-02",
        "bases": ["/v1", "/v2"],
        "operations": [
            {
                "id": "listThings",
                "method": "GET",
                "path": "/things",
                "family": "all_things",
                "parameters": [
                    trace,
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}},
                    {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
                    {"name": "ids", "in": "query", "explode": False, "schema": {"type": "array"}},
                    {"name": "any", "in": "query", "required": True},
                ],
                "answers": {"200": thing, "default": {"application/json": {"type": "object"}}},
                "deprecated": True,
            },
            {
                "id": "createThing",
                "method": "POST",
                "path": "/things",
                "family": "my_things",
                "parameters": [trace, {"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                "body": {"required": True, "content": thing},
                "answers": {"201": {"text/plain": {}}},
                "stream": {
                    "key": "type",
                    "events": {"start": start, "end": end},
                    "done": True,
                    "last": ["end"],
                    "sequence": "n",
                    "after": {"end": "start"},
                },
                "beta": "things=v1",
                "frozen": True,
                "off": "2026-08-26",
            },
            {
                "id": "get_organization_id_parts_beta_true",
                "method": "GET",
                "path": "/organization/{id}/parts",
                "family": "parts",
                "query": {"beta": "true"},
                "answers": {"200": {}},
            },
            {
                "id": "get_organization_id_parts",
                "method": "GET",
                "path": "/organization/{id}/parts",
                "family": "parts",
                "answers": {"200": {}},
            },
            {"id": "get_id", "method": "GET", "path": "/{id}", "family": "api"},
        ],
        "$defs": {"Thing": {"type": "object", "properties": {"id": STRING}}},
    }
    assert before == DOCUMENT


def test_an_overlay_corrects_the_document_first() -> None:
    """Facts of an overlay are as good as those of the document, and neither is changed."""
    overlay: dict[str, Any] = {
        "overlay": "1.0.0",
        "actions": [
            {"target": "$", "update": {"x-replayproxy": {"bases": ["/api"]}}},
            {"target": "$.paths['/{id}'].get", "update": {"x-replayproxy": {"stream": {"schema": {"type": "object"}}}}},
            {"target": "$.paths['/things'].post", "update": {"x-replayproxy": {"stream": False}}},
        ],
    }
    before = copy.deepcopy(overlay)
    form = distilled(DOCUMENT, [overlay])
    assert form["bases"] == ["/api"]
    assert form["operations"][-1]["stream"] == {"key": "", "events": {"": {}}}
    assert "stream" not in form["operations"][1]
    assert overlay == before


@pytest.mark.parametrize(
    ("servers", "bases"),
    [
        (None, []),
        (["x", {"url": 1}], []),
        ([{"url": "/"}], []),
        ([{"url": "http://[x/v1"}, {"url": "/v1"}], ["", "/v1"]),
    ],
)
def test_servers_say_where_operations_are_mounted(servers: object, bases: list[str]) -> None:
    """Only the paths of servers count; those at the root need no mention."""
    assert distilled({"openapi": "3.0.0", "servers": servers}).get("bases", []) == bases


def paths(**items: Any) -> dict[str, Any]:
    """A document with these paths; `_` stands for the slash."""
    return {"openapi": "3.1.0", "paths": {path.replace("_", "/"): item for path, item in items.items()}}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "#: an object is expected here"),
        ({"openapi": "3.1.0", "paths": []}, "#/paths: an object is expected here"),
        ({"openapi": "3.1.0", "info": 1}, "#/info: an object is expected here"),
        (paths(a={}), "#/paths/a: a path begins with a slash"),
        (paths(_a=1), "#/paths/~1a: an object is expected here"),
        (paths(_a={"get": 1}), "#/paths/~1a/get: an object is expected here"),
        (
            {"openapi": "3.1.0", "paths": {"/a/{b}": {"get": {"operationId": "x"}}, "/a/{c}": {"get": {}}}},
            "#/paths/~1a~1{c}/get (get_a_c): the same method and path as #/paths/~1a~1{b}/get",
        ),
        (
            paths(_a={"get": {"operationId": "x"}}, _b={"get": {"operationId": "x"}}),
            "#/paths/~1b/get (x): the same operationId as #/paths/~1a/get",
        ),
        (paths(_a={"get": {"parameters": {}}}), "#/paths/~1a/get/parameters: a list is expected here"),
        (paths(_a={"parameters": {}, "get": {}}), "#/paths/~1a/parameters: a list is expected here"),
        (paths(_a={"get": {"parameters": [{}]}}), "#/paths/~1a/get/parameters/0: a parameter has a `name`"),
        (paths(_a={"get": {"parameters": [{"name": "a", "in": "body"}]}}), "one of path, query, header, cookie"),
        (paths(_a={"get": {"requestBody": {"content": {"a/b": []}}}}), "#/paths/~1a/get/requestBody/content/a~1b"),
        (paths(_a={"get": {"responses": {"200": {"$ref": "#/x"}}}}), "#/paths/~1a/get/responses/200: $ref to '#/x'"),
        (paths(_a={"get": {"x-replayproxy": {"famly": "x"}}}), "#/paths/~1a/get/x-replayproxy/famly: not known here"),
        (paths(_a={"get": {"x-replayproxy": {"off": "soon"}}}), "x-replayproxy/off: 'soon' is not what is expected"),
        (paths(_a={"get": {"x-replayproxy": {"stream": {"done": 1}}}}), "x-replayproxy/stream/done: 1 is not"),
        (paths(_a={"get": {"x-replayproxy": {"stream": {"first": [1]}}}}), "x-replayproxy/stream/first: [1] is not"),
        (
            {"openapi": "3.1.0", "x-replayproxy": {"bases": "/v1"}},
            "#/x-replayproxy/bases: '/v1' is not what is expected",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(document: Any, told: str) -> None:
    """A mistake is told with a pointer to it."""
    with pytest.raises(ConfigError) as caught:
        distilled(document)
    assert told in str(caught.value)


def test_the_text_has_a_line_for_each_operation_and_schema() -> None:
    """The text is JSON of the form, one operation and one schema per line."""
    form = distilled(DOCUMENT)
    text = catalog_text(form)
    assert json.loads(text) == form
    assert text.endswith("}\n")
    assert text == catalog_text(json.loads(text))
    assert [line[:16] for line in text.splitlines()[5:]] == [
        ' "operations": [',
        '  {"id":"listThi',
        '  {"id":"createT',
        '  {"id":"get_org',
        '  {"id":"get_org',
        '  {"id":"get_id"',
        " ],",
        ' "$defs": {',
        '  "Thing": {"typ',
        " }}",
    ]
    assert (
        catalog_text({"catalog": 1, "operations": [], "$defs": {}})
        == '{"catalog": 1,\n "operations": [],\n "$defs": {}}\n'
    )


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.binary(max_size=2)
)
KEYWORDS = st.sampled_from(
    [
        *(
            "$ref",
            "type",
            "properties",
            "items",
            "anyOf",
            "oneOf",
            "allOf",
            "not",
            "enum",
            "const",
            "required",
            "nullable",
        ),
        *(
            "additionalProperties",
            "pattern",
            "minimum",
            "maxLength",
            "exclusiveMinimum",
            "$recursiveRef",
            "prefixItems",
        ),
    ]
)
WORDS = st.sampled_from(
    ["object", "string", "null", "#/components/schemas/A", "#/components/schemas/B", "#", "/a", "^a"]
)
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYWORDS | WORDS, inner, max_size=4),
    max_leaves=12,
)
SCHEMAS = st.dictionaries(KEYWORDS, VALUES, max_size=5)
KEYS = st.sampled_from(
    ["parameters", "requestBody", "responses", "x-replayproxy", "get", "content", "schema", "tags", "200"]
)
NODES = st.recursive(
    VALUES | SCHEMAS, lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2), max_leaves=8
)


@given(
    st.dictionaries(st.sampled_from(["paths", "info", "servers", "components"]), NODES), st.lists(VALUES, max_size=1)
)
def test_nothing_makes_the_importer_fail_otherwise(rest: dict[str, Any], overlays: list[Any]) -> None:
    """Whatever a file holds, it is a catalog or a ConfigError."""
    with suppress(ConfigError):
        assert distilled({"openapi": "3.1.0", **rest}, overlays)["catalog"] == 1


@given(SCHEMAS, SCHEMAS, SCHEMAS, st.sampled_from(["3.0.0", "3.1.0"]))
def test_every_schema_of_a_catalog_compiles(
    one: dict[str, Any], other: dict[str, Any], body: dict[str, Any], version: str
) -> None:
    """Whatever schemas a file holds, those of the catalog are ones that the validator takes."""
    operation = {"requestBody": {"content": {"a/b": {"schema": body}}}}
    document = {
        "openapi": version,
        "paths": {"/": {"post": operation}},
        "components": {"schemas": {"A": one, "B": other}},
    }
    try:
        form = distilled(document)
    except ConfigError:
        return
    schema = form["operations"][0]["body"]["content"]["a/b"]
    jsonschema_rs.Draft202012Validator({"$defs": {**form["$defs"], "": schema}, "$ref": "#/$defs/"})
    assert json.loads(catalog_text(form)) == form
