"""Catalog files: what is read, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from replayproxy.core.catalog import Base, Parameter, Stream
from replayproxy.core.catalog_form import read_catalog
from replayproxy.core.problem import Call, Problem
from replayproxy.errors import ConfigError

FORM: dict[str, Any] = {
    "catalog": 1,
    "title": "Pets",
    "version": "1.0",
    "date": "2026-01-02",
    "bases": ["/api/v3", "/{tenant}?version"],
    "operations": [
        {"id": "list", "method": "GET", "path": "/pets", "family": "pets"},
        {
            "id": "add",
            "method": "POST",
            "path": "/pets/{kind}",
            "family": "pets",
            "query": {"beta": "true"},
            "parameters": [
                {"name": "kind", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "x", "in": "query", "style": "deepObject"},
            ],
            "body": {"required": True, "content": {"application/json": {"$ref": "#/$defs/Pet"}}},
            "answers": {"200": {"application/json": {"$ref": "#/$defs/Pet"}}},
            "stream": {
                "key": "type",
                "events": {"born": {"$ref": "#/$defs/Pet"}},
                "done": True,
                "first": ["born"],
                "last": ["dead"],
                "sequence": "n",
                "after": {"dead": "born"},
            },
            "beta": "pets=v2",
            "frozen": True,
            "deprecated": True,
            "off": "2027-01-01",
        },
    ],
    "$defs": {"Pet": {"type": "object", "required": ["name"]}},
}


def test_all_facts_are_read() -> None:
    """Each key of the form has its place."""

    def check(_: Call) -> Problem | None:
        return None

    catalog = read_catalog(json.dumps(FORM), {"add": check})
    assert (catalog.title, catalog.version, catalog.date) == ("Pets", "1.0", "2026-01-02")
    assert catalog.bases == (Base("/api/v3"), Base("/{tenant}", frozenset({"version"})))
    add = catalog.operation("add")
    assert (str(add), add.family, add.query) == ("POST /pets/{kind}", "pets", {"beta": "true"})
    kind, x = add.parameters
    assert (kind.name, kind.place, kind.required) == ("kind", "path", True)
    assert x == Parameter("x", "query", style="deepObject")
    assert add.body_required
    problem = add.bodies["application/json"].request_problem({})
    assert problem is not None
    assert problem.param == "name"
    assert add.answers["200"]["application/json"].answer_problem({"name": "Rex"}) is None
    assert add.stream == Stream(
        add.stream.events if add.stream else {},
        "type",
        True,
        frozenset({"born"}),
        frozenset({"dead"}),
        "n",
        {"dead": "born"},
    )
    assert (add.beta, add.frozen, add.deprecated, add.off) == ("pets=v2", True, True, "2027-01-01")
    assert add.check is check
    plain = catalog.operation("list")
    assert (plain.parameters, plain.bodies, plain.answers, plain.stream, plain.check) == ((), {}, {}, None, None)
    resolved = catalog.resolve("GET", "/api/v3/pets")
    assert resolved is not None
    assert resolved.operation is plain


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "it is not JSON"),
        ("[]", "it does not say `catalog: 1`"),
        ('{"openapi": "3.1.0"}', "replayproxy catalog import"),
        ('{"catalog": 2}', "the catalog has form 2, and this replayproxy knows 1"),
        ('{"catalog": 1}', "'operations' is missing"),
        ('{"catalog": 1, "operations": [1]}', "in operation 1"),
        ('{"catalog": 1, "operations": [{"id": "a"}]}', "in operation 1: 'method' is missing"),
        ('{"catalog": 1, "operations": [], "bases": [1]}', "as a whole"),
        (json.dumps({**FORM, "operations": FORM["operations"] * 2}), "is in the catalog twice"),
    ],
)
def test_what_is_no_catalog_is_refused(text: str, told: str) -> None:
    """The error says where, and how to make a catalog."""
    with pytest.raises(ConfigError) as caught:
        read_catalog(text)
    assert told in str(caught.value)
    assert "catalog import" in str(caught.value)
