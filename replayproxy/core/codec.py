"""Cassettes as YAML text: a head and one document per interaction.

Rules:
1. What is written reads back equal, bodies byte for byte; what would be refused at loading is refused at writing.
2. A document stands alone: it is encoded, split off and decoded apart from the others. The comment on its first line is
   for people; its number is its place in the file.
3. A document of an earlier version is upgraded when it is read (core/upgrades.py); a newer version is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, replace
from typing import Any

from replayproxy.core.body_forms import read_body, write_body
from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.documents import Document, Documents, split
from replayproxy.core.fault_form import get_delay, get_fault, write_failing
from replayproxy.core.fields import (
    check_headers,
    check_keys,
    check_method,
    check_reason,
    check_status,
    check_target,
    get_headers,
    get_seconds,
    get_text,
    get_wire,
    line_of,
    mapping_in,
    spelled_seconds,
    wire_headers,
    wire_text,
)
from replayproxy.core.messages import Body, Chunk, FileBody, Request, Response
from replayproxy.core.problem_form import get_problems, problem_fields
from replayproxy.core.upgrades import FORMAT_VERSION, UPGRADES, Upgrades, upgrade, upgraded_head
from replayproxy.core.yaml_emit import Unwritable, emit
from replayproxy.core.yaml_read import MAX_CHARACTERS, Mapping, read_document
from replayproxy.errors import CassetteError

__all__ = [
    "Encoded",
    "decode",
    "decode_documents",
    "decode_head",
    "decode_interaction",
    "encode",
    "encode_head",
    "renumber",
    "split_cassette",
    "upgraded",
]

_PROLOG = """\
# A cassette of replayproxy: recorded HTTP interactions, one YAML document each. It may be read, reviewed and edited;
# `replayproxy cassette check` tells whether it is still in order.
"""
_NUMBER = re.compile(r"--- # \d+: ")
_NOT_IN_COMMENT = re.compile(r"[^ -~]")
_COMMENT_LIMIT = 100

_HEAD_KEYS = ("replayproxy", "recorded", "upstream", "by", "redaction")
_FACTS = ("operation", "family", "recorded", "first_byte", "took", "answered_by", "problems", "fault", "delay")
_KEYS = (*_FACTS, "request", "response")
_FOREIGN = (
    (re.compile(r"^http_interactions:", re.MULTILINE), "a cassette of VCR (Ruby)"),
    (re.compile(r"^interactions:", re.MULTILINE), "a cassette of VCR.py"),
    (re.compile(r"^(?:openapi|swagger):", re.MULTILINE), "an OpenAPI description"),
    (re.compile(r"\A\s*[{\[]"), "a JSON file"),
    (re.compile(r"^replayproxy-config|^(?:mode|cassette|cassettes|listen):", re.MULTILINE), "a config file"),
    (re.compile(r"^(?!#|---|\.\.\.)[^\s:]+:", re.MULTILINE), "a YAML file of another kind"),
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A document, and the contents of the files that belong beside it, by name."""

    text: str
    files: AbstractMapping[str, bytes]


def encode_head(head: Head) -> str:
    """The beginning of a cassette: a comment and the head's document."""
    facts = {"recorded": head.recorded, "upstream": head.upstream, "by": head.by, "redaction": head.redaction}
    return _PROLOG + _document(
        "---", {"replayproxy": FORMAT_VERSION} | {key: fact for key, fact in facts.items() if fact}
    )


def encode(interaction: Interaction, number: int, inline_limit: int = 65536) -> Encoded:
    """The document of interaction `number`; CassetteError when it could not be loaded again."""
    request, response = interaction.request, interaction.response
    _check(request, response)
    sent, sent_files = write_body(request.headers, request.body, inline_limit=inline_limit)
    answered, files = write_body(
        response.headers, response.body, response.chunks, response.coding, inline_limit=inline_limit
    )
    comment = _NOT_IN_COMMENT.sub("?", request.path)
    if len(comment) > _COMMENT_LIMIT:
        comment = comment[: _COMMENT_LIMIT - 3] + "..."
    fields = _facts(interaction) | write_failing(interaction)
    fields |= {
        "request": {"method": request.method, "target": wire_text(request.target), **_message(request, sent)},
        "response": {"status": response.status, **_reason(response), **_message(response, answered)},
    }
    text = _document(f"--- # {number}: {request.method} {comment} -> {response.status}", fields)
    return Encoded(text, sent_files | files)


