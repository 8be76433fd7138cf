"""A catalog as it stands in a file: facts of an API as JSON, made from its OpenAPI description (core/openapi).

The form is told in docs/catalog.md. A schema is compiled when it is first asked, so to read a catalog costs what its
JSON costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from replayproxy.core.catalog import Base, Catalog, Operation, Parameter, Stream
from replayproxy.core.problem import Check
from replayproxy.core.schemas import Schema
from replayproxy.errors import ConfigError

__all__ = ["FORM_VERSION", "read_catalog"]

FORM_VERSION = 1

_CURE = "make one from an OpenAPI description: replayproxy catalog import openapi.yaml -o catalog.json"
_MakeSchema = Callable[[Any], Schema]
_NO_CHECKS: Mapping[str, Check] = {}


def read_catalog(text: bytes | str, checks: Mapping[str, Check] = _NO_CHECKS) -> Catalog:
    """The catalog in a file's `text`; `checks` are those of operations that have more to them than schemas, by id.

    Raises ConfigError when the text is no catalog.
    """
    try:
        form = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"this is no catalog: it is not JSON ({error}); {_CURE}") from None
    if not isinstance(form, dict) or "catalog" not in form:
        raise ConfigError(f"this is no catalog: it does not say `catalog: {FORM_VERSION}`; {_CURE}")
    if form["catalog"] != FORM_VERSION:
        what = f"the catalog has form {form['catalog']!r:.40}, and this replayproxy knows {FORM_VERSION}"
        raise ConfigError(f"{what}; {_CURE}")
    return _catalog(form, checks)


def _catalog(form: Mapping[str, Any], checks: Mapping[str, Check]) -> Catalog:
    place = "at its beginning"
    try:
        definitions: Mapping[str, Any] = form.get("$defs", {})
        operations = []
        for number, each in enumerate(form["operations"], 1):
            place = f"in operation {number}"
            operations.append(_operation(each, lambda schema: Schema(schema, definitions), checks))
        place = "as a whole"
        bases = tuple(Base.parse(base) for base in form.get("bases", ()))
        about = {name: str(form.get(name, "")) for name in ("title", "version", "date")}
        return Catalog(operations, bases, **about)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ConfigError(f"the catalog is not in order {place}: {what[:200]}; {_CURE}") from None


def _operation(form: Mapping[str, Any], schema: _MakeSchema, checks: Mapping[str, Check]) -> Operation:
    body, stream = form.get("body", {}), form.get("stream")
    return Operation(
        id=form["id"],
        method=form["method"],
        template=form["path"],
        family=form["family"],
        query=form.get("query", {}),
        parameters=tuple(_parameter(each, schema) for each in form.get("parameters", ())),
        bodies={media: schema(each) for media, each in body.get("content", {}).items()},
        body_required=body.get("required", False),
        answers={
            status: {media: schema(each) for media, each in content.items()}
            for status, content in form.get("answers", {}).items()
        },
        stream=_stream(stream, schema) if stream else None,
        beta=form.get("beta", ""),
        frozen=form.get("frozen", False),
        deprecated=form.get("deprecated", False),
        off=form.get("off", ""),
        check=checks.get(form["id"]),
    )


def _parameter(form: Mapping[str, Any], schema: _MakeSchema) -> Parameter:
    shape = schema(form["schema"]) if "schema" in form else None
    return Parameter(form["name"], form["in"], form.get("required", False), shape, form.get("style", ""))


def _stream(form: Mapping[str, Any], schema: _MakeSchema) -> Stream:
    return Stream(
        events={name: schema(each) for name, each in form["events"].items()},
        key=form.get("key", ""),
        done=form.get("done", False),
        first=frozenset(form.get("first", ())),
        last=frozenset(form.get("last", ())),
        sequence=form.get("sequence", ""),
        after=form.get("after", {}),
    )
