"""`replayproxy cassette show`: one interaction, to be read, or as something else to be run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from replayproxy.cli.cassette_files import InteractionNumber, interaction_in, store_of
from replayproxy.cli.message_text import body_as_json, highlighted, message_lines
from replayproxy.cli.styles import status_style
from replayproxy.cli.terminal import page, print_json, styled
from replayproxy.core.cassette import Interaction
from replayproxy.core.messages import FileBody, Headers, Request, Response, encode

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["show"]

#: How an interaction can be shown -> the language that it is then in, for its colours.
_FORMS = {
    "curl": "bash",
    "python": "python",
    "openai": "python",
    "httpx": "python",
    "javascript": "javascript",
    "http": "http",
    "har": "json",
    "yaml": "yaml",
}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("number", type=InteractionNumber())
@click.option(
    "--as",
    "form",
    type=click.Choice(list(_FORMS)),
    help="Print it in another form: a command or a program that sends the request (python: with openai), the messages "
    "as HTTP, an archive (HAR), or the document as it stands in the cassette.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the interaction as JSON.")
@click.option("--pager/--no-pager", default=True, help="Whether what is longer than the screen goes to $PAGER.")
def show(path: Path, number: int, form: str | None, as_json: bool, pager: bool) -> None:
    """Show interaction NUMBER of the cassette PATH with its bodies.

    Programs name the key by its variable, OPENAI_API_KEY, and can be run as they are. What could steer a terminal is
    spelled out on a terminal only: a file or a pipe gets a form of --as as it is.

    \b
    Examples:
      replayproxy cassette show cassettes/default.yaml 3
      replayproxy cassette show cassettes/default.yaml 3 --as curl | sh
      replayproxy cassette show --json cassettes/default.yaml 3 | jq .response.body.json
    """
    if form and as_json:
        raise click.UsageError("--json and --as are two forms; take one of them.")
    interaction = interaction_in(path, number)
    if as_json:
        print_json(_as_json(number, interaction))
    elif form:
        _print_as(form, _in_form(form, path, interaction), pager=pager)
    else:
        page([*_lines(number, interaction)], pager=pager)


def _print_as(form: str, text: bytes, *, pager: bool) -> None:
    """Bytes as they are for a program, lines for a person."""
    if sys.stdout.isatty():
        page(highlighted(text.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n"), _FORMS[form]), pager=pager)
    else:
        click.echo(text, nl=not text.endswith(b"\n") and form != "http")


def _in_form(form: str, path: Path, interaction: Interaction) -> bytes:
    if form == "http":
        return _as_http(path, interaction)
    if form == "yaml":
        return interaction.text.encode()
    from replayproxy.cli.cassette_export import export_text

    return export_text(interaction, "openai" if form == "python" else form).encode("utf-8", "surrogateescape")


def _as_http(path: Path, interaction: Interaction) -> bytes:
    """Both messages as HTTP/1.1 has them, an empty line between them; the content coding is taken off."""
    store, request, response = store_of(path), interaction.request, interaction.response
    host = urlsplit(store.open_recordings()[0].upstream).netloc
    if host and "host" not in request.headers:
        request = replace(request, headers=Headers.of(("Host", host), *request.headers))
    status = f"HTTP/1.1 {response.status} {response.reason}".rstrip()
    pieces = list[bytes]()
    for first, message in ((f"{request.method} {request.target} HTTP/1.1", request), (status, response)):
        head = [first, *(f"{name}: {value}" for name, value in message.headers), "", ""]
        body = message.body
        if isinstance(body, FileBody):
            with store.open_body(body) as file:
                body = file.read()
        pieces.append(encode("\r\n".join(head)) + body)
    return b"\r\n\r\n".join(pieces)


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
            "body": body_as_json(request),
        },
        "response": {
            "status": response.status,
            "reason": response.reason,
            "headers": list(response.headers),
            "coding": response.coding,
            "body": body_as_json(response),
            "chunks": [{"at": chunk.at, "size": chunk.size} for chunk in response.chunks],
        },
    }


def _lines(number: int, interaction: Interaction) -> Iterator[Text]:
    by = ", answered by the validator" if interaction.validator else ""
    operation = f" {interaction.operation}" if interaction.operation else ""
    yield styled(f"# {number}{operation}, line {interaction.line}{by}", "bold")
    if interaction.recorded:
        first_byte = f"first byte {interaction.first_byte:g} s"
        yield styled(f"# recorded {interaction.recorded}, {first_byte}, {interaction.took:g} s", "dim")
    for problem in interaction.problems:
        yield styled(f"# problem: {problem.message}", "yellow")
    yield styled("")
    yield _first_line(interaction.request)
    yield from message_lines(interaction.request)
    yield styled("")
    yield _first_line(interaction.response)
    yield from message_lines(interaction.response)


def _first_line(message: Request | Response) -> Text:
    if isinstance(message, Request):
        return styled(message.method, "bold cyan").append_text(styled(f" {message.target}", "bold"))
    return styled(f"{message.status} {message.reason}".rstrip(), f"bold {status_style(message.status)}")
