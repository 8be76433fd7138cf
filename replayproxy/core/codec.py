"""Cassettes as YAML text: a head and one document per interaction.

Rules:
1. What is written reads back equal, bodies byte for byte; what would be refused at loading is refused at writing.
2. A document stands alone: it is encoded, split off and decoded apart from the others. The comment on its first line is
   for people; its number is its place in the file.
3. A document of an earlier version is upgraded when it is read (core/upgrades.py); a newer version is refused.
4. What is written ends with its key (core/key_line.py), unless something about it has to be read in any case: a
   request's body that stands in a file of its own, a fault that somebody limited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AbstractMapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from replayproxy.core.body_forms import read_body, write_body
from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.documents import CURE_FOREIGN, Document, Documents, renumber, split_cassette
from replayproxy.core.fault_form import get_delay, get_fault, write_failing
from replayproxy.core.fault_kinds import ALWAYS, NO_DELAY
from replayproxy.core.fields import (
    check_keys,
    check_lengths,
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
)
from replayproxy.core.key_line import keyed
from replayproxy.core.matching import NO_RULES, identity, scheme_of
from replayproxy.core.message_lines import request_lines, response_lines
from replayproxy.core.messages import Body, Chunk, FileBody, Request, Response
from replayproxy.core.problem_form import get_problems, problem_fields
from replayproxy.core.upgrades import FORMAT_VERSION, UPGRADES, Upgrades, upgrade, upgraded_head
from replayproxy.core.written_headers import read_proved
from replayproxy.core.yaml_emit import Unwritable, emit
from replayproxy.core.yaml_read import MAX_CHARACTERS, MAX_NODES, Mapping, read_document
from replayproxy.errors import CassetteError

__all__ = [
    "Encoded",
    "Identified",
    "decode",
    "decode_documents",
    "decode_head",
    "decode_interaction",
    "decode_request",
    "encode",
    "encode_head",
    "identified",
    "renumber",
    "split_cassette",
    "upgraded",
    "with_key",
    "written_body",
]

_PROLOG = """\
# A cassette of replayproxy: recorded HTTP interactions, one YAML document each. It may be read, reviewed and edited;
# `replayproxy cassette check` tells whether it is still in order.
"""
_NOT_IN_COMMENT = re.compile(r"[^ -~]")
_COMMENT_LIMIT = 100
# A key line has no more characters than these.
_KEY_ROOM = 200

_HEAD_KEYS = ("replayproxy", "recorded", "upstream", "by", "redaction")
_FACTS = ("operation", "family", "recorded", "first_byte", "took", "answered_by", "problems", "fault", "delay")
_KEYS = (*_FACTS, "request", "response")

#: The scheme and the identity to note for a request; nothing is noted under the scheme "".
Identified = Callable[[Request], tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A document, and the contents of the files that belong beside it, by name."""

    text: str
    files: AbstractMapping[str, bytes]


def encode_head(head: Head) -> str:
    """The beginning of a cassette: a comment and the head's document."""
    facts = {"recorded": head.recorded, "upstream": head.upstream, "by": head.by, "redaction": head.redaction}
    fields = {"replayproxy": FORMAT_VERSION} | {key: fact for key, fact in facts.items() if fact}
    with _writing():
        text = f"---\n{emit(fields)}...\n"
    _check_size(text)
    return _PROLOG + text


def identified(request: Request) -> tuple[str, bytes]:
    """The scheme and the identity of a request where there are no rules of matching."""
    return scheme_of(NO_RULES), identity(request)


def encode(
    interaction: Interaction, number: int, inline_limit: int = 65536, identify: Identified = identified
) -> Encoded:
    """The document of interaction `number`; CassetteError when it could not be loaded again."""
    request, response = interaction.request, interaction.response
    _check(request, response)
    comment = _NOT_IN_COMMENT.sub("?", request.path)
    if len(comment) > _COMMENT_LIMIT:
        comment = comment[: _COMMENT_LIMIT - 3] + "..."
    with _writing():
        sent, sent_files = write_body(request.headers, request.body, inline_limit=inline_limit)
        answered, files = write_body(
            response.headers, response.body, response.chunks, response.coding, inline_limit=inline_limit
        )
        lines = emit(_facts(interaction)) + request_lines(request, sent) + response_lines(response, answered)
    text = f"--- # {number}: {request.method} {comment} -> {response.status}\n{lines}...\n"
    _check_size(text)
    if len(text) > 2 * MAX_NODES:
        read_document(text)  # no shorter text can hold more values than the reader takes
    return Encoded(text if sent_files else with_key(text, interaction, identify), sent_files | files)


