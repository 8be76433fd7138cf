"""The JSON Schema (draft-07) of a cassette's documents, for editors.

An editor checks each document of the file apart: the head, then the interactions. What a schema cannot say (sums of
chunks, the spelling of a layout, files) the codec checks.
"""

from __future__ import annotations

from typing import Any

__all__ = ["SCHEMA"]

_BYTES = {
    "type": "object",
    "description": "Bytes that are not UTF-8.",
    "properties": {"base64": {"type": "string"}},
    "required": ["base64"],
    "additionalProperties": False,
}
_WIRE = {"anyOf": [{"type": "string"}, _BYTES]}
_SECONDS = {"type": "number", "minimum": 0}
_SIZE = {"type": "integer", "minimum": 0}
_TOKEN = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"  # noqa: S105 - a token of RFC 9110

_HEADERS = {
    "type": "array",
    "description": "In order, with repetition.",
    "items": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": {"pattern": _TOKEN},
        "additionalProperties": _WIRE,
    },
}
_JSON = {"description": "JSON as YAML; its text is made from it, in the layout."}
_LAYOUT = {
    "type": "string",
    "description": "How the JSON text is laid out: compact (when absent), spaced, indent N, and flags; or how a form "
    "is encoded.",
    "pattern": r"^(compact|spaced|indent ([1-9]|tab))(, (ascii|html|slash|newline))*$|^(plus|percent)$",
}
_EVENT = {
    "type": "object",
    "properties": {
        "at": {**_SECONDS, "description": "A chunk began here, so many seconds after the head."},
        "cuts": {
            "type": "array",
            "description": "Chunks that began inside: [byte offset, seconds].",
            "items": {"type": "array", "items": [_SIZE, _SECONDS], "minItems": 2, "maxItems": 2},
        },
        "event": {"type": ["string", "integer"]},
        "id": {"type": ["string", "integer"]},
        "retry": {"type": ["string", "integer"]},
        "data": {"anyOf": [{"type": "integer"}, _WIRE]},
        "json": _JSON,
        "raw": _WIRE,
    },
    "additionalProperties": False,
}
_FIELD = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": {"type": "string"},
}
_PART = {
    "type": "object",
    "properties": {
        "headers": _HEADERS,
        "layout": _LAYOUT,
        "json": _JSON,
        "text": {"type": "string"},
        "base64": {"type": "string"},
    },
    "additionalProperties": False,
}
_FILE = {
    "type": "object",
    "description": "A file in the folder NAME.files beside NAME.yaml.",
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9](?!.*\\.\\.)[A-Za-z0-9._-]{0,127}$"},
        "size": _SIZE,
        "digest": {"type": "string"},
    },
    "required": ["name", "size"],
    "additionalProperties": False,
}
_FORMS: dict[str, Any] = {
    "json": _JSON,
    "events": {"type": "array", "items": _EVENT},
    "form": {"type": "array", "items": _FIELD},
    "multipart": {"type": "array", "items": _PART},
    "text": {"type": "string"},
    "base64": {"type": "string"},
    "file": _FILE,
}


def _body(**more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "A body in at most one form.",
        "properties": {
            "layout": _LAYOUT,
            "boundary": {"type": "string"},
            "epilogue": {"type": "string"},
            **_FORMS,
            **more,
        },
        "oneOf": [
            *({"required": [form]} for form in _FORMS),
            {"not": {"anyOf": [{"required": [form]} for form in _FORMS]}},
        ],
        "additionalProperties": False,
    }


_CHUNK = {"type": "array", "items": [_SECONDS, _SIZE], "minItems": 2, "maxItems": 2}
_REQUEST = {
    "type": "object",
    "properties": {
        "method": {"type": "string", "pattern": _TOKEN},
        "target": {**_WIRE, "description": "Path and query, as sent."},
        "headers": _HEADERS,
        "body": _body(),
    },
    "required": ["method", "target"],
    "additionalProperties": False,
}
_RESPONSE = {
    "type": "object",
    "properties": {
        "status": {"type": "integer", "minimum": 200, "maximum": 599},
        "reason": _WIRE,
        "headers": _HEADERS,
        "body": _body(
            coding={"type": "string", "description": "The content coding that was taken off the body."},
            chunks={"type": "array", "description": "How the body arrived: [seconds, bytes].", "items": _CHUNK},
        ),
    },
    "required": ["status"],
    "additionalProperties": False,
}
_PROBLEM = {
    "type": "object",
    "properties": {
        "message": {"type": "string"},
        "param": {"type": "string"},
        "code": {"type": "string"},
        "status": {"type": "integer", "minimum": 200, "maximum": 599},
        "type": {"type": "string"},
        "warning": {"type": "boolean", "description": "The API may take it all the same."},
        "side": {"enum": ["request", "response"], "description": "Whose message it is in; by default the request."},
        "event": {"type": "integer", "minimum": 0, "description": "In which event of a stream, from 1."},
    },
    "additionalProperties": False,
}
_HEAD = {
    "type": "object",
    "properties": {
        "replayproxy": {"enum": [1, 2, 3], "description": "The version of the format."},
        "recorded": {"type": "string"},
        "upstream": {"type": "string"},
        "by": {"type": "string"},
        "redaction": {"type": "string", "description": "The digest of the redaction rules."},
    },
    "required": ["replayproxy"],
    "additionalProperties": False,
}
_PLACE = {
    "after": {**_SIZE, "description": "So many bytes of the answer come before it."},
    "after_events": {**_SIZE, "description": "So many events of the answer come before it."},
}
_TIMES = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"const": "always"}],
    "description": "So many requests meet it; then the recorded answer is given.",
}


def _fault(kind: Any, required: list[str], **fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"kind": kind, **fields},
        "required": ["kind", *required],
        "additionalProperties": False,
        "not": {"required": ["after", "after_events"]},
    }


_FAULT = {
    "description": "How the answer fails when it is played.",
    "anyOf": [
        {"enum": ["reset", "timeout", "truncate"]},
        _fault({"const": "reset"}, [], times=_TIMES),
        _fault({"const": "timeout"}, [], times=_TIMES, **_PLACE, **{"for": _SECONDS}),
        _fault({"const": "truncate"}, [], times=_TIMES, **_PLACE),
        _fault(
            {"const": "status"},
            ["status"],
            times=_TIMES,
            status={"type": "integer", "minimum": 400, "maximum": 599},
            retry_after=_SECONDS,
        ),
        _fault({"enum": ["refused", "reset", "timeout"]}, ["of"], of={"const": "upstream"}),
    ],
}
_DELAY = {
    "type": "object",
    "description": "Seconds to wait when the answer is played, whatever the speed.",
    "properties": {"first_byte": _SECONDS, "each_event": _SECONDS},
    "additionalProperties": False,
}
_INTERACTION = {
    "type": "object",
    "properties": {
        "operation": {"type": "string"},
        "family": {"type": "string"},
        "recorded": {"type": "string", "description": "When the request arrived."},
        "first_byte": {**_SECONDS, "description": "Seconds until the answer's head."},
        "took": {**_SECONDS, "description": "Seconds until the answer's end."},
        "answered_by": {"const": "validator"},
        "problems": {"type": "array", "items": _PROBLEM},
        "fault": _FAULT,
        "delay": _DELAY,
        "request": _REQUEST,
        "response": _RESPONSE,
    },
    "required": ["request", "response"],
    "additionalProperties": False,
}

#: One document: a head or an interaction.
SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "A document of a replayproxy cassette",
    "if": {"required": ["replayproxy"]},
    "then": _HEAD,
    "else": _INTERACTION,
}
