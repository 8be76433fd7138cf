"""A request as a script of Python with the official client.

Rules:
1. The method that the client has for the operation is called when it sends the same request; otherwise `client.post`
   and the like, which send what they are given.
2. A field that the method does not take by its name goes through `extra_body`, `extra_query` or `extra_headers`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from replayproxy.core.bodies import parse_form
from replayproxy.core.catalog import Operation, Parameter
from replayproxy.core.exports.client_methods import NOT_TAKEN, client_method
from replayproxy.core.exports.json_text import UNREADABLE, readable
from replayproxy.core.exports.literals import PYTHON
from replayproxy.core.exports.python_httpx import script_of
from replayproxy.core.exports.python_text import body_text, call, file_text, files_text, headers_text, script
from replayproxy.core.exports.sent import KEY, LARGE, Field, Sent, is_text, sent, url_of
from replayproxy.core.media_types import essence
from replayproxy.core.messages import Request, encode
from replayproxy.core.multipart import Part
from replayproxy.core.schemas import Schema

__all__ = ["as_openai"]

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_IN_OBJECT = re.compile(r"[^\[\]]+\]")
_VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
#: What the client adds to a request that does not say otherwise.
_ADDED = {"embeddings.create": "encoding_format"}
_OF_CLIENT = frozenset({"accept", "authorization", "content-type"})


@dataclass(frozen=True, slots=True)
class _Typed:
    """A call of the client's own method: its base path, its arguments as source text, and what it does not take."""

    base: str
    method: str
    arguments: dict[str, str]
    extra_query: dict[str, Any] = field(default_factory=dict)
    extra_body: dict[str, Any] = field(default_factory=dict)


class _OtherwiseError(Exception):
    """The client's method would send another request."""


def as_openai(request: Request, base_url: str, operation: Operation | None) -> str:
    """The script that sends a redacted request to `base_url`, which means that operation if any, and prints what comes
    back; the key is read from the environment."""
    what = sent(request, base_url)
    if not _can_be_sent(what):
        return script_of(what, "the openai client does not send such a request: this is httpx, which it is made with")
    try:
        typed = _typed(what, operation)
    except _OtherwiseError:
        return _untyped(what, base_url)
    arguments = [f"{name}={text}" for name, text in typed.arguments.items()]
    arguments += [
        f"{name}={PYTHON.value(extra, '    ')}"
        for name, extra in (("extra_query", typed.extra_query), ("extra_body", typed.extra_body))
        if extra
    ]
    arguments += _extra_headers(what, operation.beta if operation else "")
    client = _client(url_of(base_url, typed.base), admin=typed.method.startswith("admin."))
    return _script(what, "OpenAI", client, call(f"client.{typed.method}", arguments))


def _can_be_sent(what: Sent) -> bool:
    """Whether the client sends it in any way: it takes headers in a dict, and forms in parts only."""
    odd_form = what.parts is None and essence(what.content_type).startswith("multipart/")
    names = [each.name.lower() for each in what.fields]
    is_dict = len(set(names)) == len(names) and all(each.value.isascii() for each in what.fields)
    body_of_get = what.request.method == "GET" and bool(what.body or what.parts)
    return what.request.method in _VERBS and is_dict and not odd_form and not body_of_get


def _script(what: Sent, names: str, client: str, asked: str) -> str:
    imports = f"from openai import {names}, omit" if ": omit," in asked else f"from openai import {names}"
    shown = f"for event in {asked}:\n    print(event)" if what.streams else f"answer = {asked}\nprint(answer)"
    return script(what.notes, imports, f"{client}\n{shown}")


def _client(base_url: str, *, admin: bool = False) -> str:
    key = f'os.environ["{KEY}"]'
    keys = [f"api_key={key}", *([f"admin_api_key={key}"] if admin else [])]
    return call("client = OpenAI", [*keys, f"base_url={PYTHON.text(base_url)}"])


def _extra_headers(what: Sent, beta: str) -> list[str]:
    given = [
        each
        for each in what.fields
        if each.name.lower() not in _OF_CLIENT and (each.name.lower(), each.value) != ("openai-beta", beta)
    ]
    return [f"extra_headers={text}"] if (text := _with_omitted(what, given)) else []