def decode(text: str, read_file: Callable[[FileBody], Body]) -> Cassette:
    """A cassette from its text; a torn last document is left out (`documents.split` tells of it).

    `read_file` gives the content of a file beside the cassette: the bytes, or the `FileBody` itself when it is large.
    CassetteError names the line and the cure.
    """
    return decode_documents(split_cassette(text), read_file)


def split_cassette(text: str) -> Documents:
    """The documents of a cassette's text; CassetteError when it is empty or something else than a cassette."""
    if not text.strip():
        raise CassetteError("the file is empty", cure=_CURE_EMPTY)
    if not re.search(r"^replayproxy[ \t]*:", text, re.MULTILINE):
        kind = next((kind for pattern, kind in _FOREIGN if pattern.search(text)), "something else than YAML")
        raise CassetteError(f"this is no cassette of replayproxy; it looks like {kind}", cure=_CURE_FOREIGN)
    documents = split(text)
    if not documents.items:
        line = documents.torn.line if documents.torn else 0
        raise CassetteError("the head has no end mark", line=line, cure="Add a line `...` after it, or remove the file")
    return documents


_CURE_EMPTY = "Remove it, or restore it from where it was saved"
_CURE_FOREIGN = "Name a file that replayproxy recorded, or another name to record to"


def decode_documents(documents: Documents, read_file: Callable[[FileBody], Body]) -> Cassette:
    """A cassette from the documents of `split_cassette`."""
    head, version = decode_head(documents.items[0])
    return Cassette(head, tuple(decode_interaction(item, read_file, version) for item in documents.items[1:]))


def decode_head(document: Document) -> tuple[Head, int]:
    """The head and the format's version."""
    mapping = _mapping(document)
    version = mapping.get("replayproxy")
    if type(version) is not int or version < 1:
        what = "the first document does not say `replayproxy: 1`"
        raise CassetteError(what, line=line_of(mapping, "replayproxy"), cure=_CURE_FOREIGN)
    if version > FORMAT_VERSION:
        what = f"the cassette has format {version}, and this replayproxy knows up to {FORMAT_VERSION}"
        raise CassetteError(what, line=line_of(mapping, "replayproxy"), cure="Upgrade replayproxy")
    check_keys(mapping, _HEAD_KEYS, "the head")
    texts = {key: get_text(mapping, key) for key in _HEAD_KEYS[1:]}
    return Head(**texts), version


def decode_interaction(
    document: Document, read_file: Callable[[FileBody], Body], version: int = FORMAT_VERSION
) -> Interaction:
    """One interaction, with the line and the text of its document."""
    return _interaction(upgrade(_mapping(document), version), document, read_file)


def upgraded(documents: Documents, steps: Upgrades = UPGRADES) -> Documents:
    """The documents as they read in the present version.

    What no step changes keeps its text, comments included; what one changes is written anew.
    """
    head, *items = documents.items
    version = decode_head(head)[1]
    if version == FORMAT_VERSION:
        return documents
    kept = (_upgraded(item, number, version, steps) for number, item in enumerate(items, 1))
    return replace(documents, items=(replace(head, text=upgraded_head(head.text)), *kept))


def renumber(text: str, number: int) -> str:
    """A document with `number` in the comment of its first line, if it still has one of ours."""
    return _NUMBER.sub(f"--- # {number}: ", text, count=1) if _NUMBER.match(text) else text