def with_key(document: str, interaction: Interaction, identify: Identified = identified) -> str:
    """The document without a key that reads as this interaction, with its key."""
    fault = interaction.fault
    limited = fault is not None and not fault.of_upstream and fault.times != ALWAYS
    if limited or isinstance(interaction.request.body, FileBody):
        return document
    scheme, key = identify(interaction.request)
    return keyed(document, scheme, key) if scheme else document


def written_body(request: Request) -> str:
    """The body of a request as it stands in its document, from the line below `body:` on; empty when it is empty."""
    entries, _ = write_body(request.headers, request.body, inline_limit=MAX_CHARACTERS)
    return emit({"request": {"body": entries}}).partition("  body:\n")[2] if entries else ""


def decode(text: str, read_file: Callable[[FileBody], Body]) -> Cassette:
    """A cassette from its text; a torn last document is left out (`documents.split` tells of it).

    `read_file` gives the content of a file beside the cassette: the bytes, or the `FileBody` itself when it is large.
    CassetteError names the line and the cure.
    """
    return decode_documents(split_cassette(text), read_file)


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
        raise CassetteError(what, line=line_of(mapping, "replayproxy"), cure=CURE_FOREIGN)
    if version > FORMAT_VERSION:
        what = f"the cassette has format {version}, and this replayproxy knows up to {FORMAT_VERSION}"
        raise CassetteError(what, line=line_of(mapping, "replayproxy"), cure="Upgrade replayproxy")
    check_keys(mapping, _HEAD_KEYS, "the head")
    return Head(**{key: get_text(mapping, key) for key in _HEAD_KEYS[1:]}), version


def decode_interaction(
    document: Document, read_file: Callable[[FileBody], Body], version: int = FORMAT_VERSION, *, proved: bool = False
) -> Interaction:
    """One interaction, with the line and the text of its document, which its key may have `proved`."""
    return _interaction(read_proved(document) if proved else upgrade(_mapping(document), version), document, read_file)


def decode_request(document: Document, read_file: Callable[[FileBody], Body], *, proved: bool = False) -> Request:
    """The request of an interaction alone, from what of its document stands before the response."""
    return _request(mapping_in(read_proved(document) if proved else _mapping(document), "request"), read_file)


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


def _upgraded(document: Document, number: int, version: int, steps: Upgrades) -> Document:
    mapping = upgrade(_mapping(document), version, steps)
    if mapping == _mapping(document):
        return document
    # Bodies stay where they are: those in files are not read, and no others get one.
    interaction = _interaction(mapping, document, lambda body: body)
    return replace(document, text=encode(interaction, number, inline_limit=MAX_CHARACTERS).text)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except Unwritable as error:
        raise CassetteError(f"this cannot be written as YAML: {error}") from error


def _check_size(text: str) -> None:
    if len(text) > MAX_CHARACTERS - _KEY_ROOM:
        raise CassetteError(f"an interaction of {len(text):,} characters is too large", cure="Lower the inline limit")


def _check(request: Request, response: Response) -> None:
    check_method(request.method)
    check_target(request.target)
    check_status(response.status)
    check_reason(response.reason)
    check_lengths(response.headers)


def _facts(interaction: Interaction) -> dict[str, Any]:
    spelled = [
        spelled_seconds(value, key) if value else None
        for key, value in (("first_byte", interaction.first_byte), ("took", interaction.took))
    ]
    facts = {
        "operation": interaction.operation,
        "family": interaction.family,
        "recorded": interaction.recorded,
        "first_byte": spelled[0],
        "took": spelled[1],
        "answered_by": "validator" if interaction.validator else None,
        "problems": [problem_fields(problem) for problem in interaction.problems],
    }
    failing = {} if interaction.fault is None and interaction.delay == NO_DELAY else write_failing(interaction)
    return {key: value for key, value in facts.items() if value} | failing


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
    check_lengths(headers, line_of(mapping, "headers"))
    body, chunks, coding = _body(mapping, read_file, of_answer=True)
    return Response(status, reason, headers, body, coding, chunks)


def _body(
    mapping: Mapping, read_file: Callable[[FileBody], Body], *, of_answer: bool
) -> tuple[Body, tuple[Chunk, ...], str]:
    if "body" not in mapping:
        return b"", (), ""
    return read_body(mapping_in(mapping, "body"), read_file, of_answer=of_answer)
