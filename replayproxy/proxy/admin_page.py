"""The description of the admin API as a page: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

__all__ = ["CONTENT_SECURITY_POLICY", "page"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8888; margin-top: 1.5rem; }
h2 { font-size: 1.1rem; margin-bottom: 0; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { padding: .6rem; overflow-x: auto; background: #8882; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; }
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: Nothing may be loaded, run, embedded or sent; the one style sheet is known by its digest.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(description: Mapping[str, Any]) -> str:
    """An OpenAPI description as a page of HTML."""
    info = description["info"]
    operations = [
        _operation(path, method, operation, description)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>\n"
        f'<p>{escape(info["description"])} For programs: <a href="/openapi.json">openapi.json</a>.</p>\n'
        f"{''.join(operations)}</body></html>\n"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any], description: Mapping[str, Any]) -> str:
    about = "\n".join(_parts(operation, description))
    heading = f"<code>{escape(method.upper())} {escape(path)}</code> {escape(operation['summary'])}"
    return f'<section id="{escape(operation["operationId"])}"><h2>{heading}</h2>\n{about}\n</section>\n'


def _parts(operation: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[str]:
    if "description" in operation:
        yield f"<p>{escape(operation['description'])}</p>"
    parameters = [(one["name"], _kind(one["schema"]), one["description"]) for one in operation.get("parameters", ())]
    if parameters:
        yield _table("parameter", parameters)
    if "requestBody" in operation:
        yield from _body(operation["requestBody"]["content"]["application/json"], description)
    yield _table("status", [(status, "", one["description"]) for status, one in operation["responses"].items()])


def _body(content: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[str]:
    schema = content["schema"]
    if "$ref" not in schema:
        yield f"<p>The body: {escape(schema['description'])}</p>"
        return
    schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    yield _table(
        "field",
        [
            (name, _kind(one) + (", required" if name in schema["required"] else ""), one["description"])
            for name, one in schema["properties"].items()
        ],
    )
    yield f"<pre>{escape(json.dumps(content['example']))}</pre>"


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    told = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td><td>{escape(about)}</td></tr>"
        for name, kind, about in rows
    )
    return f'<table><tr><th scope="col">{title}</th><th></th><th></th></tr>{told}</table>'


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"] if each is not None)
    kind = schema["type"]
    return kind if isinstance(kind, str) else " | ".join(each for each in kind if each != "null")
