"""The description of the admin API, as OpenAPI 3.1: the routes of admin.py, all of them and no more."""

from __future__ import annotations

from typing import Any

import replayproxy
from replayproxy.core.modes import MODES
from replayproxy.core.receipts import COUNTS
from replayproxy.proxy.admin_forms import EXCHANGES_LIMIT, EXCHANGES_TOLD, OUTCOMES
from replayproxy.proxy.admin_token import SECURITY_SCHEMES, TOKEN_ABOUT, secured
from replayproxy.proxy.inspector.routes import described

__all__ = ["openapi"]

_Schema = dict[str, Any]


def openapi() -> dict[str, Any]:
    """The description as a structure for JSON."""
    about = "The sessions of a running proxy. The API that is recorded and played has a port of its own."
    about = f"{about} {TOKEN_ABOUT}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "replayproxy: the admin API", "version": replayproxy.__version__, "description": about},
        "paths": secured(_paths()),
        "components": {"schemas": _schemas(), "securitySchemes": SECURITY_SCHEMES},
    }


# --- what there is


def _paths() -> dict[str, Any]:
    return {
        "/docs": {"get": _page("docs")},
        "/openapi.json": {"get": _operation("openapi", "This description, for programs.", {200: _json(_object({}))})},
        "/health": {"get": _operation("health", "Whether the process lives.", {200: _json(_HEALTH)})},
        "/ready": {"get": _operation("ready", "Whether it answers requests.", {200: _json(_READY)})},
        "/sessions": {"get": _LIST, "post": _DECLARE},
        "/sessions/{name}": {"get": _SHOW, "delete": _CLOSE},
        "/sessions/{name}/reset": {"post": _RESET},
        "/sessions/{name}/faults": {"get": _FAULTS, "put": _SET_FAULTS},
        "/exchanges": {"get": _EXCHANGES},
        **described(),
    }


def _operation(name: str, summary: str, responses: dict[int, Any], **more: Any) -> dict[str, Any]:
    told = {str(status): response for status, response in sorted(responses.items())}
    return {"operationId": name, "summary": summary, **more, "responses": told}


def _page(name: str) -> dict[str, Any]:
    html = {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    return _operation(name, "This description, for people.", {200: html})


def _json(schema: _Schema, description: str = "It is so.") -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: dict[str, _Schema], optional: tuple[str, ...] = ()) -> _Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _parameter(name: str, place: str, description: str, schema: _Schema) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "description": description, "schema": schema}


_TEXT: _Schema = {"type": "string"}
_MAYBE_TEXT: _Schema = {"type": ["string", "null"]}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_WORKERS = _object({"pids": _list(_COUNT), "replaced": _COUNT})
_HEALTH = _object({"status": {"const": "ok"}, "version": _TEXT, "workers": _WORKERS}, ("workers",))
_READY = _object({"status": {"const": "ready"}, "mode": _TEXT})

_NAME = _parameter("name", "path", "The session.", _TEXT)
_NO_SESSION = _json(_ref("Error"), "There is no such session.")

_LIST = _operation("listSessions", "The open sessions.", {200: _json(_object({"sessions": _list(_ref("Summary"))}))})
_DECLARE = _operation(
    "declareSession",
    "Opens a session.",
    {
        201: _json(_ref("Session"), "It is open: point the app at its base_url."),
        400: _json(_ref("Error"), "A field is wrong or unknown, or the cassette cannot be used."),
        409: _json(_ref("Error"), "The name is taken."),
        429: _json(_ref("Error"), "Too many sessions are open."),
    },
    description="A session that nobody declares is opened by its first request, as the proxy's settings say.",
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": _ref("Declaration"),
                "example": {"name": "checkout", "cassette": "api/checkout.yaml", "mode": "playback"},
            }
        },
    },
)
_SHOW = _operation(
    "showSession",
    "A session and its receipt so far.",
    {200: _json({"allOf": [_ref("Session"), _ref("Receipt")]}), 404: _NO_SESSION},
    parameters=[_NAME],
)
_RESET = _operation(
    "resetSession",
    "Begins anew: play counts and receipt.",
    {
        200: _json({"allOf": [_ref("Session"), _ref("Receipt")]}, "It plays from the beginning."),
        400: _json(_ref("Error"), "The cassette cannot be used any more; the session is closed."),
        404: _NO_SESSION,
    },
    parameters=[_NAME],
    description="Waits for exchanges under way. A receipt with requests in it is kept and counts at the end.",
)
_CLOSE = _operation(
    "closeSession",
    "Closes a session and gives its receipt.",
    {200: _json(_ref("Receipt"), "It is closed; its name is free."), 404: _NO_SESSION},
    parameters=[_NAME],
    description="Waits for exchanges under way. The receipt counts at the end, like those of all sessions.",
)
_MET = _object({"met": _list(_COUNT), "faults": _list({"type": "object"})})
_FAULTS = _operation(
    "showFaults",
    "The planned faults, and how often each was met.",
    {200: _json(_MET), 404: _NO_SESSION},
    parameters=[_NAME],
)
_SET_FAULTS = _operation(
    "setFaults",
    "Lets requests fail from now on, to test an app's retries.",
    {200: _json(_MET), 400: _json(_ref("Error"), "A fault is wrong."), 404: _NO_SESSION},
    parameters=[_NAME],
    description="In the place of the faults set before; an empty list ends them. What was recorded stays for later.",
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": _ref("Faults"),
                "example": {"faults": [{"operation": "createRun", "kind": "status", "status": 503, "times": 2}]},
            }
        },
    },
)
_EXCHANGES = _operation(
    "listExchanges",
    "What went through lately, redacted, the newest last.",
    {
        200: _json(_object({"exchanges": _list(_ref("Exchange")), "more": {"type": "boolean"}})),
        400: _json(_ref("Error"), "A parameter is wrong or unknown."),
    },
    parameters=[
        _parameter("session", "query", "Those of this session only.", _TEXT),
        _parameter("outcome", "query", "Those with this outcome only.", {"enum": list(OUTCOMES)}),
        _parameter(
            "limit",
            "query",
            f"How many at most; {EXCHANGES_TOLD} when nobody says.",
            {"type": "integer", "minimum": 1, "maximum": EXCHANGES_LIMIT},
        ),
    ],
)


