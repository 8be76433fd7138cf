"""How a module of the inspector describes its routes for the description of the admin API (OpenAPI 3.1)."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["operation"]

#: What the parameters in paths are.
_PLACES = {
    "number": "The number of the exchange, or of the interaction in its cassette.",
    "name": "The name of the session, or of the file.",
    "path": "The path of the cassette in the folder of cassettes.",
    "side": "request or response.",
    "form": "curl, openai, httpx, javascript or har.",
    "id": "What the list of conversations calls it.",
}
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def operation(
    name: str,
    summary: str,
    path: str = "",
    *,
    query: dict[str, str] | None = None,
    body: str = "",
    gives: str = "application/json",
    refusals: dict[int, str] | None = None,
) -> dict[str, Any]:
    """One operation: its id, what it does, its path's parameters (taken from `path`), its query by name and meaning,
    what its JSON body holds, the media type of its answer, and what it refuses with which status."""
    places = [
        {"name": each, "in": "path", "required": True, "description": _PLACES[each], "schema": {"type": "string"}}
        for each in re.findall(r"\{(\w+)\}", path)
    ]
    asked = [
        {"name": each, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for each, meaning in (query or {}).items()
    ]
    schema = {"type": "object" if gives == "application/json" else "string"}
    responses: dict[str, Any] = {"200": {"description": "It is so.", "content": {gives: {"schema": schema}}}}
    responses |= {str(status): {"description": told, "content": _ERROR} for status, told in (refusals or {}).items()}
    found: dict[str, Any] = {"operationId": name, "summary": summary, "responses": responses}
    if places or asked:
        found["parameters"] = [*places, *asked]
    if body:
        told = {"application/json": {"schema": {"type": "object", "description": body}}}
        found["requestBody"] = {"required": True, "content": told}
    return found
