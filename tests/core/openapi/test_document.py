"""What is a document, and where its references lead."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from replayproxy.core.openapi.document import Document, plain, pointer
from replayproxy.errors import ConfigError

ROOT = {
    "openapi": "3.1.0",
    "a": {"b/c": [{"x": 1}], "d": {"$ref": "#/a/e"}, "e": {"$ref": "#/a/d"}, "f": {"$ref": "#/a"}},
}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"swagger": "2.0"}, "a Swagger 2 file: convert it"),
        ({"overlay": "1.0.0"}, "an overlay"),
        ({"catalog": 1}, "a catalog already"),
        ({"asyncapi": "2.0.0"}, "an AsyncAPI file"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, "a JSON Schema"),
        ({"openapi": "2.0"}, "one of version '2.0'"),
        ({"replayproxy": 1, "head": {}}, "an object with the keys replayproxy, head"),
        ({}, "an empty object"),
    ],
)
def test_what_is_no_openapi_document_is_named(document: dict[str, Any], told: str) -> None:
    """A file taken for an OpenAPI document by mistake is told by what it is."""
    with pytest.raises(ConfigError, match="This is no OpenAPI 3 document, but") as caught:
        Document(document)
    assert told in str(caught.value)


@pytest.mark.parametrize(("version", "old"), [("3.0.3", True), ("3.1.0", False), (3.1, False), ("3.2.0", False)])
def test_the_version_may_stand_there_without_quotes(version: object, old: bool) -> None:
    """3.0 is told from what came after it, also where YAML took the version for a number."""
    assert Document({"openapi": version}).old is old


def test_a_copy_is_plain() -> None:
    """Dates become texts, keys that are numbers too; the given value stays as it was."""
    given = {200: {"at": date(2026, 8, 21), "of": (1, 2.5, None, True)}, "big": -(10**30)}
    assert plain(given) == {"200": {"at": "2026-08-21", "of": [1, 2.5, None, True]}, "big": -1e30}
    assert given[200] == {"at": date(2026, 8, 21), "of": (1, 2.5, None, True)}


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _aliased() -> list[Any]:
    value: list[Any] = [0] * 1000
    for _ in range(2):
        value = [value] * 1000
    return value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (_nested(10_000), "nested deeper than 100 levels"),
        (_aliased(), "more than 1000000 values"),
        ({"a": {True: 1}}, "#/a: the key True is no text"),
        ({None: 1}, "#: the key None is no text"),
        ({"x" * 100: {("y" * 100,): 1}}, "..."),
        ({"a/b": float("nan")}, "#/a~1b: a number that JSON cannot hold"),
        ([10**400], "#/0: a number that JSON cannot hold"),
        ({"a": "\ud800"}, "half a surrogate pair"),
        ({"\ud800": 1}, "half a surrogate pair"),
        ({"a": b"x"}, "#/a: bytes is nothing that a document can hold"),
    ],
)
def test_what_no_document_can_hold_is_refused(value: Any, told: str) -> None:
    """What cannot be written as JSON, or has no end, is told with its place."""
    with pytest.raises(ConfigError) as caught:
        plain(value)
    assert told in str(caught.value)


def test_references_are_pointers() -> None:
    """Escapes of both kinds are read, and lists are counted."""
    document = Document(ROOT)
    assert document.at("#/a/b~1c/0/x", "#") == 1
    assert document.at("#/a/b%7E1c/0", "#") == {"x": 1}
    assert document.at("#", "#") == ROOT
    assert document.resolved(document.at("#/a/f", "#"), "#/a/f") == (ROOT["a"], "#/a")
    assert pointer("#", "a", "b/c~", 0) == "#/a/b~1c~0/0"


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("#/a/x", "#/here: $ref to '#/a/x', which is not in the document"),
        ("#/a/b~1c/1", "which is not in the document"),
        ("#/a/b~1c/²", "which is not in the document"),
        ("#anchor", "which is not in the document"),
        ("other.yaml#/a", "#/here: $ref to another document, 'other.yaml#/a'"),
        (1, "#/here: $ref must be a text, not 1"),
        ("#/a/d", "#/a/d: $ref that leads back to itself"),
        ("#/a/b~1c", "#/a/b~1c: an object is expected here"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told(ref: object, told: str) -> None:
    """Dangling, remote and circular references are told with the place where they stand."""
    with pytest.raises(ConfigError) as caught:
        Document(ROOT).resolved({"$ref": ref}, "#/here")
    assert told in str(caught.value)
