"""The lines of a batch's input file: read, and checked before the batch begins.

Facts (errors of real batches quoted in public code and vendors' manuals): the codes, and most of the sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from replayproxy.emulator.records import Json

__all__ = ["MOST_LINES", "checked_lines"]

#: The most requests that a batch may have.
MOST_LINES: Final = 50_000
#: Where the list of errors ends, so that it stays readable.
MOST_ERRORS: Final = 100
_UNPARSEABLE = "This line is not parseable as valid JSON."
_DUPLICATE = (
    "The custom_id '{}' for this request is a duplicate of another request. The custom_id parameter must be unique "
    "for each request in a batch."
)
_MODEL = (
    "The model '{}' for this request does not match the rest of the batch. Each batch must contain requests for a "
    "single model."
)
_URL = "The URL provided for this request does not match the batch endpoint."
_METHOD = "Invalid method: '{}'. Only 'POST' is supported."
_EMPTY = "The input file has no requests."
_TOO_MANY = "The input file has {} requests, and a batch has at most {}."


def checked_lines(content: bytes, endpoint: str) -> tuple[list[Json], list[Json]]:
    """The requests in an input file for an endpoint, and the errors that keep the batch from running."""
    lines = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    if not lines:
        return [], [_error("empty_file", _EMPTY)]
    if len(lines) > MOST_LINES:
        return [], [_error("too_many_tasks", _TOO_MANY.format(len(lines), MOST_LINES))]
    reading = _Lines(endpoint)
    requests, errors = [], []
    for number, line in lines:
        request = _read(line)
        found = [_error("invalid_json_line", _UNPARSEABLE)] if request is None else list(reading.errors(request))
        requests.append(request or {})
        errors += [each | {"line": number} for each in found]
    return requests, errors[:MOST_ERRORS]


class _Lines:
    """What the lines seen so far say of those to come: the ids that are taken, and the model."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._seen: set[str] = set()
        self._model: object = None

    def errors(self, request: Json) -> Iterator[Json]:
        missing = [name for name in ("custom_id", "method", "url", "body") if not request.get(name)]
        for name in missing:
            yield _error("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
        if not missing:
            yield from self._wrong(request)

    def _wrong(self, request: Json) -> Iterator[Json]:
        name = str(request["custom_id"])
        if name in self._seen:
            yield _error("duplicate_custom_id", _DUPLICATE.format(name), "custom_id")
        self._seen.add(name)
        if request["method"] != "POST":
            yield _error("invalid_method", _METHOD.format(request["method"]), "method")
        if request["url"] != self._endpoint:
            yield _error("invalid_url", _URL, "url")
        if not isinstance(request["body"], dict):
            yield _error("invalid_type", "Invalid type for 'body': expected an object.", "body")
            return
        model = request["body"].get("model")
        if self._model is None:
            self._model = model
        elif model != self._model:
            yield _error("mismatched_model", _MODEL.format(model), "body.model")


def _read(line: bytes) -> Json | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _error(code: str, message: str, param: str | None = None) -> Json:
    return {"code": code, "message": message, "param": param, "line": None}
