"""The importer: an OpenAPI 3.0 or 3.1 document, corrected by overlays, made into a catalog of form 1.

A catalog holds the facts that a request, an answer and a stream can be checked by, and no prose:

    {"catalog": 1, "title", "version", "date", "bases": [...], "operations": [...], "$defs": {...}}

It is JSON with one operation and one schema per line, so that a new version of an API reads as a diff.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from replayproxy.core.openapi.document import Document, mapping, plain
from replayproxy.core.openapi.facts import bases, root_facts
from replayproxy.core.openapi.operations import operations, schemas_of
from replayproxy.core.openapi.overlay import apply
from replayproxy.core.openapi.schemas import Schemas

__all__ = ["catalog_text", "distilled"]

#: The version of the form.
_FORM = 1


def distilled(document: Mapping[str, Any], overlays: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The catalog of what `document` (OpenAPI 3.0 or 3.1, as a YAML or JSON reader gives it) describes.

    `overlays` are applied to it one after the other. Neither argument is changed. ConfigError, naming what and where,
    for what is no such document or overlay, refers to what is not there, or holds the same operation twice.
    """
    root = Document(mapping(plain(document), "#")).root
    for overlay in overlays:
        apply(root, mapping(plain(overlay), "#"))
    described = Document(mapping(plain(root), "#"))
    info = mapping(described.root.get("info", {}), "#/info")
    schemas = Schemas(described)
    listed = operations(described, schemas)
    facts = {"bases": bases(described.root), **root_facts(described.root)}
    return {
        "catalog": _FORM,
        **{key: str(info[key]) for key in ("title", "version") if isinstance(info.get(key), str | float | int)},
        **{key: facts[key] for key in ("date", "bases") if facts.get(key)},
        "operations": listed,
        "$defs": schemas.reachable(schema for operation in listed for schema in schemas_of(operation)),
    }


def catalog_text(form: Mapping[str, Any]) -> str:
    """The catalog `form` as the text of a file: one operation and one schema per line, the same for the same form."""
    head = [f"{_json(key)}: {_json(value)}" for key, value in form.items() if key not in ("operations", "$defs")]
    listed = ",\n".join(f"  {_json(each)}" for each in form["operations"])
    schemas = ",\n".join(f"  {_json(name)}: {_json(schema)}" for name, schema in sorted(form["$defs"].items()))
    parts = [*head, f'"operations": [{_block(listed)}]', f'"$defs": {{{_block(schemas)}}}']
    return "{" + ",\n ".join(parts) + "}\n"


def _block(lines: str) -> str:
    return f"\n{lines}\n " if lines else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