# --- what it looks like


def _schemas() -> dict[str, _Schema]:
    return {
        "Declaration": _DECLARATION | {"additionalProperties": False},
        "Faults": _FAULT_PLAN,
        "Session": _object(_WHERE),
        "Summary": _object(_WHERE | {"passed": {"type": "boolean"}, "counts": _COUNTS}),
        "Receipt": _RECEIPT,
        "Exchange": _EXCHANGE,
        "Error": _ERROR,
    }


def _field(description: str, **schema: Any) -> _Schema:
    return {**schema, "description": description}


def _optional_choice(description: str, *words: str) -> _Schema:
    return _field(description, enum=[*words, None])


_DECLARATION = _object(
    {
        "name": _field("Letters, digits, '.', '_' and '-'.", type="string", pattern=r"^(?!\.)[A-Za-z0-9._-]{1,200}$"),
        "cassette": _field("A path inside the folder of cassettes; NAME.yaml if left out.", type=["string", "null"]),
        "match": _field(
            "Rules of matching on top of the settings' own, as `match` in the config file: ignore, also, mask, rules.",
            type=["object", "null"],
        ),
        "mode": _optional_choice("What the proxy's settings say if left out, as for all that follow.", *MODES),
        "validate": _optional_choice("What to do with requests that the API would refuse.", "off", "warn", "enforce"),
        "speed": _field("Pace of replayed streams: 0 = at once, 1 = as recorded.", type=["number", "null"], minimum=0),
        "strict": _field("Interactions that nobody asked for fail the receipt.", type=["boolean", "null"]),
        "repeat": _optional_choice("What happens past the last recorded answer.", "last", "never", "cycle"),
    },
    optional=("cassette", "mode", "validate", "speed", "strict", "repeat"),
)
_FAULT_PLAN = _object(
    {
        "faults": _field(
            "Each with a kind (reset, timeout, truncate, status), how often (times), and whom it meets (operation, "
            "method, path); docs/faults.md tells all.",
            type="array",
            items={"type": "object"},
        )
    }
)
_WHERE: dict[str, _Schema] = {
    "name": _TEXT,
    "base_url": _field("For OPENAI_BASE_URL; it ends in /v1.", type="string"),
    "url": _field("The same without /v1.", type="string"),
    "cassette": _TEXT,
    "mode": {"enum": list(MODES)},
}
_COUNTS = _object(dict.fromkeys((*COUNTS, "unplayed"), _COUNT))
_RECEIPT = _object(
    {
        "name": _TEXT,
        "cassette": _TEXT,
        "mode": {"enum": list(MODES)},
        "strict": {"type": "boolean"},
        "passed": {"type": "boolean"},
        "failures": _list(_TEXT),
        "counts": _COUNTS,
        "operations": _list(
            _object(
                {
                    "operation": _MAYBE_TEXT,
                    "family": _MAYBE_TEXT,
                    "requests": _COUNT,
                    "problems": _COUNT,
                    "warnings": _COUNT,
                }
            )
        ),
        "misses": _list(_object({"reason": _TEXT, "method": _TEXT, "target": _TEXT, "message": _TEXT})),
        "unplayed": _list(_object({"number": _COUNT, "method": _TEXT, "target": _TEXT, "line": _COUNT})),
        "unused_rules": _list(_TEXT),
        "error": _MAYBE_TEXT,
    }
)
_BODY = _object(
    {
        "size": _COUNT,
        "json": _field("The body, when it is JSON."),
        "text": _field("The body, or its beginning.", type="string"),
        "base64": _field("The body, or its beginning, when it is no text.", type="string"),
        "file": _field("Too large for memory: the file that it was put in.", type="string"),
        "truncated": _field("Only the beginning is told.", const=True),
        "left_out": _field("Newer bodies took all the room there is.", const=True),
    },
    optional=("json", "text", "base64", "file", "truncated", "left_out"),
)
_FOUND = _object(
    {
        "message": _TEXT,
        "param": _MAYBE_TEXT,
        "code": _MAYBE_TEXT,
        "warning": _field("The API may take it all the same.", type="boolean"),
        "side": {"enum": ["request", "response"]},
        "event": _field("In which event of a stream, from 1.", type=["integer", "null"]),
    }
)
_EXCHANGE = _object(
    {
        "number": _COUNT,
        "session": _TEXT,
        "arrived": _TEXT,
        "seconds": {"type": "number"},
        "outcome": {"enum": list(OUTCOMES)},
        "status": _COUNT,
        "operation": _MAYBE_TEXT,
        "family": _MAYBE_TEXT,
        "interaction": {"type": ["integer", "null"]},
        "problems": _list(_FOUND),
        "note": _TEXT,
        "request": _object({"method": _TEXT, "target": _TEXT, "headers": _list(_list(_TEXT)), "body": _BODY}),
    }
)
_PROBLEM = _object({"field": _TEXT, "message": _TEXT})
_ERROR = _object({"error": _object({"message": _TEXT, "code": _TEXT, "problems": _list(_PROBLEM)})})
