"""A request as the handler of an operation sees it: found valid, its parts at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from replayproxy.core.catalog import Operation, Resolved
from replayproxy.core.messages import Headers, Request
from replayproxy.core.multipart import parse_multipart
from replayproxy.core.problem import Call, Problem
from replayproxy.core.text_values import structure
from replayproxy.emulator.records import Json
from replayproxy.openai_api.lists import PageQuery

__all__ = ["Asked", "Upload"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a part of a multipart body."""

    filename: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an operation.

    `params` are the decoded values in the path, `call` is what `core.validation` made of the request.
    """

    request: Request
    resolved: Resolved
    call: Call

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return self.resolved.operation

    @property
    def params(self) -> Mapping[str, str]:
        """The decoded values in the path."""
        return self.resolved.params

    @property
    def headers(self) -> Headers:
        """The request's headers."""
        return self.request.headers

    @property
    def body(self) -> Json:
        """The body, {} when there is none or it is no object; of a form or multipart body its fields, without files."""
        return self.call.body if isinstance(self.call.body, dict) else {}

    @property
    def query(self) -> Json:
        """The query's values by name, nested as their names say; all are text."""
        return structure(self.call.query)

    def page(self) -> PageQuery | Problem:
        """The page of a list that is asked for."""
        return PageQuery.parse(self.call.query)

    def uploads(self, name: str) -> tuple[Upload, ...]:
        """The files in the parts called `name` (or `name[]`), in order."""
        body = self.request.body
        parts = parse_multipart(self.request.headers, body) if isinstance(body, bytes) else None
        return tuple(
            Upload(part.filename or "upload", part.content, part.headers.get("content-type") or "")
            for part in parts or ()
            if part.name is not None and part.name.removesuffix("[]") == name and part.filename is not None
        )