def _with_omitted(what: Sent, fields: list[Field]) -> str:
    """Headers as a dict, "" for none; the client calls any request JSON, and has to be told that one is not."""
    omitted = what.parts is None and not what.content_type and what.request.method != "GET"
    if not omitted:
        return headers_text(fields) if fields else ""
    return headers_text(fields).replace("{\n", '{\n        "Content-Type": omit,\n', 1)


# --- the client's own method


def _typed(what: Sent, operation: Operation | None) -> _Typed:
    method = client_method(operation.id) if operation else None
    if operation is None or method is None or (operation.beta and what.field("openai-beta") is None):
        raise _OtherwiseError
    base, values = _placed(what.request.path, operation)
    fields = _fields_of_body(what, operation)
    query = _query(what.request.query)
    known = {each.name.removesuffix("[]"): each for each in operation.placed["query"]}
    taken = _taken(operation)
    if _ADDED.get(method, "") not in ("", *fields) or _lacking(operation, fields, query) or taken & query.keys():
        raise _OtherwiseError
    if what.parts is not None and fields.keys() - taken:  # `extra_body` has no place for files
        raise _OtherwiseError
    arguments = {name: PYTHON.text(value) for name, value in values.items()}
    arguments |= {name: _query_text(value, known[name]) for name, value in query.items() if name in known}
    arguments |= {name: text for name, (text, _) in fields.items() if name in taken}
    return _Typed(
        base,
        method,
        arguments,
        {name: value for name, value in query.items() if name not in known},
        {name: value for name, (_, value) in fields.items() if name not in taken},
    )


def _placed(path: str, operation: Operation) -> tuple[str, dict[str, str]]:
    """The base that a path is under, and the values of its parameters."""
    wanted = operation.template.split("/")[1:]
    given = path.split("/")
    base, rest = "/".join(given[: -len(wanted)]), given[-len(wanted) :]
    values = dict[str, str]()
    for name, segment in zip(wanted, rest, strict=False):
        value = unquote(segment, errors="surrogateescape")
        if name.startswith("{") and value.isprintable() and value not in ("", ".", ".."):
            values[name[1:-1]] = value
        elif name != value:
            raise _OtherwiseError
    return base, values


def _fields_of_body(what: Sent, operation: Operation) -> Mapping[str, tuple[str, Any]]:
    """The fields of a JSON object or a form: each as an expression, and as a value of JSON."""
    multipart = "multipart/form-data" in operation.bodies
    if what.parts is not None and multipart:
        return _fields_of_form(what.parts)
    if not what.body and not operation.bodies:
        return {}
    is_json = essence(what.content_type) == "application/json"
    if multipart or not operation.bodies or not isinstance(what.body, bytes) or not is_json:
        raise _OtherwiseError
    value = readable(what.request.headers, what.body)
    if not isinstance(value, dict):
        raise _OtherwiseError
    return {name: (PYTHON.value(each, "    "), each) for name, each in value.items()}


def _fields_of_form(parts: tuple[Part, ...]) -> dict[str, tuple[str, Any]]:
    """A form's fields; `a[]` is a list and `a[b]` an object, as the client writes them."""
    texts, found = dict[str, Any](), dict[str, tuple[str, Any]]()
    for part in parts:
        if part.filename is None and not part.headers.get("content-type") and len(part.content) <= LARGE:
            _add(texts, part.name or "", part.content.decode() if is_text(part.content) else None)
        elif part.filename is None:
            raise _OtherwiseError
    for name, value in texts.items():
        found[name] = PYTHON.value(value, "    "), value
    for name in dict.fromkeys(part.name or "" for part in parts if part.filename is not None):
        files = [file_text(part) for part in parts if part.name == name]
        plain = name.removesuffix("[]")
        if plain in found or (name == plain and len(files) > 1) or "[" in plain:
            raise _OtherwiseError
        lines = "".join(f"        {file},\n" for file in files)
        found[plain] = (files[0] if name == plain else f"[\n{lines}    ]"), None
    return found