def _upgraded(document: Document, number: int, version: int, steps: Upgrades) -> Document:
    mapping = upgrade(_mapping(document), version, steps)
    if mapping == _mapping(document):
        return document
    # Bodies stay where they are: those in files are not read, and no others get one.
    interaction = _interaction(mapping, document, lambda body: body)
    return replace(document, text=encode(interaction, number, inline_limit=MAX_CHARACTERS).text)


def _document(first: str, fields: dict[str, Any]) -> str:
    try:
        text = f"{first}\n{emit(fields)}...\n"
    except Unwritable as error:
        raise CassetteError(f"this cannot be written as YAML: {error}") from error
    if len(text) > MAX_CHARACTERS:
        raise CassetteError(f"an interaction of {len(text):,} characters is too large", cure="Lower the inline limit")
    return text


def _check(request: Request, response: Response) -> None:
    check_method(request.method)
    check_target(request.target)
    check_status(response.status)
    check_reason(response.reason)
    check_headers(request.headers)
    check_headers(response.headers)


def _facts(interaction: Interaction) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(interaction, name) for name in ("operation", "family", "recorded")}
    for key, value in (("first_byte", interaction.first_byte), ("took", interaction.took)):
        facts[key] = spelled_seconds(value, key) if value else None
    facts["answered_by"] = "validator" if interaction.validator else None
    facts["problems"] = [problem_fields(problem) for problem in interaction.problems]
    return {key: value for key, value in facts.items() if value}


def _message(message: Request | Response, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"headers": wire_headers(message.headers)} if message.headers else {}
    return headers | ({"body": body} if body else {})


def _reason(response: Response) -> dict[str, Any]:
    return {"reason": wire_text(response.reason)} if response.reason else {}


def _interaction(mapping: Mapping, document: Document, read_file: Callable[[FileBody], Body]) -> Interaction:
    check_keys(mapping, _KEYS, "an interaction")
    answered_by = get_text(mapping, "answered_by")
    if answered_by not in ("", "validator"):
        line = line_of(mapping, "answered_by")
        raise CassetteError(f"{answered_by!r:.80} answers nothing", line=line, cure="Write validator, or remove it")
    response = _response(mapping_in(mapping, "response"), read_file)
    return Interaction(
        _request(mapping_in(mapping, "request"), read_file),
        response,
        get_text(mapping, "operation"),
        get_text(mapping, "recorded"),
        get_seconds(mapping, "first_byte"),
        get_seconds(mapping, "took"),
        answered_by == "validator",
        get_problems(mapping),
        get_fault(mapping, response),
        get_delay(mapping, response),
        get_text(mapping, "family"),
        document.line,
        document.text,
    )


def _mapping(document: Document) -> Mapping:
    value = read_document(document.text, document.line)
    if not isinstance(value, Mapping):
        raise CassetteError("a document is not a mapping of fields", line=document.line)
    return value


def _request(mapping: Mapping, read_file: Callable[[FileBody], Body]) -> Request:
    check_keys(mapping, ("method", "target", "headers", "body"), "a request")
    method, target = get_text(mapping, "method"), get_wire(mapping, "target")
    check_method(method, line_of(mapping, "method"))
    check_target(target, line_of(mapping, "target"))
    return Request(method, target, get_headers(mapping), _body(mapping, read_file, of_answer=False)[0])


def _response(mapping: Mapping, read_file: Callable[[FileBody], Body]) -> Response:
    check_keys(mapping, ("status", "reason", "headers", "body"), "a response")
    status = check_status(mapping.get("status"), line_of(mapping, "status"))
    reason = get_wire(mapping, "reason")
    check_reason(reason, line_of(mapping, "reason"))
    headers = get_headers(mapping)
    body, chunks, coding = _body(mapping, read_file, of_answer=True)
    return Response(status, reason, headers, body, coding, chunks)


def _body(
    mapping: Mapping, read_file: Callable[[FileBody], Body], *, of_answer: bool
) -> tuple[Body, tuple[Chunk, ...], str]:
    if "body" not in mapping:
        return b"", (), ""
    return read_body(mapping_in(mapping, "body"), read_file, of_answer=of_answer)
