"""The operations of an OpenAPI document in catalog form.

Rules:
1. An operation without an id gets one from its method and path: `GET /threads/{thread_id}` is `get_threads_thread_id`.
2. Its family is what `x-replayproxy` says, else its first tag, else the first word of its path that says more than
   `organization`.
3. A query written into a path (`/responses?beta=true`) is what tells the operation from another one.
4. Cookies, and the headers that belong to HTTP (Accept, Content-Type, Authorization), are no parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from replayproxy.core.openapi.document import Document, mapping, pointer
from replayproxy.core.openapi.facts import EXTENSION, operation_facts, slug, stream_facts
from replayproxy.core.openapi.merging import Schema
from replayproxy.core.openapi.schemas import Schemas
from replayproxy.core.openapi.streams import events_of
from replayproxy.errors import ConfigError

__all__ = ["operations", "schemas_of"]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PLACES = ("path", "query", "header", "cookie")
_STYLES = {"path": "simple", "query": "form", "header": "simple"}
_OF_HTTP = ("accept", "content-type", "authorization")
_STREAM = "text/event-stream"


def operations(document: Document, schemas: Schemas) -> list[dict[str, Any]]:
    """Every operation of `document`, in its order; ConfigError when two of them cannot be told apart."""
    found: list[dict[str, Any]] = []
    places: dict[object, str] = {}
    paths = pointer("#", "paths")
    for path, item in mapping(document.root.get("paths", {}), paths).items():
        if path.startswith("x-"):
            continue
        if not path.startswith("/"):
            raise ConfigError(f"{pointer(paths, path)}: a path begins with a slash.")
        shared, at = document.resolved(item, pointer(paths, path))
        for method in shared:
            if method in _METHODS:
                place = pointer(at, method)
                operation = _operation(document, schemas, path, method, shared, place)
                for what, identity in (("operationId", operation["id"]), ("method and path", _identity(operation))):
                    if identity in places:
                        raise ConfigError(f"{place} ({operation['id']}): the same {what} as {places[identity]}.")
                    places[identity] = place
                found.append(operation)
    return found


def schemas_of(operation: dict[str, Any]) -> Iterator[Schema]:
    """All schemas that the operation, in catalog form, has itself."""
    yield from (parameter["schema"] for parameter in operation.get("parameters", ()) if "schema" in parameter)
    for content in (operation.get("body", {}).get("content", {}), *operation.get("answers", {}).values()):
        yield from content.values()
    yield from operation.get("stream", {}).get("events", {}).values()


def _identity(operation: dict[str, Any]) -> object:
    segments = operation["path"].split("/")
    template = tuple("{}" if each.startswith("{") else each for each in segments)
    return operation["method"], template, tuple(sorted(operation.get("query", {}).items()))


def _operation(
    document: Document, schemas: Schemas, path: str, method: str, item: dict[str, Any], at: str
) -> dict[str, Any]:
    node = mapping(item[method], at)
    template, _, query = path.partition("#")[0].partition("?")
    facts = operation_facts(node, at)
    answers, streamed = _answers(document, schemas, node, at)
    id_ = node.get("operationId")
    return {
        "id": id_ if isinstance(id_, str) and id_ else slug(f"{method} {path}"),
        "method": method.upper(),
        "path": template,
        "family": slug(facts.get("family", "")) or _family(node, template),
        **_said(query=dict(parse_qsl(query, keep_blank_values=True))),
        **_said(parameters=_parameters(document, schemas, item, node, at)),
        **_said(body=_body(document, schemas, node, at), answers=answers),
        **_said(stream=_stream(schemas, facts.get("stream"), streamed, at)),
        **_said(beta=facts.get("beta"), frozen=facts.get("frozen")),
        **_said(deprecated=node.get("deprecated") is True, off=facts.get("off")),
    }


def _said(**facts: Any) -> dict[str, Any]:
    """The facts that say something."""
    return {name: value for name, value in facts.items() if value}


def _family(node: dict[str, Any], template: str) -> str:
    tags = node.get("tags")
    names = [each for each in tags if isinstance(each, str)][:1] if isinstance(tags, list) else []
    names += [each for each in template.split("/") if each != "organization" and not each.startswith("{")]
    return next((name for name in map(slug, names) if name), "api")


def _parameters(
    document: Document, schemas: Schemas, item: dict[str, Any], node: dict[str, Any], at: str
) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for holder, place in ((item, at.rpartition("/")[0]), (node, at)):
        listed = holder.get("parameters", [])
        if not isinstance(listed, list):
            raise ConfigError(f"{pointer(place, 'parameters')}: a list is expected here.")
        for index, each in enumerate(listed):
            parameter, where = document.resolved(each, pointer(place, "parameters", index))
            name, kind = parameter.get("name"), parameter.get("in")
            if not isinstance(name, str) or kind not in _PLACES:
                raise ConfigError(f"{where}: a parameter has a `name`, and is `in` one of {', '.join(_PLACES)}.")
            found[name, kind] = _parameter(schemas, parameter, where)
    return [
        parameter
        for (name, kind), parameter in found.items()
        if kind != "cookie" and (kind != "header" or name.lower() not in _OF_HTTP)
    ]


def _parameter(schemas: Schemas, parameter: dict[str, Any], at: str) -> dict[str, Any]:
    kind = parameter["in"]
    usual = _STYLES.get(kind)
    style = parameter.get("style", usual)
    explode = parameter.get("explode", style == "form")
    return {
        "name": parameter["name"],
        "in": kind,
        **_said(required=kind == "path" or parameter.get("required") is True),
        **_said(style=style if style != usual and isinstance(style, str) else None),
        **({"explode": explode} if style != "deepObject" and explode is (style != "form") else {}),
        **_said(schema=schemas.inline(parameter.get("schema", {}), pointer(at, "schema"))),
    }


def _body(document: Document, schemas: Schemas, node: dict[str, Any], at: str) -> dict[str, Any]:
    if "requestBody" not in node:
        return {}
    body, where = document.resolved(node["requestBody"], pointer(at, "requestBody"))
    return _said(required=body.get("required") is True, content=dict(_content(document, schemas, body, where)))


def _answers(
    document: Document, schemas: Schemas, node: dict[str, Any], at: str
) -> tuple[dict[str, Any], Schema | None]:
    """The answers by status and media type, and the schema of the events of the first stream among them."""
    place = pointer(at, "responses")
    found, streamed = {}, None
    for status, each in mapping(node.get("responses", {}), place).items():
        if status.startswith("x-"):
            continue
        answer, where = document.resolved(each, pointer(place, status))
        content = dict(_content(document, schemas, answer, where))
        events = content.pop(_STREAM, None)
        streamed = events if streamed is None else streamed
        found[status] = content
    return found, streamed


def _content(document: Document, schemas: Schemas, holder: dict[str, Any], at: str) -> Iterator[tuple[str, Schema]]:
    place = pointer(at, "content")
    for name, each in mapping(holder.get("content", {}), place).items():
        media, where = document.resolved(each, pointer(place, name))
        yield name.partition(";")[0].strip().lower(), schemas.inline(media.get("schema", {}), pointer(where, "schema"))


def _stream(schemas: Schemas, said: Any, declared: Schema | None, at: str) -> dict[str, Any]:
    """What the operation's stream is: declared by its media type, said in the extension, or both."""
    if said is False or (said is None and declared is None):
        return {}
    facts = stream_facts(said or {}, at)
    node = facts.pop("schema", None)
    schema = declared or {} if node is None else schemas.inline(node, pointer(at, EXTENSION, "stream", "schema"))
    events = events_of(schema, schemas.merger)
    return {key: value for key, value in {**events, **facts}.items() if value or key == "key"}