def _query(query: str) -> dict[str, Any]:
    """The fields of a query, as the client takes them."""
    found = dict[str, Any]()
    for name, value in parse_form(encode(query)):
        _add(found, name, value)
    return found


def _add(found: dict[str, Any], name: str, value: str | None) -> None:
    """Puts in a field under its name, which may be that of a list or of an object's field."""
    if value is None or not is_text(encode(name + value)):
        raise _OtherwiseError
    plain, bracket, inner = name.partition("[")
    held = found.setdefault(plain, [] if inner == "]" else {}) if bracket else None
    if inner == "]" and isinstance(held, list):
        held.append(value)
    elif _IN_OBJECT.fullmatch(inner) and isinstance(held, dict) and inner[:-1] not in held:
        held[inner[:-1]] = value
    elif not bracket and name not in found:
        found[name] = value
    else:
        raise _OtherwiseError


def _query_text(value: Any, parameter: Parameter) -> str:
    """A value of a query as an expression: a number or a truth where the API has one."""
    kind = parameter.schema.form.get("type") if parameter.schema and isinstance(parameter.schema.form, dict) else None
    if kind == "integer" and isinstance(value, str) and _INTEGER.fullmatch(value):
        return value
    if kind == "boolean" and value in ("true", "false"):
        return "True" if value == "true" else "False"
    return PYTHON.value(value, "    ")


def _taken(operation: Operation) -> frozenset[str]:
    """The fields of the body that the client's method takes by name."""
    known = frozenset[str]().union(*(_properties(schema, "properties") for schema in operation.bodies.values()))
    return known - NOT_TAKEN.get(operation.id, frozenset())


def _lacking(operation: Operation, fields: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Whether something is missing that the client's method does not do without."""
    needed = {each.name.removesuffix("[]") for each in operation.placed["query"] if each.required} - query.keys()
    bodies = list(operation.bodies.values())
    return bool(needed or (bodies and _properties(bodies[0], "required") - fields.keys()))


def _properties(schema: Schema, what: str) -> set[str]:
    """The names of an object's fields: all `properties`, of unions too, or those that are `required` in any case."""
    unions = ("allOf",) if what == "required" else ("allOf", "anyOf", "oneOf")
    found, left, seen = set[str](), [schema.form], set[str]()
    while left:
        form = left.pop()
        if not isinstance(form, Mapping):
            continue
        found |= set(form.get(what, ()))
        left += [each for union in unions for each in form.get(union, ())]
        name = str(form.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            left.append(schema.definitions[name])
    return found


# --- what the client has for all the rest


def _untyped(what: Sent, base_url: str) -> str:
    """The request with `client.post` and the like."""
    path, prefix = what.request.target, "/v1" if what.request.path.startswith("/v1/") else ""
    client = _client(base_url.rstrip("/") + prefix)
    target = urlsplit(url_of("http://api", path.removeprefix(prefix)))
    arguments = [PYTHON.text(target.path + (f"?{target.query}" if target.query else "")), *_body(what)]
    names, given = "OpenAI", ["cast_to=object"]
    if what.streams:
        names, given = "OpenAI, Stream", [*given, "stream=True", "stream_cls=Stream[object]"]
    asked = call(f"client.{what.request.method.lower()}", [*arguments, *given])
    return _script(what, names, client, asked)


def _body(what: Sent) -> list[str]:
    """The arguments that hold the body, and the headers, which may have to name its media type."""
    dropped = {"authorization"} if what.field("authorization") is not None else set[str]()
    fields = [each for each in what.fields if each.name.lower() not in dropped]
    if what.parts is not None:
        fields.append(Field("Content-Type", "multipart/form-data"))
        return [f"files={files_text(what.parts)}", f'options={{"headers": {headers_text(fields)}}}']
    options = [f'options={{"headers": {text}}}'] if (text := _with_omitted(what, fields)) else []
    if not what.body:
        return options
    value = readable(what.request.headers, what.body) if isinstance(what.body, bytes) else UNREADABLE
    body = f"content={body_text(what.body)}" if value is UNREADABLE else f"body={PYTHON.value(value, '    ')}"
    return [body, *options]
