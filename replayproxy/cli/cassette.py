"""`replayproxy cassette`: check, list, show, scan and redact recordings."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from replayproxy.cli.cassette_check import check
from replayproxy.cli.secrets import redact, scan
from replayproxy.cli.terminal import print_json, print_table, say
from replayproxy.core.body_forms import FORMS, write_body
from replayproxy.core.cassette import Interaction
from replayproxy.core.cassette_schema import SCHEMA
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import FileBody, Request, Response
from replayproxy.core.sse import parse
from replayproxy.errors import CassetteError
from replayproxy.stores import FileStore
from replayproxy.stores.plain_files import followed

__all__ = ["cassette"]

_INLINE_LIMIT = 65536


@click.group()
def cassette() -> None:
    """Check, list, show, scan and redact recordings.

    \b
    Examples:
      replayproxy cassette check --schema
      replayproxy cassette scan
      replayproxy cassette list cassettes/default.yaml
      replayproxy cassette show cassettes/default.yaml 3
    """


cassette.add_command(check)
cassette.add_command(scan)
cassette.add_command(redact)


@cassette.command("list")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_interactions(path: Path, as_json: bool) -> None:
    """List the interactions of the cassette PATH, one per line.

    \b
    Examples:
      replayproxy cassette list cassettes/default.yaml
      replayproxy cassette list --json cassettes/default.yaml | jq '.[].target'
    """
    rows = [_row(number, each) for number, each in enumerate(FileStore(followed(path)).load().interactions, 1)]
    if as_json:
        print_json(rows)
        return
    columns = ("#", "LINE", "METHOD", "TARGET", "STATUS", "OPERATION", "SENT", "ANSWERED")
    cells = [[str(row[name]) for name in list(row)[:6]] + [_told(row["sent"]), _told(row["answered"])] for row in rows]
    print_table(columns, cells, right=(0, 1))


@cassette.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("number", type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print the interaction as JSON.")
def show(path: Path, number: int, as_json: bool) -> None:
    """Show interaction NUMBER of the cassette PATH with its bodies.

    \b
    Examples:
      replayproxy cassette show cassettes/default.yaml 3
      replayproxy cassette show --json cassettes/default.yaml 3 | jq .response.body.json
    """
    interactions = FileStore(followed(path)).load().interactions
    if number > len(interactions):
        what = f"there is no interaction {number}"
        cure = f"It has {len(interactions)}: `replayproxy cassette list {path}`"
        raise CassetteError(what, path=str(path), cure=cure)
    interaction = interactions[number - 1]
    if as_json:
        print_json(_as_json(number, interaction))
    else:
        say("\n".join(_shown(number, interaction)))


@cassette.command()
def schema() -> None:
    """Print the JSON Schema of a cassette's documents, for editors.

    \b
    Examples:
      replayproxy cassette schema > cassettes/cassette.schema.json
      then, as the first line of a cassette:
      # yaml-language-server: $schema=cassette.schema.json
    """
    print_json(SCHEMA)


def _row(number: int, interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    return {
        "number": number,
        "line": interaction.line,
        "method": request.method,
        "target": request.target,
        "status": response.status,
        "operation": interaction.operation,
        "sent": _form_and_size(request),
        "answered": _form_and_size(response),
    }


def _form_and_size(message: Request | Response) -> dict[str, Any]:
    chunks = message.chunks if isinstance(message, Response) else ()
    entries, _ = write_body(message.headers, message.body, chunks, inline_limit=_INLINE_LIMIT)
    size = message.body.size if isinstance(message.body, FileBody) else len(message.body)
    return {"form": next((form for form in FORMS if form in entries), "empty"), "size": size}


def _told(body: dict[str, Any]) -> str:
    return "-" if body["form"] == "empty" else f"{body['form']} {_size(body['size'])}"


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _as_json(number: int, interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    return {
        "number": number,
        "line": interaction.line,
        "operation": interaction.operation,
        "recorded": interaction.recorded,
        "first_byte": interaction.first_byte,
        "took": interaction.took,
        "answered_by": "validator" if interaction.validator else "upstream",
        "problems": [
            {"message": problem.message, "param": problem.param, "code": problem.code}
            for problem in interaction.problems
        ],
        "request": {
            "method": request.method,
            "target": request.target,
            "headers": list(request.headers),
            "body": _body_as_json(request),
        },
        "response": {
            "status": response.status,
            "reason": response.reason,
            "headers": list(response.headers),
            "coding": response.coding,
            "body": _body_as_json(response),
            "chunks": [{"at": chunk.at, "size": chunk.size} for chunk in response.chunks],
        },
    }


def _body_as_json(message: Request | Response) -> dict[str, Any]:
    body = message.body
    told = _form_and_size(message)
    if isinstance(body, FileBody):
        return told | {"file": body.name}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return told | {"base64": base64.b64encode(body).decode()}
    try:
        return told | {"json": json.loads(text)} if media_type(message.headers).is_json else told | {"text": text}
    except (ValueError, RecursionError):
        return told | {"text": text}


def _shown(number: int, interaction: Interaction) -> list[str]:
    request, response = interaction.request, interaction.response
    by = ", answered by the validator" if interaction.validator else ""
    operation = f" {interaction.operation}" if interaction.operation else ""
    lines = [f"# {number}{operation}, line {interaction.line}{by}"]
    if interaction.recorded:
        lines.append(
            f"# recorded {interaction.recorded}, first byte {interaction.first_byte:g} s, {interaction.took:g} s"
        )
    lines += [f"# problem: {problem.message}" for problem in interaction.problems]
    lines += ["", f"{request.method} {request.target}", *_shown_message(request)]
    return [*lines, "", f"{response.status} {response.reason}".rstrip(), *_shown_message(response)]


def _shown_message(message: Request | Response) -> list[str]:
    lines = [f"{name}: {value}" for name, value in message.headers]
    if isinstance(message, Response) and message.coding:
        lines.append(f"(the body came as {message.coding})")
    told = _body_as_json(message)
    if told["form"] == "empty":
        return lines
    return [*lines, "", *_shown_body(message, told)]


def _shown_body(message: Request | Response, told: dict[str, Any]) -> list[str]:
    if isinstance(message, Response) and isinstance(message.body, bytes) and told["form"] == "events":
        return _shown_events(message, message.body)
    if "json" in told:
        return [json.dumps(told["json"], indent=2, ensure_ascii=False)]
    if "text" in told:
        return [told["text"].replace("\r\n", "\n")]
    where = f" in {told['file']}" if "file" in told else ""
    return [f"({_size(told['size'])} of {media_type(message.headers).essence or 'bytes'}{where})"]


def _shown_events(response: Response, body: bytes) -> list[str]:
    """Each event under the seconds at which its last byte arrived."""
    ends, end = list[tuple[int, float]](), 0
    for chunk in response.chunks:
        end += chunk.size
        ends.append((end, chunk.at))
    lines, offset = list[str](), 0
    for event in parse(body):
        offset += len(event.raw)
        at = next((at for end, at in ends if end >= offset), None)
        lines += [f"[{at:.3f} s]"] if at is not None else []
        lines.append(event.raw.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n") + "\n")
    return lines
